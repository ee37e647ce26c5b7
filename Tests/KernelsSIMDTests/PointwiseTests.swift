// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Tensors
import Testing

/// Formulas on units, and their adjoints.
@Suite struct PointwiseTests {
  /// Applies a formula to blocks that lie side by side in one tensor. A column of guards follows
  /// each block of results.
  private func apply<Scalar: KernelScalar>(
    _ kind: PointwiseKind, _ inputs: Tensor<Scalar>, columns H: Int
  ) -> [[Scalar]] {
    let (taken, given) = Pointwise.blocks(of: kind)
    let rows = inputs.shape[0]
    let results = Tensor<Scalar>(shape: [rows, given * (H + 1)])
    results.fill(77)
    Pointwise.apply(
      kind, columns: H, inputs: (0..<taken).map { ColumnBlock(inputs, at: $0 * H) },
      outputs: (0..<given).map { ColumnBlock(results, at: $0 * (H + 1)) })
    return (0..<given).map { block in
      (0..<rows).flatMap { row -> [Scalar] in
        let start = (row * given + block) * (H + 1)
        #expect(results[start + H] == 77)
        return (0..<H).map { results[start + $0] }
      }
    }
  }

  private func inputs<Scalar: KernelScalar>(
    _ kind: PointwiseKind, _ rows: Int, _ H: Int
  ) -> Tensor<Scalar> {
    PrimitiveSizes.random(rows, Pointwise.blocks(of: kind).inputs * H, seed: 11, scale: 2)
  }

  @Test(arguments: PointwiseKind.allCases, PrimitiveSizes.all)
  func everyBackendDoesWhatDoubleDoes(kind: PointwiseKind, sizes: [Int]) {
    let (rows, H) = (sizes[0], sizes[1])
    let expected = apply(kind, inputs(kind, rows, H) as Tensor<Double>, columns: H)
    let numbers: Tensor<Float> = inputs(kind, rows, H)
    for backend in KernelBackend.supported {
      let all = backend.run { apply(kind, numbers, columns: H) }
      for (index, (computed, expected)) in zip(all, expected).enumerated() {
        #expect(relativeError(computed, expected) <= 5e-6, "\(backend) \(kind) output \(index)")
      }
      for row in [0, rows - 1, rows / 2] {
        let alone = backend.run { apply(kind, numbers.rows(row..<row + 1), columns: H) }
        for (alone, all) in zip(alone, all) {
          let same = alone.bits == Array(all[row * H..<(row + 1) * H]).bits
          #expect(same, "\(backend) \(kind) row \(row) of \(rows)")
        }
      }
    }
  }

  /// A formula may overwrite its inputs.
  @Test(arguments: PointwiseKind.allCases) func inPlace(kind: PointwiseKind) {
    let (taken, given) = Pointwise.blocks(of: kind)
    let (rows, H) = (5, 37)
    let numbers: Tensor<Float> = inputs(kind, rows, H)
    for backend in KernelBackend.supported {
      backend.run {
        let expected = apply(kind, numbers, columns: H)
        let width = max(taken, given) * H
        let memory = Tensor<Float>(shape: [rows, width])
        for row in 0..<rows {
          for j in 0..<taken * H { memory[row * width + j] = numbers[row * taken * H + j] }
        }
        Pointwise.apply(
          kind, columns: H, inputs: (0..<taken).map { ColumnBlock(memory, at: $0 * H) },
          outputs: (0..<given).map { ColumnBlock(memory, at: $0 * H) })
        for (block, expected) in expected.enumerated() {
          let computed = (0..<rows * H).map { memory[$0 / H * width + block * H + $0 % H] }
          let same = computed.bits == expected.bits
          #expect(same, "\(backend) \(kind) block \(block)")
        }
      }
    }
  }

  /// The sum in plain Swift, since the other tests compare the formula with itself.
  @Test(arguments: PrimitiveSizes.all) func sums(sizes: [Int]) {
    let (rows, H) = (sizes[0], sizes[1])
    let x: Tensor<Double> = inputs(.sum, rows, H)
    for (place, value) in apply(.sum, x, columns: H)[0].enumerated() {
      let first = place / H * 2 * H + place % H
      #expect(value == x[first] + x[first + H], "row \(place / H)")
    }
  }

