extension GatePack<Vector> {
  /// The first `count` packs from `p` on, one vector apart; the rest are zero.
  @inline(__always)
  init(_ p: UnsafePointer<Float>, count: Int) {
    let zero = Vector(repeating: 0)
    self.init(
      count > 0 ? Vector(p) : zero,
      count > 1 ? Vector(p + Vector.width) : zero,
      count > 2 ? Vector(p + 2 * Vector.width) : zero,
      count > 3 ? Vector(p + 3 * Vector.width) : zero)
  }

  @inline(__always)
  init(_ p: UnsafeMutablePointer<Float>, count: Int) { self.init(UnsafePointer(p), count: count) }

  /// Writes the first `count` packs.
  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>, count: Int) {
    if count > 0 { g0.store(p) }
    if count > 1 { g1.store(p + Vector.width) }
    if count > 2 { g2.store(p + 2 * Vector.width) }
    if count > 3 { g3.store(p + 3 * Vector.width) }
  }
}
