// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// A layer with drive D and body B over a whole sequence.
enum Sequence<D: DriveFormula, B: BodyFormula> where D.V == Vector, B.V == Vector {
  /// The layout of `saved`, [T][block][N][vectors]. The vectors of one block of units of one row
  /// are the body's packs, c_{t-1}, and v_t, q_t and g_t per gate if the drive needs them. All that
  /// the backward pass reads for a step is therefore contiguous. After all steps comes c_T,
  /// [block][N][lane].
  struct SavedLayout {
    /// Whether g_t is saved; for a single input it is recomputed.
    let hasInputDrive: Bool
    /// The floats of one row of one block.
    let width: Int

    @inline(__always)
    init(_ shape: LayerGeometry) {
      hasInputDrive = D.needsActivations && shape.inputs != 1
      let drive = D.needsActivations ? (hasInputDrive ? 3 : 2) * B.gates : 0
      width = (B.saved + (B.hasCell ? 1 : 0) + drive) * Vector.width
    }

    /// The place of c_{t-1} in a row, in floats.
    @inline(__always)
    var cell: Int { B.saved * Vector.width }
    @inline(__always)
    var velocity: Int { (B.saved + (B.hasCell ? 1 : 0)) * Vector.width }
    @inline(__always)
    var secondMoment: Int { velocity + B.gates * Vector.width }
    @inline(__always)
    var inputDrive: Int { secondMoment + B.gates * Vector.width }
  }

  static func savedCount(_ shape: LayerGeometry) -> Int {
    if recomputes(shape) { return statesCount(shape) }
    return lastCell(shape)
      + (B.hasCell ? shape.rows * Units(shape.hidden, gates: 1).paddedWidth : 0)
  }

  /// The place of c_T in `saved`.
  @inline(__always)
  static func lastCell(_ shape: LayerGeometry) -> Int {
    shape.steps * shape.rows * Units(shape.hidden, gates: 1).blocks * SavedLayout(shape).width
  }

  /// The number of blocks of units in a column panel of up to four vectors.
  @inline(__always)
  static var panelLimit: Int { max(4 / B.gates, 1) }
}
