// SPDX-License-Identifier: Apache-2.0

// The polynomials are our own minimax fits (Lawson's iteration), rounded to Float. Adding 1.5·2²³
// rounds to an integer and leaves it in the low bits of the sum.

extension Pack {
  @inline(__always)
  static var roundingConstant: Self { Self(12_582_912) }

  /// exp(x), with an error of at most 1.1 units in the last place for -87.3 ≤ x ≤ 88.3; 0 below and
  /// infinite above that range.
  @inline(__always)
  var exponential: Self { atMost(Self(89)).atLeast(Self(-88)).negated.exponentialOfNegative }

  /// exp(-x) for -89 ≤ x ≤ 88, or NaN for NaN.
  ///
  ///     n = round(-x / ln 2),  r = x + n ln 2,  exp(-x) = 2ⁿ (1 - r + r² q(-r))
  @inline(__always)
  var exponentialOfNegative: Self {
    let rounded = Self.roundingConstant.adding(self, times: Self(-1.442_695_041))
    let n = rounded - Self.roundingConstant
    // ln 2 in two parts; the first has so few bits that n times it is exact.
    let r = adding(n, times: Self(0.693_359_375)).adding(n, times: Self(-2.121_944_4e-4))
    let q = Self(-0.008_368_843).adding(r, times: Self(0.001_381_444))
    let q1 = Self(0.041_668_4).adding(r, times: q)
    let q2 = Self(-0.166_665_2).adding(r, times: q1)
    let q3 = Self(0.499_999_94).adding(r, times: q2)
    let p = Self(1) + r.negated.adding(r * r, times: q3)
    return p * rounded.powerOfTwo
  }

  /// σ(x) = 1 / (1 + exp(-x)), with an error of at most 2.5 units in the last place for |x| ≤ 87;
  /// constant beyond (1.6e-38 and 1).
  @inline(__always)
  var logistic: Self {
    let bounded = atMost(Self(87)).atLeast(Self(-87))
    return (Self(1) + bounded.exponentialOfNegative).reciprocal
  }

  /// tanh(x), with an error of at most 3 units in the last place everywhere. It is odd, and 1 from
  /// 9.2 on.
  ///
  ///     e = exp(2|x|) - 1 = 2ⁿ p + (2ⁿ - 1),  p = exp(2r) - 1,  tanh |x| = e / (e + 2)
  ///
  /// For small x, n = 0, so there is no cancellation near 0.
  @inline(__always)
  var hyperbolicTangent: Self {
    let x = absolute.atMost(Self(9.2))
    let rounded = Self.roundingConstant.adding(x, times: Self(2.885_390_082))
    let n = rounded - Self.roundingConstant
    let r = x.adding(n, times: Self(-0.346_679_687_5)).adding(n, times: Self(1.060_972_2e-4))
    let q = Self(0.267_732_65).adding(r, times: Self(0.088_847_25))
    let q1 = Self(0.666_675_27).adding(r, times: q)
    let q2 = Self(1.333_323_4).adding(r, times: q1)
    let q3 = Self(1.999_999_9).adding(r, times: q2)
    let p = (r + r).adding(r * r, times: q3)
    let power = rounded.powerOfTwo
    let e = (power - Self(1)).adding(p, times: power)
    return (e * (e + Self(2)).reciprocal).withSign(of: self)
  }

  /// 1/x for a normal x up to 8e37.
  ///
  /// Wide dividers are slow enough to limit the whole pointwise part. With fused products, two
  /// third-order iterations from a bitwise guess are as exact as a division. Unlike the reciprocal
  /// instructions, they give the same bits on every processor with fused products.
  @inline(__always)
  var reciprocal: Self {
    #if AVX512 || AVX2 || arch(arm64)
      var y = reciprocalGuess
      let e = Self(1).adding(negated, times: y)
      y = y.adding(y, times: e.adding(e, times: e))
      let f = Self(1).adding(negated, times: y)
      return y.adding(y, times: f.adding(f, times: f))
    #else
      return Self(1) / self
    #endif
  }
}
