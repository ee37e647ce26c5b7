/// Where the rows of a group lie, at one time step, among what forward leaves for backward:
/// [step][block][row].
struct SavedPlace {
  /// Nil where nothing is left.
  let start: UnsafeMutablePointer<Float>?
  /// Counted from the first step that is kept.
  let step: Int
  /// The rows of a block.
  let rows: Int
  /// The group's first.
  let firstRow: Int
  let blocks: Int

  /// The place of the group's first row, in rows.
  @inline(__always)
  func place(block: Int) -> Int { (step * blocks + block) * rows + firstRow }

  /// The rows from one time step to the next.
  @inline(__always)
  var stride: Int { blocks * rows }
}
