// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// The packed weights and the current states of one forward call.
struct ForwardBuffers {
  let units: Units
  let split: PanelSplit
  /// The number of rows that go through all time steps together.
  let groupRows: Int
  /// Whether g is computed where it is used, because a matrix product for a single input would be
  /// slower.
  let hasSingleInput: Bool
  /// The number of steps whose products with the input are computed together; see
  /// `Blocking.inputSteps`.
  let inputSteps: Int
  /// Whether writes to `saved` bypass the caches; see `Blocking.streams`.
  let streams: Bool
  /// Whether writes to y bypass the caches; see `Blocking.streamsHidden`.
  let streamsHidden: Bool
  /// The floats from one row of h to the next: padded, and never a power of two.
  let hRow: Int

  let inputWeights: UnsafeMutablePointer<Float>  // [panel][C][block][gate][lane]
  let recurrentWeights: UnsafeMutablePointer<Float>  // [panel][H][block][gate][lane]
  let inputBias: UnsafeMutablePointer<Float>  // [block][gate][lane]
  let recurrentBias: UnsafeMutablePointer<Float>
  let unitBias: UnsafeMutablePointer<Float>  // [block][lane]
  // The states of a group.
  let h: UnsafeMutablePointer<Float>  // [row][hRow]
  let hNext: UnsafeMutablePointer<Float>
  let c: UnsafeMutablePointer<Float>  // [block][row][lane]
  let v: UnsafeMutablePointer<Float>  // [block][row][gate][lane]
  let q: UnsafeMutablePointer<Float>
  /// The product of one panel with the input, [row][block][gate][lane], or of all panels with those
  /// of `inputSteps` steps, [panel][step][row][block][gate][lane].
  let g: UnsafeMutablePointer<Float>
  /// The product of one panel with h.
  let a: UnsafeMutablePointer<Float>  // [row][block][gate][lane]
  /// The body's activations, for one block of units and the rows of one chunk: [pack][row][lane].
  let activated: UnsafeMutablePointer<Float>
  /// What the body's `argument` returns, then the `value` of `update`, for the same rows:
  /// [row][lane].
  let values: UnsafeMutablePointer<Float>

  init(
    _ call: ForwardCall<Float>, panelLimit: Int, savedCount: Int, groupRows: Int? = nil,
    arena: inout Arena
  ) {
    let shape = call.geometry
    streams =
      Blocking.streams(savedCount: savedCount)
      && UInt(bitPattern: call.saved) % UInt(4 * Vector.width) == 0
    streamsHidden =
      Blocking.streamsHidden(shape, savedCount: savedCount)
      && shape.hidden % Vector.width == 0
      && UInt(bitPattern: call.y) % UInt(4 * Vector.width) == 0
    units = Units(shape.hidden, gates: shape.body.gates)
    split = PanelSplit(blocks: units.blocks, limit: panelLimit)
    // A recomputation may start and end at any step.
    let isForward = groupRows == nil
    let groupRows = groupRows ?? Blocking.forwardRows(shape)
    self.groupRows = groupRows
    hasSingleInput = shape.inputs == 1
    inputSteps =
      isForward && groupRows >= shape.rows ? Blocking.inputSteps(shape, rows: groupRows) : 1
    hRow = (units.blocks + 1) * Vector.width
    inputWeights = arena.take(units.paddedWidth * shape.inputs)
    recurrentWeights = arena.take(units.paddedWidth * shape.hidden)
    inputBias = arena.take(units.paddedWidth)
    recurrentBias = arena.take(units.paddedWidth)
    unitBias = arena.take(units.blocks * Vector.width)
    h = arena.take(groupRows * hRow)
    hNext = arena.take(groupRows * hRow)
    c = arena.take(shape.body.hasCell ? groupRows * units.blocks * Vector.width : 0)
    v = arena.take(shape.drive.hasVelocity ? groupRows * units.paddedWidth : 0)
    q = arena.take(shape.drive.hasSecondMoment ? groupRows * units.paddedWidth : 0)
    g = arena.take(
      inputSteps > 1
        ? inputSteps * groupRows * units.paddedWidth : groupRows * 4 * Vector.width)
    a = arena.take(groupRows * 4 * Vector.width)
    activated = arena.take(Product.mostChunkRows * 4 * Vector.width)
    values = arena.take(Product.mostChunkRows * Vector.width)
  }

  func pack(_ weights: RecurrentWeights<Float>, _ shape: LayerGeometry) {
    Packing.columns(
      weights.input, depth: shape.inputs, units: units, split: split, into: inputWeights)
    Packing.columns(
      weights.recurrent, depth: shape.hidden, units: units, split: split, into: recurrentWeights)
    Packing.bias(weights.inputBias, units: units, into: inputBias)
    Packing.bias(weights.recurrentBias, units: units, into: recurrentBias)
    Packing.bias(weights.unitBias, units: Units(units.count, gates: 1), into: unitBias)
  }

  /// Loads the initial state of a group of rows.
  func load(
    _ state: StatePointers<Float>, _ shape: LayerGeometry, firstRow: Int, rows: Int
  ) {
    h.update(repeating: 0, count: rows * hRow)
    hNext.update(repeating: 0, count: rows * hRow)
    if let hidden = state.hidden {
      for row in 0..<rows {
        (h + row * hRow).update(from: hidden + (firstRow + row) * units.count, count: units.count)
      }
    }
    if shape.body.hasCell {
      let cell = state.cell.map { $0 + firstRow * units.count }
      Packing.toBlocks(cell, rows: rows, units: Units(units.count, gates: 1), into: c)
    }
    if shape.drive.hasVelocity {
      let velocity = state.velocity.map { $0 + firstRow * shape.gateWidth }
      Packing.toBlocks(velocity, rows: rows, units: units, into: v)
    }
    if shape.drive.hasSecondMoment {
      let moment = state.secondMoment.map { $0 + firstRow * shape.gateWidth }
      Packing.toBlocks(moment, rows: rows, units: units, into: q)
    }
  }

  /// Writes the final state of a group of rows.
  func write(
    _ state: MutableStatePointers<Float>, _ shape: LayerGeometry,
    h: UnsafeMutablePointer<Float>, firstRow: Int, rows: Int
  ) {
    if let hidden = state.hidden {
      for row in 0..<rows {
        (hidden + (firstRow + row) * units.count).update(from: h + row * hRow, count: units.count)
      }
    }
    if shape.body.hasCell, let cell = state.cell {
      Packing.fromBlocks(
        c, rows: rows, units: Units(units.count, gates: 1), into: cell + firstRow * units.count)
    }
    if shape.drive.hasVelocity, let velocity = state.velocity {
      Packing.fromBlocks(v, rows: rows, units: units, into: velocity + firstRow * shape.gateWidth)
    }
    if shape.drive.hasSecondMoment, let moment = state.secondMoment {
      Packing.fromBlocks(q, rows: rows, units: units, into: moment + firstRow * shape.gateWidth)
    }
  }
}
