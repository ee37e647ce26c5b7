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
      if buffers.streams || buffers.streamsHidden { cvec_stream_fence() }
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
          preactivate(step, drive, panel: panel, index: index, rows: row, end)
          activate(step.buffers, rows: end - row)
          update(step, panel: panel, index: index, rows: row, end)
        }
        clock.lap(.pointwiseForward)
        row = end
      }
    }
    step.copyHidden()
    clock.lap(.pointwiseForward)
  }

  /// The drive of one block of units, the `index`-th of a panel, and what the activation functions
  /// are applied to, in rows `firstRow ..< end` of the group.
  ///
  /// This function and `update` are long, because values that are read before the loop must stay in
  /// registers during it. If they were split, each part would need a dozen of them as arguments.
  @inline(__always)
  private static func preactivate(
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
    let x = call.x + step.t * shape.rows + step.firstRow
    let bias = buffers.inputBias + block * blockWidth
    let weights = buffers.inputWeights + block * blockWidth
    let apart = (end - firstRow) * Vector.width
    var z = buffers.activated

    for row in firstRow..<end {
      let place = (block * step.rows + row) * blockWidth
      let g =
        buffers.hasSingleInput
        ? GatePack<Vector>(bias: bias, weights: weights, x: x[row], count: B.gates)
        : GatePack<Vector>(gStart + row * stride, count: B.gates)
      let a = GatePack<Vector>(aStart + row * stride, count: B.gates)
      var v = GatePack<Vector>(buffers.v + place, count: hasVelocity ? B.gates : 0)
      var q = GatePack<Vector>(buffers.q + place, count: hasSecondMoment ? B.gates : 0)
      let seen = run(drive, g, a, v: &v, q: &q)
      if hasVelocity { v.store(buffers.v + place, count: B.gates) }
      if hasSecondMoment { q.store(buffers.q + place, count: B.gates) }
      B.preactivate(d: seen.d, a: seen.a).store(z, count: B.activations, apart: apart)
      z += Vector.width
    }
  }

  /// The activation functions, for the rows that `preactivate` has computed.
  @inline(__always)
  private static func activate(_ buffers: ForwardBuffers, rows: Int) {
    let count = rows * Vector.width
    let z = buffers.activated
    if B.logistics > 0 { SIMDKernels.logistic(z, into: z, count: B.logistics * count) }
    if B.tanhs > 0 {
      let first = z + B.logistics * count
      SIMDKernels.hyperbolicTangent(first, into: first, count: B.tanhs * count)
    }
  }

  /// The rest of the body for the block and the rows that `activate` has computed. It also writes
  /// everything that is saved.
  @inline(__always)
  private static func update(
    _ step: ForwardStep, panel: Int, index: Int, rows firstRow: Int, _ end: Int
  ) {
    let (buffers, width) = (step.buffers, Vector.width)
    let shape = step.call.geometry
    let block = buffers.split.start(panel) + index
    let unitBias = Vector(buffers.unitBias + block * width)
    let layout = SavedLayout(shape)
    let saved = step.saved.start.map { $0 + step.saved.place(block: block) * layout.width }
    let cells = buffers.c + (block * step.rows + firstRow) * width
    let count = (end - firstRow) * width
    let values = buffers.values

    for place in stride(from: 0, to: count, by: width) {
      var c = B.hasCell ? Vector(cells + place) : Vector(0)
      let activated = GatePack<Vector>(
        buffers.activated + place, count: B.activations, apart: count)
      B.argument(activated, c: &c).store(values + place)
    }
    if B.endsWithTanh { SIMDKernels.hyperbolicTangent(values, into: values, count: count) }
    for row in firstRow..<end {
      let place = (row - firstRow) * width
      let h = step.h + row * buffers.hRow + block * width
      var gates = GatePack<Vector>(first: Vector(0))
      let activated = GatePack<Vector>(
        buffers.activated + place, count: B.activations, apart: count)
      let hNext = B.update(
        activated, value: Vector(values + place), h: Vector(h), unitBias: unitBias, saved: &gates)
      hNext.store(step.hNext + row * buffers.hRow + block * width)
      let cBefore = B.hasCell ? Vector(cells + place) : Vector(0)
      if B.hasCell {
        // c_t is computed again, because c_{t-1} is still needed here, to be saved.
        var c = cBefore
        _ = B.argument(activated, c: &c)
        c.store(cells + place)
      }
      if let saved {
        let to = saved + row * layout.width
        gates.store(to, count: B.saved, streaming: buffers.streams)
        if B.hasCell { cBefore.store(to + layout.cell, streaming: buffers.streams) }
        if D.needsActivations { saveDrive(step, layout, panel, index, row: row, to) }
      }
    }
  }

  /// Saves what the drive's `backward` needs. It follows directly on what the body saves, because
  /// stores that bypass the caches must fill whole lines.
  @inline(__always)
  private static func saveDrive(
    _ step: ForwardStep, _ layout: SavedLayout, _ panel: Int, _ index: Int, row: Int,
    _ to: UnsafeMutablePointer<Float>
  ) {
    let (buffers, blockWidth) = (step.buffers, B.gates * Vector.width)
    let place = ((buffers.split.start(panel) + index) * step.rows + row) * blockWidth
    let drive = step.call.geometry.drive
    func save(_ from: UnsafeMutablePointer<Float>, isUsed: Bool, at offset: Int) {
      GatePack<Vector>(from, count: isUsed ? B.gates : 0).store(
        to + offset, count: B.gates, streaming: buffers.streams)
    }
    save(buffers.v + place, isUsed: drive.hasVelocity, at: layout.velocity)
    save(buffers.q + place, isUsed: drive.hasSecondMoment, at: layout.secondMoment)
    if layout.hasInputDrive {
      let stride = buffers.split.width(panel) * blockWidth
      save(
        step.g(panel: panel, gates: B.gates) + index * blockWidth + row * stride, isUsed: true,
        at: layout.inputDrive)
    }
  }

  /// The drive for every gate that is used.
  @inline(__always)
  private static func run(
    _ drive: D, _ g: GatePack<Vector>, _ a: GatePack<Vector>, v: inout GatePack<Vector>,
    q: inout GatePack<Vector>
  ) -> (d: GatePack<Vector>, a: GatePack<Vector>) {
    var (d, seen) = (g, a)
    (d.g0, seen.g0) = drive.forward(g.g0, a.g0, v: &v.g0, q: &q.g0)
    if B.gates > 1 { (d.g1, seen.g1) = drive.forward(g.g1, a.g1, v: &v.g1, q: &q.g1) }
    if B.gates > 2 { (d.g2, seen.g2) = drive.forward(g.g2, a.g2, v: &v.g2, q: &q.g2) }
    if B.gates > 3 { (d.g3, seen.g3) = drive.forward(g.g3, a.g3, v: &v.g3, q: &q.g3) }
    return (d, seen)
  }
}
