// SPDX-License-Identifier: Apache-2.0

import Tensors

/// The largest number or the mean of each window and channel of a map.
///
/// Places outside the map do not count. If several numbers are the largest, the first one gets the
/// gradient.
public struct ImagePooling: Sendable, Hashable {
  /// How a window becomes one number.
  public enum Kind: String, Sendable, CaseIterable {
    case max, mean
  }

  /// Whether a window gives its largest number or the mean.
  public let kind: Kind
  /// The windows of the map, one for each place of the result.
  public let windows: ImageWindows

  public init(_ kind: Kind, _ windows: ImageWindows) {
    self.kind = kind
    self.windows = windows
  }

  /// The shape of the result.
  public var output: MapShape {
    MapShape(height: windows.height, width: windows.width, channels: windows.input.channels)
  }

  /// - Parameters:
  ///   - x: maps [N, Y X C]
  ///   - y: maps [N, Y' X' C], overwritten
  @specialized(where Scalar == Float)
  public func forward<Scalar: KernelScalar>(_ x: Tensor<Scalar>, into y: Tensor<Scalar>) {
    let C = windows.input.channels
    forEachWindow(x, y) { map, window, target in
      var seen = 0
      windows.forEachPlace(ofWindow: window) { place in
        let source = x.pointer + map + place * C
        if seen == 0 {
          target.update(from: source, count: C)
        } else if kind == .max {
          for c in 0..<C { target[c] = Swift.max(target[c], source[c]) }
        } else {
          for c in 0..<C { target[c] += source[c] }
        }
        seen += 1
      }
      if kind == .mean {
        let share = 1 / Scalar(seen)
        for c in 0..<C { target[c] *= share }
      }
    }
  }

  /// The adjoint of `forward`.
  ///
  /// - Parameters:
  ///   - dy: maps [N, Y' X' C]
  ///   - x: the input of the forward pass
  ///   - y: its output
  ///   - dx: maps [N, Y X C], to be added to
  @specialized(where Scalar == Float)
  public func backward<Scalar: KernelScalar>(
    _ dy: Tensor<Scalar>, x: Tensor<Scalar>, y: Tensor<Scalar>, addingTo dx: Tensor<Scalar>
  ) {
    precondition(dx.count == x.count && dy.count == y.count, "\(dy.shape) for \(x.shape)")
    let C = windows.input.channels
    forEachWindow(x, y) { map, window, result in
      let slope = dy.pointer + (result - y.pointer)
      if kind == .mean {
        var seen = 0
        windows.forEachPlace(ofWindow: window) { _ in seen += 1 }
        let share = 1 / Scalar(seen)
        windows.forEachPlace(ofWindow: window) { place in
          let target = dx.pointer + map + place * C
          for c in 0..<C { target[c] += share * slope[c] }
        }
        return
      }
      for c in 0..<C {
        var isTaken = false
        windows.forEachPlace(ofWindow: window) { place in
          let index = map + place * C + c
          if !isTaken && x.pointer[index] == result[c] {
            dx.pointer[index] += slope[c]
            isTaken = true
          }
        }
      }
    }
  }

  /// Calls `body` with the start of a map, the window in it, and the place of the result.
  @inline(__always)
  private func forEachWindow<Scalar: KernelScalar>(
    _ x: Tensor<Scalar>, _ y: Tensor<Scalar>,
    _ body: (Int, Int, UnsafeMutablePointer<Scalar>) -> Void
  ) {
    let maps = x.count / windows.input.count
    precondition(
      x.count == maps * windows.input.count && y.count == maps * output.count,
      "\(x.shape) pooled to \(y.shape)")
    for map in 0..<maps {
      for window in 0..<windows.places {
        body(
          map * windows.input.count, window,
          y.pointer + (map * windows.places + window) * windows.input.channels)
      }
    }
  }
}
