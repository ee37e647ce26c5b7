// SPDX-License-Identifier: Apache-2.0

/// Equations that are evaluated for each unit of a layer separately.
///
/// To add one: a file in the folder `Pointwise`, a case of `PointwiseKind`, and a line in
/// `PointwiseDispatch.swift`.
protocol PointwiseFormula {
  associatedtype V: Lanes

  /// The number of inputs per unit.
  static var inputs: Int { get }
  /// The number of outputs per unit.
  static var outputs: Int { get }

  static func apply(_ x: Eight<V>) -> Eight<V>
}

/// The operation on each unit of a call: a formula with its constants.
///
/// It is a type, not a closure, so that the equations are inlined in the loop of each call.
protocol UnitFormula {
  associatedtype V: Lanes

  static var inputs: Int { get }
  static var outputs: Int { get }

  func apply(_ x: Eight<V>) -> Eight<V>
}

/// A formula without constants.
struct PlainFormula<F: PointwiseFormula>: UnitFormula {
  static var inputs: Int { F.inputs }
  static var outputs: Int { F.outputs }

  @inline(__always)
  init() {}

  @inline(__always)
  func apply(_ x: Eight<F.V>) -> Eight<F.V> { F.apply(x) }
}

/// Up to eight values of one unit.
struct Eight<Element> {
  var n0: Element
  var n1: Element
  var n2: Element
  var n3: Element
  var n4: Element
  var n5: Element
  var n6: Element
  var n7: Element

  /// Fills the first `count` values with those of `element`, and the others with `rest`.
  @inline(__always)
  init(first count: Int, rest: Element, _ element: (Int) -> Element) {
    n0 = count > 0 ? element(0) : rest
    n1 = count > 1 ? element(1) : rest
    n2 = count > 2 ? element(2) : rest
    n3 = count > 3 ? element(3) : rest
    n4 = count > 4 ? element(4) : rest
    n5 = count > 5 ? element(5) : rest
    n6 = count > 6 ? element(6) : rest
    n7 = count > 7 ? element(7) : rest
  }

  /// Calls `body` with the first `count` values, each with its companion.
  @inline(__always)
  func forEach<Other>(
    first count: Int, with other: Eight<Other>, _ body: (Element, Other) -> Void
  ) {
    if count > 0 { body(n0, other.n0) }
    if count > 1 { body(n1, other.n1) }
    if count > 2 { body(n2, other.n2) }
    if count > 3 { body(n3, other.n3) }
    if count > 4 { body(n4, other.n4) }
    if count > 5 { body(n5, other.n5) }
    if count > 6 { body(n6, other.n6) }
    if count > 7 { body(n7, other.n7) }
  }

  @inline(__always)
  func map<Other>(first count: Int, rest: Other, _ body: (Element) -> Other) -> Eight<Other> {
    Eight<Other>(first: count, rest: rest) { index in
      switch index {
      case 0: body(n0)
      case 1: body(n1)
      case 2: body(n2)
      case 3: body(n3)
      case 4: body(n4)
      case 5: body(n5)
      case 6: body(n6)
      default: body(n7)
      }
    }
  }
}

extension Eight where Element: Lanes {
  /// Fills the first values with those given, and the others with zero.
  @inline(__always)
  init(
    _ n0: Element, _ n1: Element = Element(0), _ n2: Element = Element(0),
    _ n3: Element = Element(0), _ n4: Element = Element(0), _ n5: Element = Element(0),
    _ n6: Element = Element(0)
  ) {
    self.n0 = n0
    self.n1 = n1
    self.n2 = n2
    self.n3 = n3
    self.n4 = n4
    self.n5 = n5
    self.n6 = n6
    n7 = Element(0)
  }
}
