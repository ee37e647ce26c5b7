// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The products of a convolution: its windows, map by map, times a matrix.
///
///     y = w(x) Wᵀ + b,   dx = w*(dy W),   dW = dyᵀ w(x)
///
/// w extracts the windows of a map and w* is its adjoint. At a stride of 1, dx is the convolution
/// of dy with the flipped weight; otherwise the windows of a *panel* of places, few enough to stay
/// in the cache, are computed and added to the places that they see.
struct Convolution<Scalar: KernelScalar> {
  private let windows: ImageWindows
  private let memory: LayerMemory<Scalar>

  init(_ windows: ImageWindows, memory: LayerMemory<Scalar>) {
    self.windows = windows
    self.memory = memory
  }

  /// The weight that `addInputGradient` needs for W [M, K K C], and whether it is packed as its
  /// transpose.
  static func inputGradientWeight(
    _ weight: Tensor<Scalar>, _ windows: ImageWindows
  ) -> (weight: Tensor<Scalar>, isTransposed: Bool) {
    windows.isIdentity || windows.adjoint(channels: weight.shape[0]) == nil
      ? (weight, true) : (windows.turned(weight), false)
  }

  /// - Parameters:
  ///   - x: maps [N, Y X C]
  ///   - matrix: the packed W
  ///   - bias: [M]; nil is zero
  ///   - y: maps [N, Y' X' M], overwritten
  func multiply(
    _ x: Tensor<Scalar>, by matrix: PackedMatrix<Scalar>, adding bias: Tensor<Scalar>?,
    into y: Tensor<Scalar>
  ) {
    let N = y.shape[0]
    if windows.isIdentity {
      return matrix.multiply(places(x), adding: bias, into: places(y))
    }
    let padded = padded(windows)
    for map in 0..<N {
      padded.load(map, of: x)
      padded.multiply(by: matrix, adding: bias, into: map, of: y)
    }
  }

  /// - Parameters:
  ///   - dy: maps [N, Y' X' M]
  ///   - matrix: the packed result of `inputGradientWeight`
  ///   - dx: maps [N, Y X C]
  func addInputGradient(
    _ dy: Tensor<Scalar>, by matrix: PackedMatrix<Scalar>, to dx: Tensor<Scalar>
  ) {
    let N = dy.shape[0]
    if windows.isIdentity { return matrix.multiply(places(dy), addingTo: places(dx)) }
    guard let adjoint = windows.adjoint(channels: dy.count / (N * windows.places)) else {
      return forEachPanel(of: N * windows.places) { rows, panel in
        matrix.multiply(places(dy).rows(rows), into: panel)
        windows.scatter(panel, of: rows, addingTo: dx)
      }
    }
    let padded = padded(adjoint)
    for map in 0..<N {
      padded.load(map, of: dy)
      padded.multiply(by: matrix, addingTo: map, of: dx)
    }
  }

  /// - Parameters:
  ///   - dy: maps [N, Y' X' M]
  ///   - x: maps [N, Y X C]
  ///   - dW: [M, K K C]
  func addWeightGradient(_ dy: Tensor<Scalar>, of x: Tensor<Scalar>, to dW: Tensor<Scalar>) {
    let padded = padded(windows)
    for map in 0..<dy.shape[0] {
      padded.load(map, of: x)
      padded.addWeightGradient(map, of: dy, to: dW)
    }
  }

  private func padded(_ windows: ImageWindows) -> PaddedMap<Scalar> {
    PaddedMap(windows, in: memory.tensor("padded", [PaddedMap<Scalar>.count(windows)]))
  }

  /// Maps [N, P M] as rows of places, [N P, M].
  private func places(_ maps: Tensor<Scalar>) -> Tensor<Scalar> {
    let rows = maps.shape[0] * windows.places
    return maps.reshaped([rows, maps.count / max(rows, 1)])
  }

  /// Bytes of a panel, small enough to leave room for the matrix in a second-level cache of 512 KB.
  private static var panelBytes: Int { 131_072 }

  /// Calls `body` with the places of each panel and memory for their windows [places, K K C].
  private func forEachPanel(of all: Int, _ body: (Range<Int>, Tensor<Scalar>) -> Void) {
    let panel = max(Self.panelBytes / (MemoryLayout<Scalar>.stride * windows.length), 16)
    let memory = memory.tensor("windows", [min(panel, all), windows.length])
    for first in stride(from: 0, to: all, by: panel) {
      let rows = first..<min(first + panel, all)
      body(rows, memory.rows(0..<rows.count))
    }
  }
}
