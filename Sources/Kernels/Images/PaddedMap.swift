// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Tensors

/// A buffer for one map at a time, with the margin of zeros that its windows read. The map is
/// enlarged if the windows are. The windows of a line overlap in it, so a convolution does not copy
/// them.
public struct PaddedMap<Scalar: KernelScalar> {
  /// The windows whose margin the buffer has.
  public let windows: ImageWindows
  let memory: Tensor<Scalar>
  let grid: WindowGrid

  /// The size in scalars of the memory for one map.
  public static func count(_ windows: ImageWindows) -> Int {
    let (height, width) = extents(windows)
    return height * width * windows.input.channels
  }

  /// The height and width that the windows cover; places of the map that no window reads are left
  /// out.
  static func extents(_ windows: ImageWindows) -> (height: Int, width: Int) {
    (
      (windows.height - 1) * windows.stride + windows.kernel,
      (windows.width - 1) * windows.stride + windows.kernel
    )
  }

  /// - Parameters:
  ///   - windows: the windows that read the map
  ///   - memory: `count` scalars, with any content
  public init(_ windows: ImageWindows, in memory: Tensor<Scalar>) {
    precondition(
      memory.count == Self.count(windows), "\(memory.shape) numbers for a map of \(windows.input)")
    (self.windows, self.memory) = (windows, memory)
    let (C, width) = (windows.input.channels, Self.extents(windows).width)
    grid = WindowGrid(
      lines: windows.height, places: windows.width, lineStep: windows.stride * width * C,
      placeStep: windows.stride * C, runs: windows.kernel, run: windows.kernel * C,
      runStep: width * C)
  }

  /// Loads one of the maps [N, Y X C], and fills the margin with zeros.
  @specialized(where Scalar == Float)
  public func load(_ index: Int, of maps: Tensor<Scalar>) {
    let input = windows.input
    precondition(
      maps.count % input.count == 0 && 0..<maps.count / input.count ~= index,
      "map \(index) of \(maps.shape), each of \(input)")
    let (C, e) = (input.channels, windows.enlargement)
    let (height, width) = Self.extents(windows)
    let source = maps.pointer + index * input.count
    // The columns that are inside the map.
    let columns = min(windows.left, width)..<min(windows.left + input.width * e, width)
    for y in 0..<height {
      let line = memory.pointer + y * width * C
      let row = y - windows.top
      guard row >= 0 && row < input.height * e else {
        line.update(repeating: 0, count: width * C)
        continue
      }
      let from = source + row / e * input.width * C
      line.update(repeating: 0, count: columns.lowerBound * C)
      if e == 1 {
        (line + columns.lowerBound * C).update(from: from, count: columns.count * C)
      } else {
        for x in columns {
          (line + x * C).update(from: from + (x - windows.left) / e * C, count: C)
        }
      }
      (line + columns.upperBound * C).update(
        repeating: 0, count: (width - columns.upperBound) * C)
    }
  }

  /// y = w(x) Wᵀ + b for the loaded map x. The bits of a place do not depend on the other places.
  ///
  /// - Parameters:
  ///   - matrix: the packed W [M, K K C]
  ///   - bias: [M]; nil is zero
  ///   - index: which of the maps y to write
  ///   - y: [N, Y' X' M]
  public func multiply(
    by matrix: PackedMatrix<Scalar>, adding bias: Tensor<Scalar>?, into index: Int,
    of y: Tensor<Scalar>
  ) {
    matrix.convolve(
      grid, UnsafePointer(memory.pointer), bias: bias, place(index, y), isAdding: false)
  }

  /// y += w(x) Wᵀ
  public func multiply(
    by matrix: PackedMatrix<Scalar>, addingTo index: Int, of y: Tensor<Scalar>
  ) {
    matrix.convolve(
      grid, UnsafePointer(memory.pointer), bias: nil, place(index, y), isAdding: true)
  }

  /// dW += dyᵀ w(x), in an order that depends only on the shapes; see `ConvolutionGradientCall`.
  ///
  /// - Parameters:
  ///   - index: which of the maps dy to read
  ///   - dy: [N, Y' X' M]
  ///   - dW: [M, K K C]
  public func addWeightGradient(_ index: Int, of dy: Tensor<Scalar>, to dW: Tensor<Scalar>) {
    let delta = place(index, dy)
    precondition(
      dW.count == delta.columns * windows.length, "\(dW.shape) for windows of \(windows.length)")
    Scalar.kernels(on: .current).addConvolutionGradient(
      ConvolutionGradientCall(
        grid, width: delta.columns, deltas: UnsafePointer(delta.pointer),
        map: UnsafePointer(memory.pointer), gradient: dW.pointer))
  }

  /// The start of one of some maps [N, Y' X' M], and M.
  func place(
    _ index: Int, _ maps: Tensor<Scalar>
  ) -> (pointer: UnsafeMutablePointer<Scalar>, columns: Int) {
    let N = maps.shape[0]
    precondition(
      0..<N ~= index && maps.count % (N * windows.places) == 0,
      "map \(index) of \(maps.shape), each of \(windows.places) places")
    let count = maps.count / N
    return (maps.pointer + index * count, count / windows.places)
  }
}
