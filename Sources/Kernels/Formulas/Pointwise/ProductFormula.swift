/// a b
enum ProductFormula<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 2 }
  static var outputs: Int { 1 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> { Eight(x.n0 * x.n1) }
}

/// y + a b; its adjoint is a copy for y, and that of a b for the others.
enum ProductAddedFormula<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 3 }
  static var outputs: Int { 1 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> { Eight(x.n0.adding(x.n1, times: x.n2)) }
}

/// The adjoint of a b: da = dy b, db = dy a
enum ProductAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 3 }
  static var outputs: Int { 2 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (dy, a, b) = (x.n0, x.n1, x.n2)
    return Eight(dy * b, dy * a)
  }
}
