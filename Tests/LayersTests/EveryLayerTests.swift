// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernels
import RandomNumbers
import TestSupport
import Tensors
import Testing

@testable import Layers

/// Tests of every layer in the table. A new layer needs only a line in `RecurrentSystem.all` to be
/// tested here.
@Suite struct EveryLayerTests {
  /// The table, and one body of each kind with norms behind one drive of each kind.
  static let names =
    RecurrentSystem.all.map(\.name) + [
      "lstm+layer", "momentum_lstm+assorted_time", "adam_gru+assorted_time",
      "srrnn+assorted_time",
    ]

  /// Those that carry a state from step to step.
  static let recurrentNames = names.filter { RecurrentSystem(named: $0)?.isEncoder != true }

  private func system(_ name: String) throws -> RecurrentSystem {
    let parts = name.split(separator: "+").map(String.init)
    let system = try #require(RecurrentSystem(named: parts[0]))
    guard parts.count > 1 else { return system }
    let normalization = try #require(Normalization(rawValue: parts[1]))
    return try #require(system.normalized(by: normalization))
  }

  /// Central differences of every weight, the input and every initial state.
  @Test(arguments: names) func gradientsAreThoseOfCentralDifferences(name: String) throws {
    for (T, N, C, H) in [(4, 2, 2, 3), (1, 1, 1, 1), (2, 1, 3, 1), (1, 3, 1, 2)] {
      try LayerProblem<Double>(system(name), steps: T, rows: N, inputs: C, hidden: H)
        .expectGradientsOfCentralDifferences("\(name) [\(T), \(N), \(C), \(H)]")
    }
  }

  /// A sequence in pieces, with the state and the step count carried on, equals the whole bit for
  /// bit.
  @Test(arguments: recurrentNames, [[1, 1, 1, 1, 1, 1, 1], [3, 4], [1, 5, 1], [17, 3]])
  func aSequenceInPiecesEqualsTheWhole(name: String, pieces: [Int]) throws {
    try expectPiecesEqualWhole(name, pieces, as: Double.self)
    for variant in KernelBackend.supported {
      try variant.run { try expectPiecesEqualWhole(name, pieces, as: Float.self) }
    }
  }

