// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// Packed weights, rolling gradients and the gate gradients of one block of time.
struct BackwardBuffers {
  let units: Units
  /// The units in blocks of one vector.
  let single: Units
  let inputs: Units
  /// How `da`, `dg` and the weights that they multiply are laid out.
  let order: GateOrder
  /// The column panels of dh = da W_hh and of dx = dg W_ih.
  let hiddenSplit: PanelSplit
  let inputSplit: PanelSplit
  /// The rows that the buffers hold.
  let groupRows: Int
  let slots: Int
  /// The number of steps whose dx are computed together. They are in neighbouring slots.
  let inputSteps: Int

  let recurrentWeights: UnsafeMutablePointer<Float>  // [panel][block][gate][unit][column]
  let inputWeights: UnsafeMutablePointer<Float>  // likewise; empty unless dx is needed
  /// b_ih and, for a single input, W_ih, to recompute g: [block][gate][lane].
  let inputBias: UnsafeMutablePointer<Float>
  let inputColumn: UnsafeMutablePointer<Float>
  let zeros: UnsafeMutablePointer<Float>  // [H padded], and at least a panel
  // The gradients that flow back from step t+1 to step t.
  let dh: UnsafeMutablePointer<Float>  // [block][row][lane], without the part through a
  let dc: UnsafeMutablePointer<Float>  // [block][row][lane]
  let dv: UnsafeMutablePointer<Float>  // [block][row][gate][lane]
  let dq: UnsafeMutablePointer<Float>
  let c: UnsafeMutablePointer<Float>  // c_t, [block][row][lane]
  /// tanh c_t, for one block of units and the rows of one chunk: [row][lane].
  let tanhC: UnsafeMutablePointer<Float>
  let dUnitBias: UnsafeMutablePointer<Float>  // summed over time, [block][row][lane]
  /// The product of one panel.
  let product: UnsafeMutablePointer<Float>  // [row][columns]
  /// The gate gradients of the steps of a block of time: [block][slot][row][gate][unit], in the
  /// order of `order`.
  let da: UnsafeMutablePointer<Float>
  let dg: UnsafeMutablePointer<Float>
  let weightGradients: WeightGradientBuffers

  /// - Parameters:
  ///   - groupRows: the largest number of rows of a group
  ///   - groupStripes: the largest number of stripes of a group
  init(
    _ call: BackwardCall<Float>, stripes: Stripes, groupRows: Int, groupStripes: Int,
    arena: inout Arena
  ) {
    let shape = call.geometry
    units = Units(shape.hidden, gates: shape.body.gates)
    single = Units(shape.hidden, gates: 1)
    inputs = Units(shape.inputs, gates: 1)
    order = GateOrder(units)
    hiddenSplit = PanelSplit(
      blocks: units.blocks, limit: Blocking.hiddenGradientVectors(shape, rows: groupRows))
    inputSplit = PanelSplit(blocks: inputs.blocks, limit: 4)
    self.groupRows = groupRows
    // A step reads the slot of the step after it, so there are at least two.
    slots = max(stripes.longestTimeBlock(shape), 2)
    inputSteps =
      call.dx == nil ? 1 : Blocking.inputSteps(shape, rows: groupRows, most: slots)

    recurrentWeights = arena.take(order.paddedWidth * single.paddedWidth)
    inputWeights = arena.take(call.dx == nil ? 0 : order.paddedWidth * inputs.paddedWidth)
    inputBias = arena.take(units.paddedWidth)
    inputColumn = arena.take(units.paddedWidth)
    zeros = arena.take(max(single.paddedWidth, 4 * Vector.width))
    let state = groupRows * single.paddedWidth
    let gates = groupRows * units.paddedWidth
    dh = arena.take(state)
    dc = arena.take(state)
    dv = arena.take(gates)
    dq = arena.take(gates)
    c = arena.take(state)
    tanhC = arena.take(shape.body.hasCell ? Product.mostChunkRows * Vector.width : 0)
    dUnitBias = arena.take(shape.body.hasUnitBias ? state : 0)
    product = arena.take(inputSteps * groupRows * 4 * Vector.width)
    let gateGradients = slots * groupRows * order.paddedWidth
    da = arena.take(gateGradients)
    // The two are equal if the drive has no state and the body only adds d and a.
    dg = BackwardBuffers.shares(shape) ? da : arena.take(gateGradients)
    weightGradients = WeightGradientBuffers(
      shape, order: order, inputs: inputs, single: single,
      depth: stripes.deepestTimeBlock(shape), stripes: groupStripes, arena: &arena)
  }

