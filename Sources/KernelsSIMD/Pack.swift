// SPDX-License-Identifier: Apache-2.0

/// One or several vectors, with the operations that exponentials need.
protocol Pack: Lanes {
  /// -self
  var negated: Self { get }
  /// The smaller of self and `limit`; NaN if self is NaN.
  func atMost(_ limit: Self) -> Self
  /// The larger of self and `limit`; NaN if self is NaN.
  func atLeast(_ limit: Self) -> Self
  /// |self| with the sign of `other`.
  func withSign(of other: Self) -> Self
  /// 2ⁿ, for self = `roundingConstant` + n.
  var powerOfTwo: Self { get }
  /// 1 / self within 5.1 %.
  var reciprocalGuess: Self { get }
}

/// Two packs. Each operation is issued for both before the next operation, so that one computes
/// while the other waits for its own results.
struct Twin<Half: Pack>: Pack {
  var first: Half
  var second: Half

  @inline(__always)
  init(_ first: Half, _ second: Half) {
    self.first = first
    self.second = second
  }

  @inline(__always)
  init(_ constant: Double) { self.init(Half(constant), Half(constant)) }

  @inline(__always)
  static func + (a: Self, b: Self) -> Self { Self(a.first + b.first, a.second + b.second) }
  @inline(__always)
  static func - (a: Self, b: Self) -> Self { Self(a.first - b.first, a.second - b.second) }
  @inline(__always)
  static func * (a: Self, b: Self) -> Self { Self(a.first * b.first, a.second * b.second) }
  @inline(__always)
  static func / (a: Self, b: Self) -> Self { Self(a.first / b.first, a.second / b.second) }

  @inline(__always)
  func adding(_ a: Self, times b: Self) -> Self {
    Self(first.adding(a.first, times: b.first), second.adding(a.second, times: b.second))
  }

  @inline(__always)
  var absolute: Self { Self(first.absolute, second.absolute) }
  @inline(__always)
  var squareRoot: Self { Self(first.squareRoot, second.squareRoot) }

  @inline(__always)
  func ifPositive(_ yes: Self, else no: Self) -> Self {
    Self(
      first.ifPositive(yes.first, else: no.first),
      second.ifPositive(yes.second, else: no.second))
  }

  @inline(__always)
  var negated: Self { Self(first.negated, second.negated) }
  @inline(__always)
  func atMost(_ limit: Self) -> Self {
    Self(first.atMost(limit.first), second.atMost(limit.second))
  }
  @inline(__always)
  func atLeast(_ limit: Self) -> Self {
    Self(first.atLeast(limit.first), second.atLeast(limit.second))
  }
  @inline(__always)
  func withSign(of other: Self) -> Self {
    Self(first.withSign(of: other.first), second.withSign(of: other.second))
  }
  @inline(__always)
  var powerOfTwo: Self { Self(first.powerOfTwo, second.powerOfTwo) }
  @inline(__always)
  var reciprocalGuess: Self { Self(first.reciprocalGuess, second.reciprocalGuess) }
}
