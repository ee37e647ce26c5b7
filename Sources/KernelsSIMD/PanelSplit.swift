// SPDX-License-Identifier: Apache-2.0

/// How the blocks of `Vector.width` units of a layer are distributed over the column panels of a
/// product: over as few panels as the register tile allows, as evenly as possible.
struct PanelSplit {
  let blocks: Int
  let panels: Int
  private let small: Int
  private let wide: Int

  /// - Parameter limit: the number of blocks that fit in one panel
  @inline(__always)
  init(blocks: Int, limit: Int) {
    self.blocks = blocks
    panels = (blocks + limit - 1) / limit
    small = blocks / panels
    wide = blocks % panels
  }

  /// The first block of a panel.
  @inline(__always)
  func start(_ panel: Int) -> Int { panel * small + min(panel, wide) }

  /// The number of blocks in a panel.
  @inline(__always)
  func width(_ panel: Int) -> Int { small + (panel < wide ? 1 : 0) }
}
