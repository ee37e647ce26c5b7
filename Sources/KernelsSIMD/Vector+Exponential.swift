internal import CVec

// Polynomials are minimax fits of our own (Lawson's iteration), rounded to Float. Rounding to an
// integer is the addition of 1.5·2²³, which leaves the integer in the low bits of the sum.

extension Vector {
  @inline(__always)
  static var roundingConstant: Vector { Vector(12_582_912) }

  /// exp(x): at most 1.1 units in the last place for -87.3 ≤ x ≤ 88.3, 0 below, infinite above.
  ///
  ///     n = round(x / ln 2),  r = x - n ln 2,  exp(x) = 2ⁿ (1 + r + r² q(r))
  @inline(__always)
  var exponential: Vector {
    Vector(cvec_max(Vector(-88).lanes, cvec_min(Vector(89).lanes, lanes))).exponentialInRange
  }

  /// exp(x) for -88 ≤ x ≤ 89, or NaN.
  @inline(__always)
  var exponentialInRange: Vector {
    let rounded = Vector.roundingConstant.adding(self, times: Vector(1.442_695_041))
    let n = rounded - Vector.roundingConstant
    // ln 2 in two parts, the first with so few bits that n times it is exact.
    let r = adding(n, times: Vector(-0.693_359_375)).adding(n, times: Vector(2.121_944_4e-4))
    let q = Vector(0.008_368_843).adding(r, times: Vector(0.001_381_444))
    let q1 = Vector(0.041_668_4).adding(r, times: q)
    let q2 = Vector(0.166_665_2).adding(r, times: q1)
    let q3 = Vector(0.499_999_94).adding(r, times: q2)
    let p = Vector(1) + r.adding(r * r, times: q3)
    return p * Vector(cvec_power_of_two(rounded.lanes))
  }

  /// σ(x) = 1 / (1 + exp(-x)): at most 2.5 units in the last place for |x| ≤ 87, constant beyond
  /// (at 1.6e-38 and 1).
  @inline(__always)
  var logistic: Vector {
    let bounded = Vector(cvec_max(Vector(-87).lanes, cvec_min(Vector(87).lanes, lanes)))
    return (Vector(1) + (Vector(0) - bounded).exponentialInRange).reciprocal
  }

  /// tanh(x): at most 3 units in the last place everywhere, odd, 1 from 9.2 on.
  ///
  ///     e = exp(2|x|) - 1 = 2ⁿ p + (2ⁿ - 1),  p = exp(2r) - 1,  tanh |x| = e / (e + 2)
  ///
  /// With n = 0 for small x no digit is lost near 0.
  @inline(__always)
  var hyperbolicTangent: Vector {
    let x = Vector(cvec_min(Vector(9.2).lanes, absolute.lanes))
    let rounded = Vector.roundingConstant.adding(x, times: Vector(2.885_390_082))
    let n = rounded - Vector.roundingConstant
    let r = x.adding(n, times: Vector(-0.346_679_687_5)).adding(n, times: Vector(1.060_972_2e-4))
    let q = Vector(0.267_732_65).adding(r, times: Vector(0.088_847_25))
    let q1 = Vector(0.666_675_27).adding(r, times: q)
    let q2 = Vector(1.333_323_4).adding(r, times: q1)
    let q3 = Vector(1.999_999_9).adding(r, times: q2)
    let p = (r + r).adding(r * r, times: q3)
    let power = Vector(cvec_power_of_two(rounded.lanes))
    let e = (power - Vector(1)).adding(p, times: power)
    let result = e * (e + Vector(2)).reciprocal
    return Vector(cvec_copysign(result.lanes, lanes))
  }

  /// 1/x for a normal x up to 8e37.
  ///
  /// Wide dividers are slow enough to bound the whole pointwise part. With fused products two
  /// iterations of third order on a guess made of bits are as exact as a division, and unlike the
  /// reciprocal instructions they give the same bits on every make of processor.
  @inline(__always)
  var reciprocal: Vector {
    #if AVX512
      var y = Vector(cvec_reciprocal_guess(lanes))
      let minus = Vector(0) - self
      let e = Vector(1).adding(minus, times: y)
      y = y.adding(y, times: e.adding(e, times: e))
      let f = Vector(1).adding(minus, times: y)
      return y.adding(y, times: f.adding(f, times: f))
    #else
      return Vector(1) / self
    #endif
  }
}
