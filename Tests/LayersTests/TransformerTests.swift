// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import TestSupport
import Tensors
import Testing

@testable import Layers

/// Properties beyond the generic tests of layers: heads, tables of counts, positions, lengths,
/// dropout.
@Suite struct TransformerTests {
  struct Case: Sendable, CustomStringConvertible {
    var settings: TransformerSettings
    var lengths: [Int]?

    init(_ lengths: [Int]? = nil, _ change: (inout TransformerSettings) -> Void) {
      settings = TransformerSettings()
      settings.layers = 2
      settings.heads = 2
      settings.feedForward = 5
      settings.contextBackward = 2
      settings.contextForward = 1
      settings.maximumSteps = 9
      settings.maximumCount = 3
      change(&settings)
      self.lengths = lengths
    }

    var description: String {
      "\(settings.embedding) \(settings.position) \(settings.isPreNorm ? "pre" : "post")"
    }
  }

  static let cases = [
    Case([6, 2, 4]) { $0.embedding = .table },
    Case {
      ($0.embedding, $0.position, $0.isPreNorm) = (.table, .learned, true)
      ($0.inputDropout, $0.layerDropout, $0.outputDropout) = (0.3, 0.2, 0.4)
    },
    Case([5, 6, 1]) { ($0.embedding, $0.position, $0.layerDropout) = (.raw, .learned, 0.5) },
    Case { ($0.isPreNorm, $0.contextBackward, $0.contextForward) = (true, 0, -1) },
  ]

  /// An encoder of four inputs with random weights, three sequences of six counts.
  private struct Problem<Scalar: KernelScalar> {
    let encoder: TransformerEncoder<Scalar>
    let parameters: ParameterBuffer<Scalar>
    let x = Tensor<Scalar>(shape: [6, 3, 4])
    let dy: Tensor<Scalar>
    let lengths: [Int]?
    var noise = SequenceNoise(seed: 5, step: 3, sequences: [11, 4, 90])

    init(_ item: Case) {
      encoder = TransformerEncoder(
        item.settings, inputs: 4, hidden: 6, named: LayerName(prefix: "", suffix: ""))
      lengths = item.lengths
      var layout = ParameterLayout()
      encoder.declare(in: &layout)
      parameters = ParameterBuffer(layout)
      dy = Tensor(shape: [6, 3, encoder.outputs])
      var stream = RandomStream(seed: 1, purpose: .testing)
      for tensor in [parameters.flat, dy] {
        for index in 0..<tensor.count { tensor[index] = Scalar(Float(0.6 * stream.normal())) }
      }
      for index in 0..<x.count { x[index] = Scalar(stream.below(6)) }
      for t in 0..<6 {
        for n in 0..<3 where t >= lengths?[n] ?? 6 {
          for c in 0..<encoder.outputs { dy[(t * 3 + n) * encoder.outputs + c] = 0 }
        }
      }
    }

    func run(_ rows: Range<Int> = 0..<3, starts: [Int]? = nil) throws -> (
      y: [Scalar], gradients: ShardedBuffer<Scalar>, dx: [Scalar]
    ) {
      try encoder.prepare(parameters, advancing: false)
      let pass = encoder.forward(
        SequenceInput(
          cut(x, rows), lengths: lengths.map { Array($0[rows]) }, rowStarts: starts,
          noise: noise.rows(rows)),
        from: nil, parameters, keeping: .activations, in: Workspace())
      let y = pass.output.array
      let shards = (starts?.count ?? 2) - 1
      let gradients = ShardedBuffer<Scalar>(parameters.layout, shards: shards)
      let dx = pass.backward(
        OutputGradient(steps: cut(dy, rows)), into: gradients, wantsInput: true, initial: nil)
      return (y, gradients, try #require(dx).array)
    }

    /// Some rows of [T, 3, ·], in memory of their own.
    func cut(_ tensor: Tensor<Scalar>, _ rows: Range<Int>) -> Tensor<Scalar> {
      let (T, width) = (tensor.shape[0], tensor.shape[2])
      let result = Tensor<Scalar>(shape: [T, rows.count, width])
      for t in 0..<T {
        result.row(t).copy(
          from: tensor.elements(
            (t * 3 + rows.lowerBound) * width..<(t * 3 + rows.upperBound) * width))
      }
      return result
    }
  }

  @Test(arguments: cases) func gradientsAreThoseOfCentralDifferences(_ item: Case) throws {
    let problem = Problem<Double>(item)
    let (_, gradients, dx) = try problem.run()
    func loss() -> Double {
      guard let y = try? problem.run().y else { return .nan }
      return zip(y, problem.dy.array).reduce(0) { $0 + $1.0 * $1.1 }
    }
    for entry in problem.parameters.layout.entries {
      checkGradient(
        "\(item) \(entry.name)", of: problem.parameters[entry],
        gradient: gradients[0][entry].array, loss: loss)
    }
    if item.settings.embedding == .table {
      #expect(dx.allSatisfy { $0 == 0 }, "a count has no gradient")
    } else {
      checkGradient("\(item) x", of: problem.x, gradient: dx, loss: loss)
    }
  }

