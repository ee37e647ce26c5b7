/// The order in which products over the gates sum: blocks of sixteen units, and in each block one
/// gate after the other. It is the same whatever the width of a vector, so that every processor
/// with fused products computes the same bits.
///
/// Gate gradients lie in this order: [block][slot][row][gate][unit of the block].
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

  /// How many units of a block are real.
  @inline(__always)
  func lanes(_ block: Int) -> Int { min(GateOrder.width, count - block * GateOrder.width) }

  /// Whether the last block has room for a vector that no unit fills.
  @inline(__always)
  var hasEmptyVectors: Bool { GateOrder.width - lanes(blocks - 1) >= Vector.width }

  /// Which block holds a vector of units, counted in vectors, and how many units come before it
  /// there.
  @inline(__always)
  static func place(vector: Int) -> (block: Int, unit: Int) {
    let first = vector * Vector.width
    return (first / width, first % width)
  }
}
