// SPDX-License-Identifier: Apache-2.0

/// The order of the sums of products over the gates: blocks of sixteen units, and in each block one
/// gate after the other. It does not depend on the vector width, so every processor with fused
/// multiply-add computes the same bits.
///
/// Gate gradients are stored in this order: [block][slot][row][gate][unit of the block].
struct GateOrder {
  /// H, the hidden units.
  let count: Int
  /// G, the gates of a unit.
  let gates: Int
  let blocks: Int

  /// The units of a block: a whole number of vectors.
  static var width: Int { 16 }

  @inline(__always)
  init(_ units: Units) {
    (count, gates) = (units.count, units.gates)
    blocks = (count + GateOrder.width - 1) / GateOrder.width
  }

  /// The floats of one row of one block.
  @inline(__always)
  var blockWidth: Int { gates * GateOrder.width }

  /// The floats of one row of all blocks.
  @inline(__always)
  var paddedWidth: Int { blocks * blockWidth }

  /// The number of units in a block that are not padding.
  @inline(__always)
  func lanes(_ block: Int) -> Int { min(GateOrder.width, count - block * GateOrder.width) }

  /// Whether the last block has a vector that is only padding.
  @inline(__always)
  var hasEmptyVectors: Bool { GateOrder.width - lanes(blocks - 1) >= Vector.width }

  /// The block that contains the vector of units with this index, and the number of units before
  /// that vector in the block.
  @inline(__always)
  static func place(vector: Int) -> (block: Int, unit: Int) {
    let first = vector * Vector.width
    return (first / width, first % width)
  }
}