  /// A single sequence, with its own noise, has the same bits as among others; so has a shard.
  @Test(arguments: cases) func aSequenceDoesNotDependOnItsCompany(_ item: Case) throws {
    for backend in KernelBackend.supported {
      try backend.run {
        let problem = Problem<Float>(item)
        let all = try problem.run(starts: [0, 1, 1, 3])
        for (shard, rows) in [(0, 0..<1), (2, 1..<3)] {
          let alone = try problem.run(rows)
          let y = Tensor(all.y, shape: problem.dy.shape)
          #expect(alone.y == problem.cut(y, rows).array, "\(backend) \(item) \(rows)")
          let dx = Tensor(all.dx, shape: problem.x.shape)
          #expect(alone.dx == problem.cut(dx, rows).array, "\(backend) \(item) \(rows)")
          #expect(alone.gradients.flat.array == all.gradients[shard].flat.array)
        }
        #expect(all.gradients[1].flat.array.allSatisfy { $0 == 0 }, "a shard without rows")
      }
    }
  }

  /// What lies outside the band of a step, or beyond the end of its sequence, does not reach it.
  @Test func aStepSeesItsBandAlone() throws {
    let problem = Problem<Double>(
      Case([6, 4, 6]) { ($0.layers, $0.position) = (1, .learned) })
    let before = try problem.run().y
    func changed(step: Int, row: Int) throws -> Set<Int> {
      let place = (step * 3 + row) * 4
      problem.x[place] += 1
      defer { problem.x[place] -= 1 }
      let after = try problem.run().y
      return Set(before.indices.filter { before[$0] != after[$0] }.map { $0 / 6 })
    }
    // Seen by itself, one step before it, and two after it: rows of [T, N].
    #expect(try changed(step: 2, row: 0) == Set([1, 2, 3, 4].map { $0 * 3 }))
    #expect(try changed(step: 3, row: 1) == Set([2, 3, 4, 5].map { $0 * 3 + 1 }))
    #expect(try changed(step: 5, row: 1) == [16], "beyond the end")
  }

  /// The same numbers at the same step, others at the next; none without noise.
  @Test func dropoutFollowsSeedStepAndSequence() throws {
    var problem = Problem<Float>(Self.cases[1])
    let first = try problem.run().y
    #expect(try problem.run().y == first)
    let sequences = problem.noise.sequences
    for other in [
      SequenceNoise(seed: 6, step: 3, sequences: sequences),
      SequenceNoise(seed: 5, step: 4, sequences: sequences),
      SequenceNoise(seed: 5, step: 3, sequences: [12, 5, 91]),
    ] {
      problem.noise = other
      #expect(try problem.run().y != first)
    }
    // A share p of the outputs is dropped, whatever else is.
    let dropped = Double(first.count { $0 == 0 }) / Double(first.count)
    #expect(abs(dropped - 0.4) < 0.15, "\(dropped)")
    let quiet = problem.encoder.forward(
      SequenceInput(problem.x), from: nil, problem.parameters, keeping: [], in: Workspace())
    #expect(quiet.output.array.allSatisfy { $0 != 0 })
  }

  /// 0.67 L^(-1/4) on the maps that the authors name, and Xavier's bound on q, k and v, which they
  /// leave as they are.
  @Test func weightsStartAsTheAuthorsHaveThem() throws {
    var settings = TransformerSettings()
    (settings.layers, settings.feedForward) = (16, 40)
    let encoder = TransformerEncoder<Double>(
      settings, inputs: 3, hidden: 24, named: LayerName(prefix: "", suffix: ""))
    var layout = ParameterLayout()
    encoder.declare(in: &layout)
    let parameters = ParameterBuffer<Double>(layout)
    var streams = InitializationStreams(seed: 1)
    encoder.initialize(parameters, gateBias: 1, streams: &streams)
    func largest(_ name: String) -> Double { parameters[name].array.reduce(0) { max($0, abs($1)) } }
    func expectBound(_ name: String, _ bound: Double) {
      let found = largest("layers.9.\(name)")
      #expect(found <= bound && found > 0.97 * bound, "\(name): \(found) of \(bound)")
    }
    expectBound("self_attn.in_proj_weight", (6 / 96.0).squareRoot())
    expectBound("self_attn.out_proj.weight", 0.67 / 2 / 24.0.squareRoot())
    expectBound("linear1.weight", 0.67 / 2 / 24.0.squareRoot())
    expectBound("linear2.weight", 0.67 / 2 / 40.0.squareRoot())
    #expect(largest("layers.9.self_attn.in_proj_bias") == 0)
    #expect(parameters["layers.9.norm1.weight"].array.allSatisfy { $0 == 1 })
  }
}