  private func expectPiecesEqualWhole<Scalar: KernelScalar>(
    _ name: String, _ pieces: [Int], as _: Scalar.Type
  ) throws {
    let problem = try LayerProblem<Scalar>(
      system(name), steps: pieces.reduce(0, +), rows: 3, inputs: 2, hidden: 5)
    let whole = problem.forward(keeping: .finalState)
    let saving = problem.forward()
    #expect(whole.output.array == saving.output.array, "keeping activations")
    var (state, first) = (problem.initial, 0)
    for count in pieces {
      let steps = first..<first + count
      let piece = problem.forward(steps: steps, from: state, keeping: .finalState)
      #expect(piece.output.array == whole.output.rows(steps).array, "from step \(first)")
      (state, first) = (try #require(piece.final), first + count)
    }
    for other in [whole, saving] {
      for (a, b) in zip(state.named, try #require(other.final).named) {
        #expect(a.tensor.array == b.tensor.array, "the final \(a.name)")
      }
    }
  }

  /// A single row has the same bits as among others.
  @Test(arguments: names) func aRowDoesNotDependOnItsCompany(name: String) throws {
    for variant in KernelBackend.supported {
      try variant.run {
        let problem = try LayerProblem<Float>(
          system(name), steps: 5, rows: 21, inputs: 3, hidden: 18)
        let all = try problem.run()
        for rows in [0..<1, 20..<21, 3..<8] {
          let alone = try problem.run(rows: rows)
          let what: Comment = "\(variant) rows \(rows)"
          #expect(alone.pass.output.array == problem.cut(all.pass.output, rows).array, what)
          #expect(alone.dx.array == problem.cut(all.dx, rows).array, what)
          for (a, b) in zip(alone.dInitial.named, all.dInitial.rows(rows).named) {
            #expect(a.tensor.array == b.tensor.array, "\(what) \(a.name)")
          }
        }
      }
    }
  }

  /// The gradient of a shard has the same bits regardless of the shards computed with it, and
  /// shards without rows have none.
  @Test(arguments: names, [[0, 7], [0, 3, 7], [0, 2, 2, 7], [0, 1, 3, 4, 5, 7]])
  func aShardDoesNotDependOnOthers(name: String, rowStarts: [Int]) throws {
    for variant in KernelBackend.supported {
      try variant.run {
        let problem = try LayerProblem<Float>(
          system(name), steps: 19, rows: 7, inputs: 3, hidden: 6)
        let all = try problem.run(rowStarts: rowStarts)
        for shard in 0..<rowStarts.count - 1 {
          let rows = rowStarts[shard]..<rowStarts[shard + 1]
          let gradient = all.gradients[shard].flat.array
          if rows.isEmpty {
            #expect(gradient.allSatisfy { $0 == 0 }, "a shard without rows")
          } else {
            let alone = try problem.run(rows: rows).gradients[0].flat.array
            #expect(gradient == alone, "\(variant) rows \(rows)")
          }
        }
      }
    }
  }

  /// Recomputation changes no bit.
  @Test(arguments: names, [1, 2, 5, 16, 40]) func recomputationChangesNothing(
    name: String, every: Int
  ) throws {
    for variant in KernelBackend.supported {
      try variant.run {
        func run(_ every: Int) throws -> LayerProblem<Float>.Passed {
          try LayerProblem(
            system(name), steps: 37, rows: 3, inputs: 2, hidden: 6, recomputeEvery: every
          ).run(rowStarts: [0, 2, 3])
        }
        let (kept, again) = (try run(0), try run(every))
        #expect(kept.gradients.flat.array == again.gradients.flat.array)
        #expect(kept.dx.array == again.dx.array)
        for (a, b) in zip(kept.dInitial.named, again.dInitial.named) {
          #expect(a.tensor.array == b.tensor.array, "\(a.name)")
        }
      }
    }
  }

  /// The gradient of the last output alone is that of a gradient of zeros before it.
  @Test(arguments: names) func theLastStepAloneIsAGradientToo(name: String) throws {
    let problem = try LayerProblem<Double>(system(name), steps: 6, rows: 2, inputs: 2, hidden: 3)
    func run(_ gradient: OutputGradient<Double>) -> [Double] {
      let gradients = ShardedBuffer<Double>(problem.layout, shards: 1)
      let dx = problem.forward().backward(
        gradient, into: gradients, wantsInput: true, initial: nil)!
      return gradients.flat.array + dx.array
    }
    let steps = Tensor<Double>(shape: problem.dy.shape)
    steps.row(5).copy(from: problem.dy.row(5))
    for final in [nil, problem.dFinal] {
      let last = run(
        OutputGradient(lastStep: problem.dy.row(5).copy(), final: final?.copied()))
      expectClose(
        last, run(OutputGradient(steps: steps.copy(), final: final?.copied())),
        absolute: 1e-14, relative: 1e-12)
    }
  }

  /// Every backend in Float gives the numbers of the reference in Double.
  @Test(arguments: names) func everyBackendGivesTheSameNumbers(name: String) throws {
    for (T, N, C, H) in [(9, 5, 1, 20), (7, 17, 6, 33)] {
      let exact = try LayerProblem<Double>(
        system(name), steps: T, rows: N, inputs: C, hidden: H
      ).run()
      for variant in KernelBackend.supported {
        try variant.run {
          let computed = try LayerProblem<Float>(
            system(name), steps: T, rows: N, inputs: C, hidden: H
          ).run()
          func expectNear(_ a: Tensor<Float>, _ b: Tensor<Double>, _ what: String) {
            let difference = zip(a.array, b.array).reduce(0.0) {
              $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1)
            }
            let norm = b.array.reduce(0) { $0 + $1 * $1 }
            #expect(
              difference.squareRoot() <= 2e-5 * norm.squareRoot() + 1e-7,
              "\(name) \(variant) \(what)")
          }
          expectNear(computed.pass.output, exact.pass.output, "y")
          expectNear(computed.dx, exact.dx, "dx")
          expectNear(computed.gradients.flat, exact.gradients.flat, "the gradient")
        }
      }
    }
  }

  /// Names, shapes and order of parameters, of buffers and of states, which checkpoints rely on.
  @Test func layoutsAreThoseOfTheGoldenFile() throws {
    let lines = try Self.names.map { name in
      let problem = try LayerProblem<Double>(
        system(name), steps: 1, rows: 1, inputs: 2, hidden: 3)
      func list(_ shapes: [(String, [Int])]) -> String {
        shapes.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
      }
      let parts = [
        list(problem.layout.entries.map { ($0.name, $0.shape) }),
        list(problem.layer.buffers.map { ($0.name, $0.tensor.shape) }),
        list(problem.layer.states.map { ($0.name, $0.shape) }),
      ]
      return "\(name): " + parts.joined(separator: "; ")
    }
    let golden = try String(contentsOfFile: Places.fixtures + "/layouts.txt", encoding: .utf8)
      .split(separator: "\n").map(String.init)
    for line in lines where !golden.contains(line) {
      Issue.record("Tests/Fixtures/layouts.txt lacks: \(line)")
    }
    for line in golden where !lines.contains(line) {
      Issue.record("Tests/Fixtures/layouts.txt has, and no system: \(line)")
    }
  }
}
