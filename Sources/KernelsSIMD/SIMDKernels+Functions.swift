// SPDX-License-Identifier: Apache-2.0

extension SIMDKernels {
  /// y = exp(x), element by element.
  public static func exponential(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    apply(x, y, count, { $0.exponential }, { $0.exponential })
  }

  /// y = tanh(x), element by element.
  public static func hyperbolicTangent(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    apply(x, y, count, { $0.hyperbolicTangent }, { $0.hyperbolicTangent })
  }

  /// y = 1 / (1 + exp(-x)), element by element.
  public static func logistic(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    apply(x, y, count, { $0.logistic }, { $0.logistic })
  }

  /// Four vectors, because a function is a chain of about twenty dependent operations: with four
  /// chains at a time, tanh and σ take a third less time than with one (AVX2).
  private typealias Four = Twin<Twin<Vector>>

  /// Applies a function to four vectors at a time, and to the rest one by one. `x` may be `y`.
  @inline(__always)
  private static func apply(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int,
    _ function: (Vector) -> Vector, _ ofFour: (Four) -> Four
  ) {
    let width = Vector.width
    var index = 0
    while count - index >= 4 * width {
      let from = x + index
      let values = ofFour(
        Four(
          Twin(Vector(from), Vector(from + width)),
          Twin(Vector(from + 2 * width), Vector(from + 3 * width))))
      let to = y + index
      values.first.first.store(to)
      values.first.second.store(to + width)
      values.second.first.store(to + 2 * width)
      values.second.second.store(to + 3 * width)
      index += 4 * width
    }
    while index < count {
      let lanes = min(width, count - index)
      function(Vector.loading(x + index, lanes)).storing(lanes, y + index)
      index += lanes
    }
  }
}
