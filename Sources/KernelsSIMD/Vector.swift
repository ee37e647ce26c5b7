// SPDX-License-Identifier: Apache-2.0

internal import CVec

/// One vector register of the module's instruction set.
struct Vector: Pack {
  #if AVX512
    typealias Storage = SIMD16<Float>
    static var width: Int { 16 }
  #elseif AVX2
    typealias Storage = SIMD8<Float>
    static var width: Int { 8 }
  #else
    typealias Storage = SIMD4<Float>
    static var width: Int { 4 }
  #endif

  var lanes: Storage

  @inline(__always)
  init(_ lanes: Storage) { self.lanes = lanes }

  /// `value` in every lane.
  @inline(__always)
  init(repeating value: Float) { lanes = Storage(repeating: value) }

  @inline(__always)
  init(_ constant: Double) { lanes = Storage(repeating: Float(constant)) }

  // MARK: Memory

  @inline(__always)
  init(_ p: UnsafePointer<Float>) {
    lanes = UnsafeRawPointer(p).loadUnaligned(as: Storage.self)
  }

  @inline(__always)
  init(_ p: UnsafeMutablePointer<Float>) { self.init(UnsafePointer(p)) }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(p).storeBytes(of: lanes, as: Storage.self)
  }

  /// Stores, bypassing the caches; `p` must be aligned to the size of a vector.
  @inline(__always)
  func stream(_ p: UnsafeMutablePointer<Float>) { cvec_stream(p, lanes) }

  /// Stores, bypassing the caches if `streaming`.
  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>, streaming: Bool) {
    if streaming { stream(p) } else { store(p) }
  }

  /// Loads the first `count` numbers at `p`, with zeros in the other lanes. Reads nothing else.
  @inline(__always)
  static func loading(_ p: UnsafePointer<Float>, _ count: Int) -> Vector {
    count >= Vector.width ? Vector(p) : Vector(first: count, of: p)
  }

  /// Writes the first `count` lanes and nothing else.
  @inline(__always)
  func storing(_ count: Int, _ p: UnsafeMutablePointer<Float>) {
    if count >= Vector.width { store(p) } else { store(first: count, to: p) }
  }

  @inline(__always)
  private init(first count: Int, of p: UnsafePointer<Float>) {
    lanes = cvec_load_first(p, count)
  }

  @inline(__always)
  private func store(first count: Int, to p: UnsafeMutablePointer<Float>) {
    cvec_store_first(p, lanes, count)
  }

  // MARK: Arithmetic

  @inline(__always)
  static func + (a: Vector, b: Vector) -> Vector { Vector(a.lanes + b.lanes) }
  @inline(__always)
  static func - (a: Vector, b: Vector) -> Vector { Vector(a.lanes - b.lanes) }
  @inline(__always)
  static func * (a: Vector, b: Vector) -> Vector { Vector(a.lanes * b.lanes) }
  @inline(__always)
  static func / (a: Vector, b: Vector) -> Vector { Vector(a.lanes / b.lanes) }

  @inline(__always)
  func adding(_ a: Vector, times b: Vector) -> Vector {
    Vector(cvec_multiply_add(lanes, a.lanes, b.lanes))
  }

  @inline(__always)
  var absolute: Vector { Vector(cvec_abs(lanes)) }
  @inline(__always)
  var squareRoot: Vector { Vector(cvec_sqrt(lanes)) }

  @inline(__always)
  func ifPositive(_ yes: Vector, else no: Vector) -> Vector {
    Vector(cvec_if_positive(lanes, yes.lanes, no.lanes))
  }

  @inline(__always)
  var negated: Vector { Vector(cvec_negate(lanes)) }
  @inline(__always)
  func atMost(_ limit: Vector) -> Vector { Vector(cvec_min(limit.lanes, lanes)) }
  @inline(__always)
  func atLeast(_ limit: Vector) -> Vector { Vector(cvec_max(limit.lanes, lanes)) }
  @inline(__always)
  func withSign(of other: Vector) -> Vector { Vector(cvec_copysign(lanes, other.lanes)) }
  @inline(__always)
  var powerOfTwo: Vector { Vector(cvec_power_of_two(lanes)) }
  @inline(__always)
  var reciprocalGuess: Vector { Vector(cvec_reciprocal_guess(lanes)) }
}
