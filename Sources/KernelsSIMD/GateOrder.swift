// SPDX-License-Identifier: Apache-2.0

/// The order in which products over the gates sum: blocks of sixteen units, and in each block one
/// gate after the other. It does not depend on the width of a vector, so every processor with fused
/// products computes the same bits.
///
/// Gate gradients are stored in this order: [block][slot][row][gate][unit of the block].
struct GateOrder {
  /// H
  let count: Int
  /// G
  let gates: Int
  let blocks: Int

  /// The units of a block: a whole number of vectors.
  static var width: Int { 16 }

  @inline(__always)
  init(_ units: Units) {
    (count, gates) = (units.count, units.gates)
    blocks = (count + GateOrder.width - 1) / GateOrder.width
  }

  /// Floats of one row of one block.
  @inline(__always)
  var blockWidth: Int { gates * GateOrder.width }

  /// Floats of one row of all blocks.
  @inline(__always)
  var paddedWidth: Int { blocks * blockWidth }

  /// The number of units in a block that are not padding.
  @inline(__always)
  func lanes(_ block: Int) -> Int { min(GateOrder.width, count - block * GateOrder.width) }

  /// Whether the last block has a vector without units.
  @inline(__always)
  var hasEmptyVectors: Bool { GateOrder.width - lanes(blocks - 1) >= Vector.width }

  /// The block of a vector of units, which is counted in vectors, and the number of units before it
  /// in that block.
  @inline(__always)
  static func place(vector: Int) -> (block: Int, unit: Int) {
    let first = vector * Vector.width
    return (first / width, first % width)
  }
}
