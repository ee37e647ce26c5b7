internal import CVec

/// One vector register of the module's instruction set, as the pack on which drives and bodies
/// are evaluated.
struct Vector: Lanes {
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

  /// The `count` numbers at `p`, zeros in the other lanes. Reads nothing else.
  @inline(never)
  init(first count: Int, of p: UnsafePointer<Float>) {
    var lanes = Storage.zero
    for lane in 0..<min(count, Vector.width) { lanes[lane] = p[lane] }
    self.lanes = lanes
  }

  /// Writes `count` lanes and nothing else.
  @inline(never)
  func store(first count: Int, to p: UnsafeMutablePointer<Float>) {
    for lane in 0..<min(count, Vector.width) { p[lane] = lanes[lane] }
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
}
