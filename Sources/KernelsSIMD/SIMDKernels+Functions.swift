// SPDX-License-Identifier: Apache-2.0

extension SIMDKernels {
  /// y = exp(x), element by element.
  public static func exponential(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    apply(x, y, count) { $0.exponential }
  }

  /// y = tanh(x), element by element.
  public static func hyperbolicTangent(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    apply(x, y, count) { $0.hyperbolicTangent }
  }

  /// y = 1 / (1 + exp(-x)), element by element.
  public static func logistic(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    apply(x, y, count) { $0.logistic }
  }

  @inline(__always)
  private static func apply(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int,
    _ function: (Vector) -> Vector
  ) {
    var index = 0
    while index < count {
      let lanes = min(Vector.width, count - index)
      function(Vector.loading(x + index, lanes)).storing(lanes, y + index)
      index += lanes
    }
  }
}
