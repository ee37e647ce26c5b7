// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Tensors
import Testing

/// dW += Σ_r delta_rᵀ operand_r over rows that come step by step.
@Suite struct WeightGradientTests {
  /// Rows of a shard in several steps, as columns of a larger matrix have them.
  private struct Case<Scalar: KernelScalar> {
    let steps: Int
    let deltas: Tensor<Scalar>  // [steps, rows, W]
    let operands: Tensor<Scalar>  // [steps, rows, K]
    var W: Int { deltas.shape[2] }
    var K: Int { operands.shape[2] }
    var rows: Int { deltas.shape[1] }

    init(_ sizes: [Int]) {
      let (steps, rows) = (sizes[0], sizes[1])
      self.steps = steps
      deltas = PrimitiveSizes.random(steps * rows, sizes[2], seed: 1)
        .reshaped([steps, rows, sizes[2]])
      operands = PrimitiveSizes.random(steps * rows, sizes[3], seed: 2)
        .reshaped([steps, rows, sizes[3]])
    }

    /// dW and db, which held 1 and 2, from blocks with room for one step more than there are.
    func run() -> (weight: [Scalar], bias: [Scalar]) {
      let capacity = (steps + 1) * rows
      func block(_ role: GradientRole, _ columns: Int) -> RowBlock<Scalar> {
        let memory = Tensor<Scalar>(
          shape: [RowBlock<Scalar>.count(role, rows: capacity, columns: columns)])
        memory.fill(.nan)
        return RowBlock(role, rows: capacity, columns: columns, in: memory)
      }
      let (kept, multiplied) = (block(.delta, W), block(.operand, K))
      // Guards after the target.
      let (weight, bias) = (Tensor<Scalar>(shape: [W + 1, K]), Tensor<Scalar>(shape: [W + 1]))
      weight.fill(1)
      bias.fill(2)
      for step in 0..<steps {
        let range = step * rows..<(step + 1) * rows
        kept.keep(
          deltas.reshaped([steps * rows, W]), range, at: step * rows, addingTo: bias.rows(0..<W))
        multiplied.keep(operands.reshaped([steps * rows, K]), range, at: step * rows)
      }
      weight.rows(0..<W).addWeightGradient(kept, multiplied, rows: steps * rows)
      #expect(weight.row(W).array.allSatisfy { $0 == 1 } && bias[W] == 2)
      return (weight.rows(0..<W).array, bias.rows(0..<W).array)
    }

    var expected: (weight: [Double], bias: [Double]) {
      var (weight, bias) = ([Double](repeating: 1, count: W * K), [Double](repeating: 2, count: W))
      for row in 0..<steps * rows {
        for w in 0..<W {
          let delta = Double(deltas[row * W + w])
          bias[w] += delta
          for k in 0..<K { weight[w * K + k] += delta * Double(operands[row * K + k]) }
        }
      }
      return (weight, bias)
    }
  }

  /// Steps, rows, W and K: one and many, whole vectors and tiles and what is left of them, operands
  /// that are narrow and those that are not, one chain and several.
  static let sizes = [
    [1, 1, 1, 1], [3, 1, 5, 2], [2, 7, 67, 1], [16, 13, 33, 16], [16, 13, 128, 48], [5, 3, 9, 17],
    [16, 12, 70, 131], [4, 2, 1, 300], [16, 17, 513, 520],
  ]

  @Test(arguments: KernelBackend.supported, sizes)
  func isTheSum(backend: KernelBackend, sizes: [Int]) {
    let data = Case<Float>(sizes)
    let (weight, bias) = backend.run { data.run() }
    let expected = data.expected
    #expect(relativeError(weight, expected.weight) <= 4e-6, "\(backend) \(sizes)")
    #expect(relativeError(bias, expected.bias) <= 4e-6, "\(backend) \(sizes)")
  }

  @Test(arguments: sizes.dropLast()) func isTheSumInDouble(sizes: [Int]) {
    let data = Case<Double>(sizes)
    let (weight, bias) = data.run()
    for (a, b) in zip(weight, data.expected.weight) { #expect(abs(a - b) <= 1e-12) }
    for (a, b) in zip(bias, data.expected.bias) { #expect(abs(a - b) <= 1e-12) }
  }

  private static let fused = KernelBackend.supported.filter { $0 == .avx2 || $0 == .avx512 }

  /// The width of a vector does not affect the order of the sums.
  @Test(
    .enabled(if: fused.count > 1, "this processor has one width of vectors with fused products"),
    arguments: sizes)
  func hasOneBitsWithFusedProducts(sizes: [Int]) {
    let data = Case<Float>(sizes)
    let expected = Self.fused[0].run { data.run() }
    for backend in Self.fused.dropFirst() {
      let (weight, bias) = backend.run { data.run() }
      #expect(weight.bits == expected.weight.bits, "\(backend) \(sizes)")
      #expect(bias.bits == expected.bias.bits, "\(backend) \(sizes)")
    }
  }

  /// The way for a few operands gives the gradients of weight and bias side by side.
  @Test(arguments: KernelBackend.supported, sizes.filter { $0[3] <= 17 })
  func isTheSumForFewOperands(backend: KernelBackend, sizes: [Int]) {
    let data = Case<Float>(sizes)
    let (W, K) = (data.W, data.K)
    let sums = Tensor<Float>(shape: [K + 2, W])
    sums.fill(1)
    backend.run {
      for step in 0..<data.steps {
        sums.rows(0..<K + 1).addNarrowGradient(
          data.deltas.reshaped([data.steps * data.rows, W]),
          data.operands.reshaped([data.steps * data.rows, K]),
          step * data.rows..<(step + 1) * data.rows)
      }
    }
    #expect(sums.row(K + 1).array.allSatisfy { $0 == 1 })
    let expected = data.expected
    let weight = Tensor<Float>(shape: [W, K])
    weight.addTranspose(of: sums.rows(0..<K))
    #expect(relativeError(weight.array, expected.weight) <= 4e-6, "\(backend) \(sizes)")
    #expect(
      relativeError(sums.row(K).array, expected.bias.map { $0 - 1 }) <= 4e-6,
      "\(backend) \(sizes)")
  }

  /// Rows as they lie give the gradient too, and their columns the sums of `keep`, bit by bit.
  @Test(arguments: KernelBackend.supported, sizes)
  func isTheSumOfRowsAsTheyLie(backend: KernelBackend, sizes: [Int]) {
    let data = Case<Float>(sizes)
    let (W, K, R) = (data.W, data.K, data.steps * data.rows)
    let (weight, bias) = (Tensor<Float>(shape: [W + 1, K]), Tensor<Float>(shape: [W + 1]))
    weight.fill(1)
    bias.fill(2)
    backend.run {
      let dy = data.deltas.reshaped([R, W])
      weight.rows(0..<W).addProductGradient(dy, data.operands.reshaped([R, K]))
      bias.rows(0..<W).addColumnSums(of: dy)
    }
    #expect(weight.row(W).array.allSatisfy { $0 == 1 } && bias[W] == 2)
    let expected = data.expected
    #expect(relativeError(weight.rows(0..<W).array, expected.weight) <= 4e-6)
    // The chain of a column starts from the existing value.
    var sums = [Float](repeating: 2, count: W)
    for row in 0..<R {
      for column in 0..<W { sums[column] += data.deltas[row * W + column] }
    }
    #expect(bias.rows(0..<W).array.bits == sums.bits)
  }
}
