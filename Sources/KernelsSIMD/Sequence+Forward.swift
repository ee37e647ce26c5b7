// SPDX-License-Identifier: Apache-2.0

internal import CVec
import KernelInterface

extension Sequence {
  static func forward(_ call: ForwardCall<Float>) {
    Arena.with({
      ForwardBuffers(
        call, panelLimit: panelLimit,
        savedCount: recomputes(call.geometry) ? 0 : savedCount(call.geometry), arena: &$0)
    }) { buffers in
      let shape = call.geometry
      let clock = PhaseClock()
      buffers.pack(call.weights, shape)
      clock.lap(.packing)
      var first = 0
      while first < shape.rows {
        let rows = min(buffers.groupRows, shape.rows - first)
        forward(call, buffers, firstRow: first, rows: rows)
        first += rows
      }
      if buffers.streams { cvec_stream_fence() }
    }
  }

  /// Runs a group of rows through all time steps.
  private static func forward(
    _ call: ForwardCall<Float>, _ buffers: ForwardBuffers, firstRow: Int, rows: Int
  ) {
    var (h, hNext) = (buffers.h, buffers.hNext)
    buffers.load(call.initial, call.geometry, firstRow: firstRow, rows: rows)
    let keepsStates = recomputes(call.geometry)
    for t in 0..<call.geometry.steps {
      if keepsStates, t > 0, t % call.geometry.recomputeEvery == 0 {
        keepState(call, buffers, before: t, firstRow: firstRow, rows: rows)
      }
      let step = ForwardStep(
        call: call, buffers: buffers, t: t, firstRow: firstRow, rows: rows, h: h, hNext: hNext,
        saved: SavedPlace(
          start: keepsStates ? nil : call.saved, step: t, rows: call.geometry.rows,
          firstRow: firstRow, blocks: buffers.units.blocks))
      run(step)
      swap(&h, &hNext)
    }
    buffers.write(call.final, call.geometry, h: h, firstRow: firstRow, rows: rows)
    if B.hasCell, !keepsStates { saveLastCell(call, buffers, firstRow: firstRow, rows: rows) }
  }

  private static func saveLastCell(
    _ call: ForwardCall<Float>, _ buffers: ForwardBuffers, firstRow: Int, rows: Int
  ) {
    guard let saved = call.saved else { return }
    let last = saved + lastCell(call.geometry)
    let count = rows * Vector.width
    for block in 0..<buffers.units.blocks {
      (last + (block * call.geometry.rows + firstRow) * Vector.width)
        .update(from: buffers.c + block * count, count: count)
    }
  }

  /// One time step. It computes both products for each panel of columns. As soon as a few rows of a
  /// panel are complete, the pointwise part follows for these rows.
  @inline(__always)
  static func run(_ step: ForwardStep) {
    let drive = D(step.call.geometry.drive, step: step.t)
    let split = step.buffers.split
    let clock = PhaseClock()
    step.runInputsTogether(gates: B.gates)
    clock.lap(.inputProduct)
    let needsInput = !step.buffers.hasSingleInput && step.buffers.inputSteps == 1
    for panel in 0..<split.panels {
      let input = needsInput ? step.input(panel: panel, gates: B.gates) : nil
      let recurrent = step.recurrent(panel: panel, gates: B.gates)
      if let input {
        input.addLeadingBlocks(out: step.buffers.g)
        clock.lap(.inputProduct)
      }
      recurrent.addLeadingBlocks(out: step.buffers.a)
      clock.lap(.recurrentProduct)
      var row = 0
      while row < step.rows {
        let end = min(row + recurrent.chunkRows, step.rows)
        if let input {
          input.addLastBlock(rows: row, end, out: step.buffers.g)
          clock.lap(.inputProduct)
        }
        recurrent.addLastBlock(rows: row, end, out: step.buffers.a)
        clock.lap(.recurrentProduct)
        for index in 0..<split.width(panel) {
          activate(step, drive, panel: panel, index: index, rows: row, end)
          update(step, panel: panel, index: index, rows: row, end)
        }
        clock.lap(.pointwiseForward)
        row = end
      }
    }
  }

  /// The drive of one block of units, the `index`-th of a panel, and the first half of the body, in
  /// rows `firstRow ..< end` of the group.
  ///
  /// This function and `update` are long, because values that are read before the loop must stay in
  /// registers during it. If they were split, each part would need a dozen of them as arguments.
  @inline(__always)
  private static func activate(
    _ step: ForwardStep, _ drive: D, panel: Int, index: Int, rows firstRow: Int, _ end: Int
  ) {
    let (call, buffers) = (step.call, step.buffers)
    let shape = call.geometry
    let blockWidth = B.gates * Vector.width
    let (hasVelocity, hasSecondMoment) = (shape.drive.hasVelocity, shape.drive.hasSecondMoment)
    let block = buffers.split.start(panel) + index
    // The products of the panel, [row][block][gate][lane].
    let stride = buffers.split.width(panel) * blockWidth
    let gStart = step.g(panel: panel, gates: B.gates) + index * blockWidth
    let aStart = buffers.a + index * blockWidth
    // With a single input, g is computed here.
    let xStart = call.x + step.t * shape.rows + step.firstRow
    let bias = buffers.inputBias + block * blockWidth
    let weights = buffers.inputWeights + block * blockWidth
    var activated = buffers.activated

    var row = firstRow
    while row < end {
      let pack = PackRows(left: end - row)
      let place = block * step.rows + row
      let g =
        buffers.hasSingleInput
        ? GatePack<RowPack>(bias: bias, weights: weights, x: xStart + row, pack, count: B.gates)
        : GatePack<RowPack>(gStart + row * stride, count: B.gates, pack, stride: stride)
      let a = GatePack<RowPack>(aStart + row * stride, count: B.gates, pack, stride: stride)
      let (vPlace, qPlace) = (buffers.v + place * blockWidth, buffers.q + place * blockWidth)
      var v = GatePack<RowPack>(
        vPlace, count: hasVelocity ? B.gates : 0, pack, stride: blockWidth)
      var q = GatePack<RowPack>(
        qPlace, count: hasSecondMoment ? B.gates : 0, pack, stride: blockWidth)
      let seen = run(drive, g, a, v: &v, q: &q)
      if hasVelocity { v.store(vPlace, count: B.gates, pack, stride: blockWidth) }
      if hasSecondMoment { q.store(qPlace, count: B.gates, pack, stride: blockWidth) }
      B.activate(d: seen.d, a: seen.a).store(
        activated, count: B.activations, pack, stride: activatedWidth)
      activated += RowPack.rows * activatedWidth
      row += RowPack.rows
    }
  }

