// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernels

/// A measured error, with its limit.
public protocol AccuracyResult: Codable, Sendable, CustomStringConvertible {
  /// Whether the error is within its limit.
  var passes: Bool { get }
}

/// The measured errors of one function of one variant against Double.
///
/// Denormal numbers are zero, as operands and as results, like in training.
public struct FunctionAccuracy: AccuracyResult {
  /// The function: "tanh".
  public let function: String
  /// The kernels that computed it: "avx2".
  public let kernels: String
  /// The number of arguments: every k-th finite Float.
  public let arguments: Int
  /// The worst |y - f(x)| from the beginning of the function's `range` on, in units in the last
  /// place of f(x). Above the range y may be infinite.
  public let worstUlps: Double
  /// The x of the worst error.
  public let worstAt: Float
  /// The worst |y - f(x)| below the range, and for denormal f(x).
  public let worstNearZero: Double
  /// The largest `worstUlps` that passes.
  public let limitUlps: Double

  /// The largest `worstNearZero` that passes.
  public static let limitNearZero = 1e-37
  public var passes: Bool { worstUlps <= limitUlps && worstNearZero <= Self.limitNearZero }

  public var description: String {
    let title = "\(function) \(kernels)".padding(toLength: 28, withPad: " ", startingAt: 0)
    return title
      + String(
        format: "at most %6.3f units in the last place, at %@ (limit %.1f); "
          + "near 0 %.1e; %d numbers  %@",
        worstUlps, "\(worstAt)", limitUlps, worstNearZero, arguments,
        passes ? "ok" : "BEYOND THE LIMIT")
  }

  /// Measures each function of each variant that this processor runs.
  public static func measureAll(
    every k: Int, _ add: (FunctionAccuracy) throws -> Void
  ) rethrows {
    NumericEnvironment.enter()
    for function in ElementaryFunction.allCases {
      for variant in KernelBackend.supported {
        try add(
          measure(
            function, kernels: variant.name, every: k
          ) { function.values(at: $0, on: variant) })
      }
    }
  }

  /// Compares `values` with the function in Double on every k-th finite Float, in the order of
  /// their bits.
  public static func measure(
    _ function: ElementaryFunction, kernels: String, every k: Int,
    _ values: ([Float]) -> [Float]
  ) -> FunctionAccuracy {
    var (worst, worstAt, below, count) = (0.0, Float(0), 0.0, 0)
    var next = 0
    while next <= Int(UInt32.max) {
      var x: [Float] = []
      while next <= Int(UInt32.max), x.count < 1 << 14 {
        let number = Float(bitPattern: UInt32(next))
        if number.isFinite { x.append(number) }
        next += k
      }
      count += x.count
      for (x, y) in zip(x, values(x)) {
        let exact = function.exact(Double(x))
        let isNearZero = exact.magnitude < Double(Float.leastNormalMagnitude)
        if isNearZero || x < function.range.lowerBound {
          // A NaN counts as the worst.
          let error = abs(Double(y) - exact)
          if !(error <= below) { below = error.isNaN ? .infinity : error }
          continue
        }
        let isBeyond = x > function.range.upperBound && y == .infinity
        let error = isBeyond ? 0 : ulps(y, exact)
        if !(error <= worst) { (worst, worstAt) = (error.isNaN ? .infinity : error, x) }
      }
    }
    return FunctionAccuracy(
      function: function.rawValue, kernels: kernels, arguments: count, worstUlps: worst,
      worstAt: worstAt, worstNearZero: below,
      limitUlps: function == .exponential ? 1.5 : 3)
  }

  /// |y - exact| in units in the last place; 0 if both are beyond all Floats.
  private static func ulps(_ y: Float, _ exact: Double) -> Double {
    let rounded = Float(exact)
    guard rounded.isFinite else { return y == rounded ? 0 : .infinity }
    // Not the unit of the Float itself, which may be denormal.
    let unit = Double(sign: .plus, exponent: Int(Double(rounded).exponent) - 23, significand: 1)
    return abs(Double(y) - exact) / unit
  }
}
