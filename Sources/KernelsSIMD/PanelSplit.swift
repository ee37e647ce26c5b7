// SPDX-License-Identifier: Apache-2.0

/// How the unit blocks of a layer (a block is `Vector.width` units) are distributed over the column
/// panels of a product: as few panels as the register tile allows, as even as possible.
struct PanelSplit {
  let blocks: Int
  let panels: Int
  private let small: Int
  private let wide: Int

  /// - Parameter limit: blocks that fit one panel
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
