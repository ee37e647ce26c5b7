// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// The window of one row, in the layout of `NormalizationWindow`. It computes the statistics of the
/// row and its window together, and their adjoint. `ReferenceKernels+Normalization.swift` has the
/// derivation.
struct WindowPool {
  /// W, the number of rows that the window can hold.
  private let length: Int
  /// The number of rows that it holds.
  private let filled: Int
  private let span: RowSpan
  private let before: UnsafeMutablePointer<Float>
  private let after: UnsafeMutablePointer<Float>

  @inline(__always)
  init(_ window: NormalizationWindow<Float>, row: Int) {
    length = window.length
    before = window.before.start + row * window.before.stride
    after = window.after.start + row * window.after.stride
    filled = Int(before[2 * length].rounded())
    span = RowSpan(filled)
  }

  /// The number of rows of the window, plus the row itself.
  @inline(__always)
  private var count: Float { Float(filled + 1) }

  /// The mean of the window and of a row with this mean.
  @inline(__always)
  private func pooledMean(_ own: Float) -> Float {
    (own + span.sum(before)) / count
  }

  /// Mean and variance of the window and of a row with this mean and M2.
  @inline(__always)
  func statistics(
    _ mean: Float, _ squares: Float, columns: Int
  ) -> (mean: Float, variance: Float) {
    let (m, D) = (pooledMean(mean), Float(columns))
    let within = squares + span.sum(before + length)
    let between = (mean - m) * (mean - m) + span.sumOfSquares(before, from: m)
    return (m, (within + D * between) / (count * D))
  }

  /// Writes the window after the row.
  @inline(__always)
  func push(_ mean: Float, _ squares: Float) {
    (after + 1).update(from: before, count: length - 1)
    (after + length + 1).update(from: before + length, count: length - 1)
    after[0] = mean
    after[length] = squares
    after[2 * length] = Float(min(filled + 1, length))
  }

  /// Writes the gradient of the window before the row.
  ///
  /// - Parameters:
  ///   - mean: mean(g) of the row's gradient g
  ///   - slope: mean(g n)
  ///   - r: 1 / std
  /// - Returns: the numbers that replace mean and slope in the formula of dz
  @inline(__always)
  func adjoint(
    _ mean: Float, _ slope: Float, _ r: Float, columns: Int,
    _ gradient: NormalizationWindow<Float>, row: Int
  ) -> (mean: Float, slope: Float) {
    let dBefore = gradient.before.start + row * gradient.before.stride
    let dAfter = gradient.after.start + row * gradient.after.stride
    let (own, D) = (after[0], Float(columns))
    let m = pooledMean(own)
    let dMean = -r * (mean * D) / count
    let dSquares = -r * r / 2 * slope / count
    // Later rows add gradients to the window's rows, except to the oldest, which their windows
    // lack.
    dBefore.update(from: dAfter + 1, count: length - 1)
    (dBefore + length).update(from: dAfter + length + 1, count: length - 1)
    (dBefore[length - 1], dBefore[2 * length - 1], dBefore[2 * length]) = (0, 0, 0)
    let (constant, factor) = (Vector(repeating: dMean), Vector(repeating: 2 * D * dSquares))
    let dM2 = Vector(repeating: dSquares)
    span.forEach { offset, lanes in
      let deviation = span.vector(before, offset, lanes) - Vector(repeating: m)
      (span.vector(dBefore, offset, lanes) + constant.adding(factor, times: deviation))
        .storing(lanes, dBefore + offset)
      (span.vector(dBefore + length, offset, lanes) + dM2)
        .storing(lanes, dBefore + length + offset)
    }
    let dOwn = dAfter[0] + dMean + 2 * D * dSquares * (own - m)
    let dOwnSquares = dAfter[length] + dSquares
    return (-(dOwn / D + 2 * dOwnSquares * (m - own)) / r, -2 * dOwnSquares / (r * r))
  }
}
