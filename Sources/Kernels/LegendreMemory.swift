// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Tensors

/// Memories of the scaled Legendre measure (HiPPO-LegS; Gu et al., NeurIPS 2020, section 2.4). A
/// memory holds the coefficients of the Legendre polynomials that best fit a signal's whole
/// history.
///
///     dm/dt = (A m + B u) / t
///     A_nk = -√(2n + 1) √(2k + 1) below the diagonal, -(n + 1) on it, 0 above;  B_n = √(2n + 1)
///
/// A step takes O(order) operations, because A is a diagonal matrix plus, below the diagonal, a
/// product of two vectors.
public struct LegendreMemory<Scalar: KernelScalar>: Sendable {
  private let channels: Int
  private let order: Int
  private let oldShare: Double
  private let newShare: Double
  private let maximumSteps: Int
  private nonisolated(unsafe) let roots: Tensor<Scalar>

  /// - Parameters:
  ///   - channels: M, the memories of a row
  ///   - order: the coefficients of each memory
  ///   - newShare: the weight of the new memory in the mean that the discretisation differentiates:
  ///     0 is the forward method, 1 the backward method, 1/2 the bilinear method
  ///   - maximumSteps: the step size falls as 1/t for this many steps and then stays constant; 0
  ///     means without limit
  public init(channels: Int, order: Int, newShare: Double, maximumSteps: Int) {
    self.channels = channels
    self.order = order
    self.newShare = newShare
    oldShare = 1 - newShare
    self.maximumSteps = maximumSteps
    roots = Tensor((0..<order).map { Scalar((2 * Double($0) + 1).squareRoot()) })
  }

  /// m' from m and u.
  ///
  /// - Parameters:
  ///   - memory: m [N, M, order]
  ///   - clock: [N, 2], whether a row's sequence has begun and the time of its last step; zeros
  ///     before the first step, which gives m' = (u, 0 ... 0)
  ///   - input: u [N, M]
  ///   - times: the time of this step, counted from the first step of each row, [N]; nil means one
  ///     later than the last step
  ///   - after: receives m'; must not share the memory of m
  ///   - clockAfter: receives the clock after the step
  public func advance(
    _ memory: Tensor<Scalar>, clock: Tensor<Scalar>, input: Tensor<Scalar>,
    times: Tensor<Double>?, into after: Tensor<Scalar>, clockAfter: Tensor<Scalar>
  ) {
    let call = call(clock, times)
    check(memory, after, input, call.rows)
    precondition(clockAfter.count == clock.count, "clocks of \(clockAfter.shape)")
    Scalar.kernels(on: .current).advance(
      call,
      LegendreMemoryForward(
        input: UnsafePointer(input.pointer), before: UnsafePointer(memory.pointer),
        after: after.pointer, clockAfter: clockAfter.pointer))
  }

  /// The adjoint of `advance`.
  ///
  /// - Parameters:
  ///   - gradient: dL/dm' [N, M, order]
  ///   - clock: the clock before the step
  ///   - times: as in `advance`
  ///   - before: receives dL/dm
  ///   - input: receives dL/du [N, M]
  public func advanceBackward(
    _ gradient: Tensor<Scalar>, clock: Tensor<Scalar>, times: Tensor<Double>?,
    into before: Tensor<Scalar>, input: Tensor<Scalar>
  ) {
    let call = call(clock, times)
    check(gradient, before, input, call.rows)
    Scalar.kernels(on: .current).advanceBackward(
      call,
      LegendreMemoryBackward(
        dAfter: UnsafePointer(gradient.pointer), dBefore: before.pointer, dInput: input.pointer))
  }

  private func call(
    _ clock: Tensor<Scalar>, _ times: Tensor<Double>?
  ) -> LegendreMemoryCall<Scalar> {
    let rows = clock.shape[0]
    precondition(clock.count == 2 * rows, "a clock of \(clock.shape)")
    precondition(times == nil || times!.count == rows, "times of \(times!.shape)")
    return LegendreMemoryCall(
      rows: rows, channels: channels, order: order, oldShare: Scalar(oldShare),
      newShare: Scalar(newShare), maximumSteps: Scalar(maximumSteps),
      roots: UnsafePointer(roots.pointer), times: times.map { UnsafePointer($0.pointer) },
      clock: UnsafePointer(clock.pointer))
  }

  private func check(
    _ a: Tensor<Scalar>, _ b: Tensor<Scalar>, _ input: Tensor<Scalar>, _ rows: Int
  ) {
    let count = rows * channels
    precondition(
      a.count == count * order && b.count == a.count && input.count == count,
      "\(a.shape), \(b.shape) and \(input.shape) are not \(rows) x \(channels) of \(order)")
  }
}