  /// Whether dL/dg and dL/da are the same numbers.
  static func shares(_ shape: LayerGeometry) -> Bool {
    shape.drive.kind == .plain && shape.body != .gru
  }

  /// Floats from one time step to the next in `da` and `dg`.
  @inline(__always)
  func slotStride(rows: Int) -> Int { rows * order.blockWidth }

  /// Floats from one block of units to the next in `da` and `dg`.
  @inline(__always)
  func blockStride(rows: Int) -> Int { slots * rows * order.blockWidth }

  /// The offset in `da` and `dg` of a vector of units of the group's first row.
  @inline(__always)
  func gatePlace(vector: Int, slot: Int, rows: Int) -> Int {
    let (block, unit) = GateOrder.place(vector: vector)
    return block * blockStride(rows: rows) + slot * slotStride(rows: rows) + unit
  }

  func pack(_ call: BackwardCall<Float>) {
    Packing.rows(
      call.weights.recurrent, columns: units.count, order: order, split: hiddenSplit,
      into: recurrentWeights)
    if call.dx != nil {
      Packing.rows(
        call.weights.input, columns: inputs.count, order: order, split: inputSplit,
        into: inputWeights)
    }
    Packing.bias(call.weights.inputBias, units: units, into: inputBias)
    if inputs.count == 1 { Packing.bias(call.weights.input, units: units, into: inputColumn) }
    zeros.update(repeating: 0, count: max(single.paddedWidth, 4 * Vector.width))
  }

  /// Loads the gradient of the final state for a group of rows.
  func load(_ call: BackwardCall<Float>, firstRow: Int, rows: Int) {
    let state = call.finalGradient
    let (hStart, gStart) = (firstRow * units.count, firstRow * call.geometry.gateWidth)
    dh.update(repeating: 0, count: rows * single.paddedWidth)
    if order.hasEmptyVectors {
      let (last, count) = ((order.blocks - 1) * blockStride(rows: rows), blockStride(rows: rows))
      for gradients in [da, dg] { (gradients + last).update(repeating: 0, count: count) }
    }
    Packing.toBlocks(state.cell.map { $0 + hStart }, rows: rows, units: single, into: dc)
    Packing.toBlocks(state.velocity.map { $0 + gStart }, rows: rows, units: units, into: dv)
    Packing.toBlocks(state.secondMoment.map { $0 + gStart }, rows: rows, units: units, into: dq)
    if call.geometry.body.hasUnitBias {
      dUnitBias.update(repeating: 0, count: rows * single.paddedWidth)
    }
  }

  /// Writes the gradient of the initial state, except that of h.
  func write(_ call: BackwardCall<Float>, firstRow: Int, rows: Int) {
    let target = call.initialGradient
    let (hStart, gStart) = (firstRow * units.count, firstRow * call.geometry.gateWidth)
    if let cell = target.cell {
      Packing.fromBlocks(dc, rows: rows, units: single, into: cell + hStart)
    }
    if let velocity = target.velocity {
      Packing.fromBlocks(dv, rows: rows, units: units, into: velocity + gStart)
    }
    if let moment = target.secondMoment {
      Packing.fromBlocks(dq, rows: rows, units: units, into: moment + gStart)
    }
  }
}
