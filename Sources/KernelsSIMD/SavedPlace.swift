// SPDX-License-Identifier: Apache-2.0

/// The place of a group's rows at one time step in the saved activations: [step][block][row].
struct SavedPlace {
  /// The start of the saved activations; nil if nothing is saved.
  let start: UnsafeMutablePointer<Float>?
  /// The number of the time step, counted from the first saved step.
  let step: Int
  /// The rows of a block.
  let rows: Int
  /// The first row of the group.
  let firstRow: Int
  let blocks: Int

  /// The place of the group's first row, in rows.
  @inline(__always)
  func place(block: Int) -> Int { (step * blocks + block) * rows + firstRow }

  /// The rows from one time step to the next.
  @inline(__always)
  var stride: Int { blocks * rows }
}
