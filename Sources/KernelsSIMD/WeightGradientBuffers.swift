// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// Memory for the weight gradients of a group of stripes.
struct WeightGradientBuffers {
  let inputs: Units
  /// The column panels of dW_hh and dW_ih.
  let hiddenSplit: PanelSplit
  let inputSplit: PanelSplit
  /// Whether W_ih has so few columns that the lanes of its gradient's vectors hold gates; see
  /// `narrow`.
  let isNarrow: Bool
  /// F, the features of `narrow`: the inputs, if there are few, and a constant 1 for the bias.
  let features: Int

  /// h_{t-1} of one stripe over a block of time, [panel][k][column].
  let h: UnsafeMutablePointer<Float>
  /// x_t likewise, unless `isNarrow`.
  let x: UnsafeMutablePointer<Float>
  /// One block of gates of a stripe with few rows: [k][gate][unit].
  let gates: UnsafeMutablePointer<Float>
  /// [k][F]
  let xNarrow: UnsafeMutablePointer<Float>
  /// Summed over time, in `GateOrder`: [stripe][block][F][gate][unit].
  let narrow: UnsafeMutablePointer<Float>
  /// db_hh summed over time: [stripe][block][gate][unit].
  let recurrentBias: UnsafeMutablePointer<Float>
  let spill: UnsafeMutablePointer<Float>

  /// The rows of a tile, which divide the units of a block of gates.
  static var tileRows: Int {
    #if AVX512
      8
    #else
      4
    #endif
  }

  /// The number of rows of a stripe from which on a loop over them in every time step is efficient.
  static var longRows: Int { 16 }

  /// The largest number of vectors in a panel of columns that the rows of a tile are multiplied
  /// with.
  static var panelLimit: Int {
    #if AVX512 || AVX2
      3
    #elseif arch(arm64)
      4
    #else
      2
    #endif
  }

  init(
    _ shape: LayerGeometry, order: GateOrder, inputs: Units, single: Units, depth: Int,
    stripes: Int, arena: inout Arena
  ) {
    self.inputs = inputs
    hiddenSplit = PanelSplit(blocks: single.blocks, limit: WeightGradientBuffers.panelLimit)
    inputSplit = PanelSplit(blocks: inputs.blocks, limit: WeightGradientBuffers.panelLimit)
    isNarrow = Blocking.isNarrow(inputs: shape.inputs)
    features = 1 + (isNarrow ? shape.inputs : 0)
    h = arena.take(depth * single.paddedWidth)
    x = arena.take(isNarrow ? 0 : depth * inputs.paddedWidth)
    gates = arena.take(depth * order.blockWidth)
    xNarrow = arena.take(depth * features)
    narrow = arena.take(stripes * features * order.paddedWidth)
    recurrentBias = arena.take(stripes * order.paddedWidth)
    spill = arena.take(GradientTile.spillCount)
  }
}
