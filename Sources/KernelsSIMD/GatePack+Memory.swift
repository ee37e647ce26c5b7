// SPDX-License-Identifier: Apache-2.0

extension GatePack where V: Pack {
  /// Loads the first `count` packs from `p` on, one vector apart. The rest are zero.
  ///
  /// - Parameter stride: floats from one row to the next
  @inline(__always)
  init(_ p: UnsafePointer<Float>, count: Int, _ rows: PackRows, stride: Int) {
    self.init(count: count) { V(p + $0 * Vector.width, rows, stride: stride) }
  }

  /// Computes g = b + x w for a single input, with the bits of a matrix product.
  ///
  /// - Parameter x: the inputs, one per row
  @inline(__always)
  init(
    bias: UnsafePointer<Float>, weights: UnsafePointer<Float>, x: UnsafePointer<Float>,
    _ rows: PackRows, count: Int
  ) {
    let factor = V(spreading: x, rows, stride: 1)
    self.init(count: count) {
      V(everyRow: Vector(bias + $0 * Vector.width))
        .adding(V(everyRow: Vector(weights + $0 * Vector.width)), times: factor)
    }
  }

  /// Writes the first `count` packs.
  ///
  /// - Parameter apart: floats from one gate to the next
  @inline(__always)
  func store(
    _ p: UnsafeMutablePointer<Float>, count: Int, _ rows: PackRows, stride: Int,
    apart: Int = Vector.width, streaming: Bool = false
  ) {
    if count > 0 { g0.store(p, rows, stride: stride, streaming: streaming) }
    if count > 1 { g1.store(p + apart, rows, stride: stride, streaming: streaming) }
    if count > 2 { g2.store(p + 2 * apart, rows, stride: stride, streaming: streaming) }
    if count > 3 { g3.store(p + 3 * apart, rows, stride: stride, streaming: streaming) }
  }

  @inline(__always)
  private init(count: Int, _ pack: (Int) -> V) {
    let zero = V(0)
    self.init(
      count > 0 ? pack(0) : zero, count > 1 ? pack(1) : zero, count > 2 ? pack(2) : zero,
      count > 3 ? pack(3) : zero)
  }
}
