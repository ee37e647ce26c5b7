import KernelInterface

/// A layer with drive D and body B over a whole sequence.
enum Sequence<D: DriveFormula, B: BodyFormula> where D.V == RowPack, B.V == RowPack {
  /// What one unit block of one row leaves in `saved`, in vectors: the body's packs, c_t, and
  /// g_t, v_t, q_t per gate where the drive asks for them.
  @inline(__always)
  static var savedVectors: Int { driveOffset + (D.needsActivations ? 3 * B.gates : 0) }

  /// The place of c_t among them.
  @inline(__always)
  static var cellOffset: Int { B.saved }

  /// The place of g_t among them.
  @inline(__always)
  static var driveOffset: Int { B.saved + (B.hasCell ? 1 : 0) }

  /// The floats of one row of one block in `saved`, which is laid out [T][block][N][vectors].
  @inline(__always)
  static var savedWidth: Int { savedVectors * Vector.width }

  static func savedCount(_ shape: LayerGeometry) -> Int {
    let units = Units(shape.hidden, gates: B.gates)
    return shape.steps * shape.rows * units.blocks * savedWidth
  }

  /// The blocks of units that share a column panel of up to four vectors.
  @inline(__always)
  static var panelLimit: Int { max(4 / B.gates, 1) }
}
