// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Tensors

// Depthwise convolution: each channel of a map with its own filter.
//
//     y[p, c] = Σ_k W[k, c] w(x)[p, k, c]
//
// w(x)[p, k] is place k of the K x K places in the window of p. Filters have the channels
// innermost, so every loop runs over the channels of a place.

extension PaddedMap {
  /// Arranges filters for the functions below.
  ///
  /// - Parameters:
  ///   - filters: W [C, K, K]
  ///   - arranged: [K K C], overwritten
  @specialized(where Scalar == Float)
  public static func arrange(filters: Tensor<Scalar>, into arranged: Tensor<Scalar>) {
    precondition(filters.count == arranged.count, "\(filters.shape) as \(arranged.shape)")
    let C = filters.shape[0]
    let places = filters.count / C
    for c in 0..<C {
      for k in 0..<places { arranged.pointer[k * C + c] = filters.pointer[c * places + k] }
    }
  }

  /// The depthwise convolution of the map that was loaded.
  ///
  /// - Parameters:
  ///   - filters: W from `arrange`
  ///   - index: which of the maps y to write
  ///   - y: [N, Y' X' C]
  @specialized(where Scalar == Float)
  public func convolveChannels(
    with filters: Tensor<Scalar>, into index: Int, of y: Tensor<Scalar>
  ) {
    let target = channels(index, y, filters)
    let (C, map, filters) = (windows.input.channels, memory.pointer, filters.pointer)
    for window in 0..<windows.places {
      let sums = target + window * C
      sums.update(repeating: 0, count: C)
      forEachPlace(of: window) { place, k in
        let (x, w) = (map + place, filters + k)
        for c in 0..<C { sums[c] += w[c] * x[c] }
      }
    }
  }

  /// Replaces the padded map with its gradient, dx[place] = Σ W[k, c] dy[p, c], summed over the
  /// windows that contain the place, in their order. `unload` adds it to the gradient of a map.
  ///
  /// - Parameters:
  ///   - index: which of the maps dy is read
  ///   - dy: [N, Y' X' C]
  ///   - filters: W as `arrange` laid it out
  @specialized(where Scalar == Float)
  public func loadChannelGradient(
    _ index: Int, of dy: Tensor<Scalar>, filters: Tensor<Scalar>
  ) {
    let source = channels(index, dy, filters)
    let (C, map, filters) = (windows.input.channels, memory.pointer, filters.pointer)
    map.update(repeating: 0, count: memory.count)
    for window in 0..<windows.places {
      let delta = source + window * C
      forEachPlace(of: window) { place, k in
        let (dx, w) = (map + place, filters + k)
        for c in 0..<C { dx[c] += w[c] * delta[c] }
      }
    }
  }

  /// Adds the padded map to one of several maps. This is the adjoint of `load`: it leaves out the
  /// margin, and adds up the copies of an enlarged place.
  ///
  /// - Parameters:
  ///   - index: the number of the map
  ///   - maps: [N, Y X C]
  @specialized(where Scalar == Float)
  public func unload(addingTo index: Int, of maps: Tensor<Scalar>) {
    let (input, e) = (windows.input, windows.enlargement)
    precondition(
      maps.count % input.count == 0 && 0..<maps.count / input.count ~= index,
      "map \(index) of \(maps.shape), each of \(input)")
    let (C, (height, width)) = (input.channels, Self.extents(windows))
    let map = memory.pointer
    let target = maps.pointer + index * input.count
    for y in windows.top..<max(min(windows.top + input.height * e, height), windows.top) {
      for x in windows.left..<max(min(windows.left + input.width * e, width), windows.left) {
        let place = (y - windows.top) / e * input.width + (x - windows.left) / e
        let (to, from) = (target + place * C, map + (y * width + x) * C)
        for c in 0..<C { to[c] += from[c] }
      }
    }
  }

  /// dW[c, k] += Σ_p dy[p, c] w(x)[p, k, c] for the loaded map x, in chains of lines as in
  /// `ConvolutionGradientCall`. The order of sums depends only on the shapes.
  ///
  /// - Parameters:
  ///   - index: which of the maps dy is read
  ///   - dy: [N, Y' X' C]
  ///   - dW: [C, K, K]
  ///   - sums: [K K C], of any content
  @specialized(where Scalar == Float)
  public func addFilterGradient(
    _ index: Int, of dy: Tensor<Scalar>, to dW: Tensor<Scalar>, sums: Tensor<Scalar>
  ) {
    precondition(dW.count == sums.count, "\(dW.shape) summed in \(sums.shape)")
    let source = channels(index, dy, sums)
    let (C, filter) = (windows.input.channels, windows.kernel * windows.kernel)
    let (map, count) = (memory.pointer, sums.count)
    let (sums, dW) = (sums.pointer, dW.pointer)
    let call = ConvolutionGradientCall(
      grid, width: C, deltas: UnsafePointer(source), map: UnsafePointer(map), gradient: sums)
    for chain in 0..<call.chains {
      sums.update(repeating: 0, count: count)
      let lines = call.line(ofChain: chain)..<call.line(ofChain: chain + 1)
      for window in lines.lowerBound * grid.places..<lines.upperBound * grid.places {
        let delta = source + window * C
        forEachPlace(of: window) { place, k in
          let (x, sum) = (map + place, sums + k)
          for c in 0..<C { sum[c] += delta[c] * x[c] }
        }
      }
      for c in 0..<C {
        for k in 0..<filter { dW[c * filter + k] += sums[k * C + c] }
      }
    }
  }

  /// Calls `body` for each place in a window: the start of its channels in the padded map, and that
  /// of its filters.
  @inline(__always)
  private func forEachPlace(of window: Int, _ body: (Int, Int) -> Void) {
    let C = windows.input.channels
    let (line, column) = window.quotientAndRemainder(dividingBy: grid.places)
    let first = line * grid.lineStep + column * grid.placeStep
    for row in 0..<grid.runs {
      for column in 0..<grid.runs {
        body(first + row * grid.runStep + column * C, row * grid.run + column * C)
      }
    }
  }

  /// The start of one of some maps [N, Y' X' C].
  private func channels(
    _ index: Int, _ maps: Tensor<Scalar>, _ filters: Tensor<Scalar>
  ) -> UnsafeMutablePointer<Scalar> {
    let (start, columns) = place(index, maps)
    precondition(
      columns == windows.input.channels && filters.count == windows.length,
      "maps of \(columns) channels and filters \(filters.shape) for windows of \(windows.input)")
    return start
  }
}
