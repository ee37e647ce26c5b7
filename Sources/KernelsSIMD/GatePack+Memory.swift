// SPDX-License-Identifier: Apache-2.0

extension GatePack where V == Vector {
  /// Loads the first `count` vectors from `p` on. The rest are zero.
  ///
  /// - Parameter apart: floats from one vector to the next
  @inline(__always)
  init(_ p: UnsafePointer<Float>, count: Int, apart: Int = Vector.width) {
    self.init(count: count) { Vector(p + $0 * apart) }
  }

  /// Computes g = b + x w for a single input, with the bits of a matrix product.
  @inline(__always)
  init(bias: UnsafePointer<Float>, weights: UnsafePointer<Float>, x: Float, count: Int) {
    let factor = Vector(repeating: x)
    self.init(count: count) {
      Vector(bias + $0 * Vector.width).adding(Vector(weights + $0 * Vector.width), times: factor)
    }
  }

  /// Writes the first `count` vectors.
  ///
  /// - Parameter apart: floats from one vector to the next
  @inline(__always)
  func store(
    _ p: UnsafeMutablePointer<Float>, count: Int, apart: Int = Vector.width,
    streaming: Bool = false
  ) {
    if count > 0 { g0.store(p, streaming: streaming) }
    if count > 1 { g1.store(p + apart, streaming: streaming) }
    if count > 2 { g2.store(p + 2 * apart, streaming: streaming) }
    if count > 3 { g3.store(p + 3 * apart, streaming: streaming) }
  }

  @inline(__always)
  private init(count: Int, _ vector: (Int) -> Vector) {
    let zero = Vector(0)
    self.init(
      count > 0 ? vector(0) : zero, count > 1 ? vector(1) : zero, count > 2 ? vector(2) : zero,
      count > 3 ? vector(3) : zero)
  }
}
