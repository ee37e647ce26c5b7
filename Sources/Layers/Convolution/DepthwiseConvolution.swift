// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The products of a depthwise convolution: each channel of a map with its own filter (Chollet,
/// CVPR 2017), map by map.
///
///     y[p, c] = Σ_k W[c, k] w(x)[p, k, c]
///
/// w extracts the windows of a map, with K x K places k each.
struct DepthwiseConvolution<Scalar: KernelScalar> {
  private let windows: ImageWindows
  private let memory: LayerMemory<Scalar>

  init(_ windows: ImageWindows, memory: LayerMemory<Scalar>) {
    self.windows = windows
    self.memory = memory
  }

  /// - Parameters:
  ///   - x: maps [N, Y X C]
  ///   - filters: W [C, K, K]
  ///   - y: maps [N, Y' X' C], overwritten
  func multiply(_ x: Tensor<Scalar>, by filters: Tensor<Scalar>, into y: Tensor<Scalar>) {
    let (padded, filters) = (padded, arranged(filters))
    for map in 0..<y.shape[0] {
      padded.load(map, of: x)
      padded.convolveChannels(with: filters, into: map, of: y)
    }
  }

  /// - Parameters:
  ///   - dy: maps [N, Y' X' C]
  ///   - filters: W [C, K, K]
  ///   - dx: maps [N, Y X C]
  func addInputGradient(
    _ dy: Tensor<Scalar>, by filters: Tensor<Scalar>, to dx: Tensor<Scalar>
  ) {
    let (padded, filters) = (padded, arranged(filters))
    for map in 0..<dy.shape[0] {
      padded.loadChannelGradient(map, of: dy, filters: filters)
      padded.unload(addingTo: map, of: dx)
    }
  }

  /// - Parameters:
  ///   - dy: maps [N, Y' X' C]
  ///   - x: maps [N, Y X C]
  ///   - dW: [C, K, K]
  func addWeightGradient(_ dy: Tensor<Scalar>, of x: Tensor<Scalar>, to dW: Tensor<Scalar>) {
    let (padded, sums) = (padded, memory.tensor("filters", [windows.length]))
    for map in 0..<dy.shape[0] {
      padded.load(map, of: x)
      padded.addFilterGradient(map, of: dy, to: dW, sums: sums)
    }
  }

  private var padded: PaddedMap<Scalar> {
    PaddedMap(windows, in: memory.tensor("padded", [PaddedMap<Scalar>.count(windows)]))
  }

  private func arranged(_ filters: Tensor<Scalar>) -> Tensor<Scalar> {
    let arranged = memory.tensor("filters", [windows.length])
    PaddedMap.arrange(filters: filters, into: arranged)
    return arranged
  }
}
