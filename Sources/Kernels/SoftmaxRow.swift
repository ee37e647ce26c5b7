// SPDX-License-Identifier: Apache-2.0

import Tensors

/// The largest logit and the softmax sum of a row of logits z [K].
public struct SoftmaxRow<Scalar: KernelScalar> {
  /// The index of the largest logit; the first one if several are equal.
  public let best: Int
  /// The largest logit.
  public let largest: Scalar
  /// Σ exp(z_k - largest), in one fixed order.
  public let sum: Scalar

  /// Writes exp(z_k - largest) to `exponentials`, which may be `logits` itself.
  ///
  /// A vocabulary has thousands of words. Computed one at a time, its exponentials would cost as
  /// much as the products before them, so the kernels compute a vector at a time.
  @specialized(where Scalar == Float)
  public init(_ logits: Tensor<Scalar>, exponentials: Tensor<Scalar>) {
    let K = logits.count
    precondition(K > 0 && exponentials.count == K, "\(logits.shape) into \(exponentials.shape)")
    let (z, e) = (logits.pointer, exponentials.pointer)
    var best = 0
    for k in 1..<max(K, 1) where z[k] > z[best] { best = k }
    let largest = z[best]
    for k in 0..<K { e[k] = z[k] - largest }
    Scalar.kernels(on: .current).exponential(UnsafePointer(e), into: e, count: K)
    // Eight running sums, always combined in the same order.
    var sums = (Scalar(0), Scalar(0), Scalar(0), Scalar(0))
    var more = sums
    let whole = K - K % 8
    for k in stride(from: 0, to: whole, by: 8) {
      sums.0 += e[k]
      sums.1 += e[k + 1]
      sums.2 += e[k + 2]
      sums.3 += e[k + 3]
      more.0 += e[k + 4]
      more.1 += e[k + 5]
      more.2 += e[k + 6]
      more.3 += e[k + 7]
    }
    var sum =
      ((sums.0 + more.0) + (sums.1 + more.1)) + ((sums.2 + more.2) + (sums.3 + more.3))
    for k in whole..<K { sum += e[k] }
    self.best = best
    self.largest = largest
    self.sum = sum
  }
}

extension Tensor where Scalar: KernelScalar {
  /// Divides every element.
  @specialized(where Scalar == Float)
  public func divide(by divisor: Scalar) {
    for index in 0..<count { pointer[index] /= divisor }
  }
}
