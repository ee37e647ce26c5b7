// SPDX-License-Identifier: Apache-2.0

import Tensors

/// The windows of K x K places of a map that a convolution or a pooling reads, one for each place
/// of its result: zero-padded cross-correlation, as with TensorFlow's padding `SAME`.
///
///     Y' = ⌈Y / stride⌉,   the window of (y, x) starts at (y · stride - top, x · stride - left)
///     top = ⌊max((Y' - 1) · stride + K - Y, 0) / 2⌋,   left the same with X and X'
///
/// A map can be *enlarged* first: each place is repeated e times in both directions.
public struct ImageWindows: Sendable, Hashable {
  /// The map that is read, before it is enlarged.
  public let input: MapShape
  /// K, the places of a window in each direction.
  public let kernel: Int
  /// The places from one window to the next, in both directions.
  public let stride: Int
  /// e, how often each place is repeated in each direction.
  public let enlargement: Int
  /// Y', the lines of windows.
  public let height: Int
  /// X', the windows of a line.
  public let width: Int
  /// The margin above and left of the map.
  let top: Int
  let left: Int

  public init(of input: MapShape, kernel: Int, stride: Int = 1, enlargement: Int = 1) {
    precondition(
      kernel > 0 && stride > 0 && enlargement > 0,
      "windows of \(kernel) places at stride \(stride), \(enlargement) times enlarged")
    self.input = input
    self.kernel = kernel
    self.stride = stride
    self.enlargement = enlargement
    func fit(_ extent: Int) -> (count: Int, before: Int) {
      let extent = extent * enlargement
      let count = (extent + stride - 1) / stride
      return (count, max((count - 1) * stride + kernel - extent, 0) / 2)
    }
    (height, top) = fit(input.height)
    (width, left) = fit(input.width)
  }

  /// Creates the windows that `adjoint` returns.
  init(adjointOf windows: ImageWindows, channels M: Int) {
    input = windows.input.with(channels: M)
    (kernel, stride, enlargement) = (windows.kernel, 1, 1)
    (height, width) = (windows.height, windows.width)
    (top, left) = (kernel - 1 - windows.top, kernel - 1 - windows.left)
  }

  /// Y' X', the number of windows of a map.
  public var places: Int { height * width }
  /// K K C, the numbers of a window: row by row, place by place.
  public var length: Int { kernel * kernel * input.channels }
  /// Whether the windows are just the places of the map.
  public var isIdentity: Bool { kernel == 1 && stride == 1 && enlargement == 1 }

  /// Adds windows to the places of the map that they see, in the order of the windows.
  ///
  /// - Parameters:
  ///   - windows: [rows, K K C]
  ///   - rows: which of all windows of all maps, in their order
  ///   - maps: [N, Y X C]
  @specialized(where Scalar == Float)
  public func scatter<Scalar: KernelScalar>(
    _ windows: Tensor<Scalar>, of rows: Range<Int>, addingTo maps: Tensor<Scalar>
  ) {
    check(rows, maps, windows)
    forEachRun(rows) { map, window, count in
      let (target, source) = (maps.pointer + map, windows.pointer + window)
      for index in 0..<count { target[index] += source[index] }
    }
  }

  /// Calls `body` for each run of numbers that is contiguous both in a map and in its window: its
  /// start in the maps, its start in the windows, and its length.
  @inline(__always)
  private func forEachRun(_ rows: Range<Int>, _ body: (Int, Int, Int) -> Void) {
    let C = input.channels
    let (Y, X) = (input.height * enlargement, input.width * enlargement)
    for (index, row) in rows.enumerated() {
      let (map, place) = row.quotientAndRemainder(dividingBy: places)
      let (y, x) = place.quotientAndRemainder(dividingBy: width)
      let (firstY, firstX) = (y * stride - top, x * stride - left)
      // The columns of the window that are inside the map.
      let inside = min(max(-firstX, 0), kernel)..<max(min(kernel, X - firstX), 0)
      for ky in 0..<kernel where 0..<Y ~= firstY + ky && !inside.isEmpty {
        let window = index * length + ky * kernel * C
        let line = map * input.count + (firstY + ky) / enlargement * input.width * C
        if enlargement == 1 {
          body(
            line + (firstX + inside.lowerBound) * C, window + inside.lowerBound * C,
            inside.count * C)
        } else {
          for kx in inside {
            body(line + (firstX + kx) / enlargement * C, window + kx * C, C)
          }
        }
      }
    }
  }

  /// Calls `body` with each place of a map that a window sees, in their order.
  @inline(__always)
  func forEachPlace(ofWindow window: Int, _ body: (Int) -> Void) {
    let (y, x) = window.quotientAndRemainder(dividingBy: width)
    for atY in y * stride - top..<y * stride - top + kernel
    where atY >= 0 && atY < input.height * enlargement {
      for atX in x * stride - left..<x * stride - left + kernel
      where atX >= 0 && atX < input.width * enlargement {
        body(atY / enlargement * input.width + atX / enlargement)
      }
    }
  }

  private func check<Scalar>(
    _ rows: Range<Int>, _ maps: Tensor<Scalar>, _ windows: Tensor<Scalar>
  ) {
    precondition(
      maps.count % input.count == 0 && rows.lowerBound >= 0
        && rows.upperBound <= maps.count / input.count * places,
      "windows \(rows) of \(input) in \(maps.shape)")
    precondition(
      windows.count == rows.count * length, "\(windows.shape) for \(rows.count) windows")
  }
}
