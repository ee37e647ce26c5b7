// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Tensors

/// Multi-head attention (Vaswani et al., 2017) within a band of steps, as in the Neural Data
/// Transformer (Ye and Pandarinath, 2021).
///
///     s_ij = q_i · k_j / √d,   p_i = softmax(s_i),   o_i = Σ_j p_ij f_ij v_j
///
/// Query i sees the keys j with i - back ≤ j ≤ i + forward within the sequence. In memory every
/// sequence has T steps, one sequence after the other. A sequence's result does not depend on the
/// other sequences.
public struct BandedAttention {
  /// T, the time steps of a sequence in memory.
  public let steps: Int
  /// The number of attention heads, a divisor of D.
  public let heads: Int
  /// D, the columns of all heads together.
  public let width: Int
  private let back: Int
  private let forward: Int

  /// - Parameters:
  ///   - T: the time steps
  ///   - heads: the number of heads
  ///   - D: the width, a multiple of `heads`
  ///   - back: how many earlier keys a query sees; 0 or less means all
  ///   - forward: how many later keys a query sees; less than 0 means all
  public init(steps T: Int, heads: Int, width D: Int, back: Int, forward: Int) {
    precondition(heads > 0 && D > 0 && D % heads == 0, "\(heads) heads of \(D) columns")
    (steps, self.heads, width) = (T, heads, D)
    self.back = back > 0 ? min(back, T) : T
    self.forward = forward >= 0 ? min(forward, T) : T
  }

  /// W, the most keys that a query sees.
  public var band: Int { min(steps, back + 1 + forward) }

  /// The shape of the weights of N sequences, [N, heads, T, W].
  public func weightShape(sequences N: Int) -> [Int] { [N, heads, steps, band] }

  /// Writes o [N, T, D].
  ///
  /// - Parameters:
  ///   - projected: q, k and v, [N, T, 3 D]
  ///   - lengths: the valid steps of each sequence, [N]; nil means T
  ///   - factors: f, in the shape of the weights, from the first visible key on; nil means 1
  ///   - weights: receives p, for `backward`
  ///   - output: receives o
  public func forward<Scalar: KernelScalar>(
    _ projected: Tensor<Scalar>, lengths: [Int]?, factors: Tensor<Scalar>?,
    weights: Tensor<Scalar>, into output: Tensor<Scalar>
  ) {
    withCall(projected, lengths, factors, weights, output) { call in
      Scalar.kernels(on: .current).attend(call, into: output.pointer)
    }
  }

  /// The adjoint of `forward`: writes the gradient of `projected`.
  ///
  /// - Parameters:
  ///   - dOutput: the gradient of o, [N, T, D]
  ///   - projected: as in `forward`
  ///   - lengths: as in `forward`
  ///   - factors: as in `forward`
  ///   - weights: p from `forward`
  ///   - dProjected: receives the gradient, [N, T, 3 D]
  public func backward<Scalar: KernelScalar>(
    _ dOutput: Tensor<Scalar>, projected: Tensor<Scalar>, lengths: [Int]?,
    factors: Tensor<Scalar>?, weights: Tensor<Scalar>, into dProjected: Tensor<Scalar>
  ) {
    precondition(dProjected.count == projected.count, "\(dProjected.shape) of \(projected.shape)")
    withCall(projected, lengths, factors, weights, dOutput) { call in
      Scalar.kernels(on: .current).attendBackward(
        call, of: UnsafePointer(dOutput.pointer), into: dProjected.pointer)
    }
  }

  private func withCall<Scalar: KernelScalar>(
    _ projected: Tensor<Scalar>, _ lengths: [Int]?, _ factors: Tensor<Scalar>?,
    _ weights: Tensor<Scalar>, _ output: Tensor<Scalar>, _ body: (AttentionCall<Scalar>) -> Void
  ) {
    let N = output.count / max(steps * width, 1)
    let count = weightShape(sequences: N).reduce(1, *)
    precondition(
      output.count == N * steps * width && projected.count == 3 * output.count
        && weights.count == count && (factors == nil || factors!.count == count)
        && (lengths == nil || lengths!.count == N && lengths!.allSatisfy { $0 <= steps }),
      "attention of \(projected.shape) with \(weights.shape) into \(output.shape)")
    func call(_ lengths: UnsafePointer<Int>?) -> AttentionCall<Scalar> {
      AttentionCall(
        sequences: N, steps: steps, heads: heads, width: width / heads, back: back,
        forward: forward, band: band, lengths: lengths,
        projected: UnsafePointer(projected.pointer),
        factors: factors.map { UnsafePointer($0.pointer) }, weights: weights.pointer)
    }
    guard let lengths else { return body(call(nil)) }
    lengths.withUnsafeBufferPointer { body(call($0.baseAddress)) }
  }
}