  /// The floats of one row of `ForwardBuffers.activated`.
  @inline(__always)
  private static var activatedWidth: Int { B.activations * Vector.width }

  /// The second half of the body for the block and the rows that `activate` has computed. It also
  /// writes everything that is saved.
  @inline(__always)
  private static func update(
    _ step: ForwardStep, panel: Int, index: Int, rows firstRow: Int, _ end: Int
  ) {
    let (buffers, width) = (step.buffers, Vector.width)
    let shape = step.call.geometry
    let block = buffers.split.start(panel) + index
    let lanes = buffers.units.lanes(block)
    let unitBias = RowPack(everyRow: Vector(buffers.unitBias + block * width))
    let layout = SavedLayout(shape)
    let saved = step.saved.start.map { $0 + step.saved.place(block: block) * layout.width }
    let y = step.call.y.map {
      $0 + (step.t * shape.rows + step.firstRow) * shape.hidden + block * width
    }
    var activated = buffers.activated

    var row = firstRow
    while row < end {
      let pack = PackRows(left: end - row)
      let hPlace = row * buffers.hRow + block * width
      let hBefore = RowPack(step.h + hPlace, pack, stride: buffers.hRow)
      let cPlace = buffers.c + (block * step.rows + row) * width
      let cBefore = B.hasCell ? RowPack(cPlace, pack, stride: width) : RowPack(0)
      var c = cBefore
      var gates = GatePack<RowPack>(first: RowPack(0))
      let h = B.update(
        GatePack<RowPack>(activated, count: B.activations, pack, stride: activatedWidth),
        h: hBefore, c: &c, unitBias: unitBias, saved: &gates)
      if B.hasCell { c.store(cPlace, pack, stride: width) }
      h.store(step.hNext + hPlace, pack, stride: buffers.hRow)

      if let y {
        h.store(first: lanes, to: y + row * shape.hidden, pack, stride: shape.hidden)
      }
      if let saved {
        let to = saved + row * layout.width
        gates.store(to, count: B.saved, pack, stride: layout.width, streaming: buffers.streams)
        if B.hasCell {
          cBefore.store(
            to + layout.cell, pack, stride: layout.width, streaming: buffers.streams)
        }
        if D.needsActivations { saveDrive(step, layout, pack, panel, index, row: row, to) }
      }
      activated += RowPack.rows * activatedWidth
      row += RowPack.rows
    }
  }

  /// Saves what the drive's `backward` needs. It follows directly on what the body saves, because
  /// stores that bypass the caches must fill whole lines.
  @inline(__always)
  private static func saveDrive(
    _ step: ForwardStep, _ layout: SavedLayout, _ pack: PackRows, _ panel: Int, _ index: Int,
    row: Int, _ to: UnsafeMutablePointer<Float>
  ) {
    let (buffers, blockWidth) = (step.buffers, B.gates * Vector.width)
    let place = (buffers.split.start(panel) + index) * step.rows + row
    let drive = step.call.geometry.drive
    func save(_ from: UnsafeMutablePointer<Float>, stride: Int, isUsed: Bool, at offset: Int) {
      GatePack<RowPack>(from, count: isUsed ? B.gates : 0, pack, stride: stride).store(
        to + offset, count: B.gates, pack, stride: layout.width, streaming: buffers.streams)
    }
    save(
      buffers.v + place * blockWidth, stride: blockWidth, isUsed: drive.hasVelocity,
      at: layout.velocity)
    save(
      buffers.q + place * blockWidth, stride: blockWidth, isUsed: drive.hasSecondMoment,
      at: layout.secondMoment)
    if layout.hasInputDrive {
      let stride = buffers.split.width(panel) * blockWidth
      save(
        step.g(panel: panel, gates: B.gates) + index * blockWidth + row * stride, stride: stride,
        isUsed: true, at: layout.inputDrive)
    }
  }

  /// The drive for every gate that is used.
  @inline(__always)
  private static func run(
    _ drive: D, _ g: GatePack<RowPack>, _ a: GatePack<RowPack>, v: inout GatePack<RowPack>,
    q: inout GatePack<RowPack>
  ) -> (d: GatePack<RowPack>, a: GatePack<RowPack>) {
    var (d, seen) = (g, a)
    (d.g0, seen.g0) = drive.forward(g.g0, a.g0, v: &v.g0, q: &q.g0)
    if B.gates > 1 { (d.g1, seen.g1) = drive.forward(g.g1, a.g1, v: &v.g1, q: &q.g1) }
    if B.gates > 2 { (d.g2, seen.g2) = drive.forward(g.g2, a.g2, v: &v.g2, q: &q.g2) }
    if B.gates > 3 { (d.g3, seen.g3) = drive.forward(g.g3, a.g3, v: &v.g3, q: &q.g3) }
    return (d, seen)
  }
}