  // MARK: Adjoints

  enum Argument: Sendable {
    case input(Int)
    case output(Int)
  }

  /// A formula, its adjoint, and the values passed from one to the other.
  struct Pair: Sendable, CustomTestStringConvertible {
    let kind: PointwiseKind
    let adjoint: PointwiseKind
    /// The outputs whose gradients the adjoint takes first, in its order.
    let outputs: [Int]
    /// What it takes then.
    let saved: [Argument]
    var testDescription: String { kind.rawValue }
  }

  /// The adjoints give the gradients of all inputs in their order.
  static let pairs = [
    Pair(kind: .tanh, adjoint: .tanhAdjoint, outputs: [0], saved: [.output(0)]),
    Pair(
      kind: .lstmGates, adjoint: .lstmGatesAdjoint, outputs: [4, 2],
      saved: [.output(0), .output(1), .output(2), .output(3), .input(4)]),
    Pair(
      kind: .lstmOutput, adjoint: .lstmOutputAdjoint, outputs: [0],
      saved: [.input(0), .output(1)]),
    Pair(kind: .elu, adjoint: .eluAdjoint, outputs: [0], saved: [.output(0)]),
    Pair(kind: .relu, adjoint: .reluAdjoint, outputs: [0], saved: [.output(0)]),
    Pair(
      kind: .reciprocalGate, adjoint: .reciprocalGateAdjoint, outputs: [0],
      saved: [.output(0), .output(1), .output(2), .input(0), .input(1)]),
    Pair(
      kind: .carriedUpdate, adjoint: .carriedUpdateAdjoint, outputs: [0],
      saved: [.output(1), .output(2), .input(2)]),
    Pair(
      kind: .rectifiedUpdate, adjoint: .rectifiedUpdateAdjoint, outputs: [0],
      saved: [.output(1), .output(2), .input(2)]),
    Pair(
      kind: .resetState, adjoint: .resetStateAdjoint, outputs: [0],
      saved: [.output(1), .input(1)]),
    Pair(
      kind: .gru, adjoint: .gruAdjoint, outputs: [0],
      saved: [.output(1), .output(2), .output(3), .output(4), .input(6)]),
  ]

  @Test(arguments: pairs, PrimitiveSizes.all) func centralDifferences(pair: Pair, sizes: [Int]) {
    let (rows, H) = (sizes[0], sizes[1])
    let x: Tensor<Double> = inputs(pair.kind, rows, H)
    let taken = Pointwise.blocks(of: pair.kind).inputs
    let y = apply(pair.kind, x, columns: H)
    let weights = pair.outputs.map { output -> [Double] in
      PrimitiveSizes.random(rows, H, seed: UInt64(output + 1)).array
    }
    func block(_ index: Int) -> [Double] {
      (0..<rows * H).map { x[($0 / H * taken + index) * H + $0 % H] }
    }
    let arguments =
      weights
      + pair.saved.map { argument in
        switch argument {
        case .input(let index): block(index)
        case .output(let index): y[index]
        }
      }
    let sideBySide = Tensor<Double>(shape: [rows, arguments.count * H])
    for (index, values) in arguments.enumerated() {
      for (place, value) in values.enumerated() {
        sideBySide[(place / H * arguments.count + index) * H + place % H] = value
      }
    }
    let gradients = apply(pair.adjoint, sideBySide, columns: H)
    #expect(gradients.count == taken)

    let step = 1e-5
    for input in 0..<taken {
      // Units do not mix, so all of a block change at once and each is checked separately.
      func moved(by change: Double) -> [Double] {
        let moved = x.copy()
        for place in 0..<rows * H { moved[(place / H * taken + input) * H + place % H] += change }
        let y = apply(pair.kind, moved, columns: H)
        return (0..<rows * H).map { place in
          zip(pair.outputs, weights).reduce(0) { $0 + y[$1.0][place] * $1.1[place] }
        }
      }
      for ((up, down), gradient) in zip(zip(moved(by: step), moved(by: -step)), gradients[input]) {
        let slope = (up - down) / (2 * step)
        #expect(abs(slope - gradient) <= 1e-8, "input \(input)")
      }
    }
  }
}
