// SPDX-License-Identifier: Apache-2.0

internal import CVec
import KernelInterface

extension Sequence {
  static func backward(_ call: BackwardCall<Float>) {
    let shape = call.geometry
    let stripes = Stripes(call.gradients, rows: shape.rows)
    defer { stripes.free() }
    // The largest group determines the size of the buffers.
    let wanted = Blocking.backwardRows(shape)
    var (groupRows, groupStripes, first) = (0, 0, 0)
    while first < stripes.count {
      let end = stripes.groupEnd(from: first, rows: wanted)
      groupRows = max(groupRows, stripes.rows(first, end))
      groupStripes = max(groupStripes, end - first)
      first = end
    }
    Arena.with({ arena in
      let buffers = BackwardBuffers(
        call, stripes: stripes, groupRows: groupRows, groupStripes: groupStripes, arena: &arena)
      let again =
        recomputes(shape)
        ? Recomputation(
          call, panelLimit: panelLimit, savedWidth: SavedLayout(shape).width,
          groupRows: groupRows, arena: &arena) : nil
      return (buffers, again)
    }) { buffers, again in
      let clock = PhaseClock()
      buffers.pack(call)
      clock.lap(.packing)
      again?.buffers.pack(call.weights, shape)
      var first = 0
      while first < stripes.count {
        let end = stripes.groupEnd(from: first, rows: wanted)
        backward(
          call, buffers, again,
          WeightGradients(
            call: call, buffers: buffers, stripes: stripes, first: first, end: end))
        first = end
      }
    }
  }

  /// Runs a group of rows through all time steps, from the last to the first.
  private static func backward(
    _ call: BackwardCall<Float>, _ buffers: BackwardBuffers, _ again: Recomputation?,
    _ group: WeightGradients
  ) {
    let (T, firstRow, rows) = (call.geometry.steps, group.firstRow, group.rows)
    buffers.load(call, firstRow: firstRow, rows: rows)
    group.begin()
    // The first of the saved steps.
    var first = 0
    func saved(_ t: Int) -> SavedPlace {
      let blocks = buffers.units.blocks
      guard let again else {
        return SavedPlace(
          start: UnsafeMutablePointer(mutating: call.saved), step: t, rows: call.geometry.rows,
          firstRow: firstRow, blocks: blocks)
      }
      return SavedPlace(
        start: again.call.saved, step: t - first, rows: rows, firstRow: 0, blocks: blocks)
    }
    for t in (0..<T).reversed() {
      if let again, t == T - 1 || (t + 1) % call.geometry.recomputeEvery == 0 {
        first = recompute(again, endingWith: t, firstRow: firstRow, rows: rows)
      }
      let step = BackwardStep(
        call: call, buffers: buffers, t: t, slot: (T - 1 - t) % buffers.slots,
        firstRow: firstRow, rows: rows, saved: saved(t))
      if B.hasCell, t == T - 1 { loadLastCell(step, recomputed: again?.buffers.c) }
      run(step)
      let clock = PhaseClock()
      step.inputGradient()
      clock.lap(.inputGradient)
      group.add(after: t)
      clock.lap(.weightGradient)
    }
    if let target = call.initialGradient.hidden {
      BackwardStep(
        call: call, buffers: buffers, t: 0, slot: max(T - 1, 0) % buffers.slots,
        firstRow: firstRow, rows: rows, saved: saved(0)
      ).initialHidden(into: target)
    }
    group.finish()
    buffers.write(call, firstRow: firstRow, rows: rows)
  }

  /// One time step. It computes dh_t = da_{t+1} W_hh panel by panel. As soon as a few rows of a
  /// panel are complete, the adjoints of body and drive follow for these rows.
  @inline(__always)
  private static func run(_ step: BackwardStep) {
    let drive = D(step.call.geometry.drive, step: step.t)
    let (buffers, split) = (step.buffers, step.buffers.hiddenSplit)
    let isLast = step.t == step.call.geometry.steps - 1
    let clock = PhaseClock()
    for panel in 0..<split.panels {
      let product = step.hiddenGradient(
        panel: panel, slot: (step.slot + buffers.slots - 1) % buffers.slots,
        prefetching: prefetch(step, after: panel))
      if isLast {
        step.finalHidden(panel: panel)
      } else {
        product.addLeadingBlocks(out: buffers.product)
      }
      clock.lap(.productBackward)
      var row = 0
      while row < step.rows {
        let end = min(row + product.chunkRows, step.rows)
        if !isLast { product.addLastBlock(rows: row, end, out: buffers.product) }
        clock.lap(.productBackward)
        for index in 0..<split.width(panel) {
          finish(step, drive, panel: panel, index: index, rows: row, end)
        }
        clock.lap(.pointwiseBackward)
        row = end
      }
    }
  }

  /// What the pointwise part of the next panel and of a later step reads. Loading it from memory
  /// takes about as long as a product.
  @inline(__always)
  private static func prefetch(_ step: BackwardStep, after panel: Int) -> Prefetch {
    Prefetch(first: saved(step, after: panel), second: hidden(step, during: panel))
  }

  /// The saved numbers of the next panel.
  @inline(__always)
  private static func saved(_ step: BackwardStep, after panel: Int) -> Prefetch.Areas {
    let (split, width) = (step.buffers.hiddenSplit, SavedLayout(step.call.geometry).width)
    let isLast = panel + 1 == split.panels
    let next = isLast ? 0 : panel + 1
    let start = UnsafePointer(step.saved.start!)
    // A body may save nothing.
    guard width > 0, !isLast || step.saved.step > 0 else {
      return Prefetch.Areas(start: start, length: 0, count: 0)
    }
    let place = step.saved.place(block: split.start(next)) - (isLast ? step.saved.stride : 0)
    return Prefetch.Areas(
      start: start + place * width, length: step.rows * width, count: split.width(next),
      stride: step.saved.rows * width)
  }

  /// h_{t-2}, if the body reads it: the steps t-1 and t-2 need it. Each panel prefetches a part.
  @inline(__always)
  private static func hidden(_ step: BackwardStep, during panel: Int) -> Prefetch.Areas {
    let (N, H) = (step.call.geometry.rows, step.call.geometry.hidden)
    guard B.readsHidden, step.t >= 2 else {
      return Prefetch.Areas(start: step.call.y, length: 0, count: 0)
    }
    let (count, panels) = (step.rows * H, step.buffers.hiddenSplit.panels)
    let (first, end) = (count * panel / panels, count * (panel + 1) / panels)
    return Prefetch.Areas(
      start: step.call.y + ((step.t - 2) * N + step.firstRow) * H + first, length: end - first,
      count: 1)
  }

  /// The adjoints of body and drive for one block of units, the `index`-th of a panel, in rows
  /// `firstRow ..< end` of the group.
  ///
  /// This function is long, because values that are read before the loop must stay in registers
  /// during it. If it were split, each part would need a dozen of them as arguments.
  @inline(__always)
  private static func finish(
    _ step: BackwardStep, _ drive: D, panel: Int, index: Int, rows firstRow: Int, _ end: Int
  ) {
    let (call, buffers, t, rows) = (step.call, step.buffers, step.t, step.rows)
    let shape = call.geometry
    let (N, H) = (shape.rows, shape.hidden)
    let (width, blockWidth) = (Vector.width, B.gates * Vector.width)
    let (hasVelocity, hasSecondMoment) = (shape.drive.hasVelocity, shape.drive.hasSecondMoment)
    let shares = buffers.da == buffers.dg
    let block = buffers.hiddenSplit.start(panel) + index
    let lanes = buffers.units.lanes(block)
    let stride = buffers.hiddenSplit.width(panel) * width
    // Row-major data, in which the last block is narrower.
    let row0 = (t * N + step.firstRow) * H + block * width
    let y = call.y + row0
    let dy = call.dy.map { $0 + row0 }
    let before = hiddenBefore(step, block: block)
    // Data in block order.
    let layout = SavedLayout(shape)
    let saved = UnsafePointer(
      step.saved.start! + step.saved.place(block: block) * layout.width)
    // With a single input, g is recomputed.
    let x = call.x + t * N + step.firstRow
    let bias = buffers.inputBias + block * blockWidth
    let weights = buffers.inputColumn + block * blockWidth
    let gates = buffers.gatePlace(vector: block, slot: step.slot, rows: rows)
    let orderWidth = buffers.order.blockWidth

    if B.hasCell {
      SIMDKernels.hyperbolicTangent(
        buffers.c + (block * rows + firstRow) * width, into: buffers.tanhC,
        count: (end - firstRow) * width)
    }
    for row in firstRow..<end {
      let place = block * rows + row
      let direct = buffers.dh + place * width
      var dh = Vector(buffers.product + row * stride + index * width) + Vector(direct)
      if let dy { dh = dh + Vector.loading(dy + row * H, lanes) }
      let kept = saved + row * layout.width
      let (cPlace, dcPlace) = (buffers.c + place * width, buffers.dc + place * width)
      var dc = B.hasCell ? Vector(dcPlace) : Vector(0)
      let cBefore = B.hasCell ? Vector(kept + layout.cell) : Vector(0)
      let gradient = B.backward(
        dh: dh, dc: &dc, saved: GatePack<Vector>(kept, count: B.saved),
        h: Vector.loading(y + row * H, lanes),
        hBefore: Vector.loading(before.start + row * before.stride, lanes),
        tanhC: B.hasCell ? Vector(buffers.tanhC + (row - firstRow) * width) : Vector(0),
        cBefore: cBefore)
      if B.hasCell {
        dc.store(dcPlace)
        cBefore.store(cPlace)
      }
      gradient.dhBefore.store(direct)
      if B.hasUnitBias {
        let sum = buffers.dUnitBias + place * width
        (Vector(sum) + gradient.dUnitBias).store(sum)
      }

      let (dvPlace, dqPlace) = (buffers.dv + place * blockWidth, buffers.dq + place * blockWidth)
      var dv = GatePack<Vector>(dvPlace, count: hasVelocity ? B.gates : 0)
      var dq = GatePack<Vector>(dqPlace, count: hasSecondMoment ? B.gates : 0)
      let needs = D.needsActivations ? B.gates : 0
      let v = GatePack<Vector>(kept + layout.velocity, count: needs)
      let q = GatePack<Vector>(kept + layout.secondMoment, count: needs)
      let g =
        layout.hasInputDrive
        ? GatePack<Vector>(kept + layout.inputDrive, count: needs)
        : GatePack<Vector>(bias: bias, weights: weights, x: needs > 0 ? x[row] : 0, count: needs)
      let flowing = run(drive, gradient, g: g, v: v, q: q, dv: &dv, dq: &dq)
      if hasVelocity { dv.store(dvPlace, count: B.gates) }
      if hasSecondMoment { dq.store(dqPlace, count: B.gates) }
      let out = gates + row * orderWidth
      flowing.da.store(buffers.da + out, count: B.gates, apart: GateOrder.width)
      if !shares { flowing.dg.store(buffers.dg + out, count: B.gates, apart: GateOrder.width) }
    }
  }

  /// The adjoint of the drive for every gate that is used.
  @inline(__always)
  private static func run(
    _ drive: D, _ gradient: BodyGradient<Vector>, g: GatePack<Vector>, v: GatePack<Vector>,
    q: GatePack<Vector>, dv: inout GatePack<Vector>, dq: inout GatePack<Vector>
  ) -> (dg: GatePack<Vector>, da: GatePack<Vector>) {
    let (dd, da) = (gradient.dd, gradient.da)
    var (dgOut, daOut) = (dd, da)
    (dgOut.g0, daOut.g0) = drive.backward(
      dd.g0, da.g0, g: g.g0, v: v.g0, q: q.g0, dv: &dv.g0, dq: &dq.g0)
    if B.gates > 1 {
      (dgOut.g1, daOut.g1) = drive.backward(
        dd.g1, da.g1, g: g.g1, v: v.g1, q: q.g1, dv: &dv.g1, dq: &dq.g1)
    }
    if B.gates > 2 {
      (dgOut.g2, daOut.g2) = drive.backward(
        dd.g2, da.g2, g: g.g2, v: v.g2, q: q.g2, dv: &dv.g2, dq: &dq.g2)
    }
    if B.gates > 3 {
      (dgOut.g3, daOut.g3) = drive.backward(
        dd.g3, da.g3, g: g.g3, v: v.g3, q: q.g3, dv: &dv.g3, dq: &dq.g3)
    }
    return (dgOut, daOut)
  }

  // MARK: The ends of the sequence

  /// The start of h_{t-1} of the group's rows, and the floats from one row to the next.
  @inline(__always)
  private static func hiddenBefore(
    _ step: BackwardStep, block: Int
  ) -> (start: UnsafePointer<Float>, stride: Int) {
    let (N, H) = (step.call.geometry.rows, step.call.geometry.hidden)
    let column = block * Vector.width
    if step.t > 0 {
      return (step.call.y + ((step.t - 1) * N + step.firstRow) * H + column, H)
    }
    if let hidden = step.call.initial.hidden {
      return (hidden + step.firstRow * H + column, H)
    }
    return (UnsafePointer(step.buffers.zeros), 0)
  }

  /// Loads c_T. It was saved, or is the last state of the recomputation.
  private static func loadLastCell(
    _ step: BackwardStep, recomputed: UnsafeMutablePointer<Float>?
  ) {
    let (buffers, rows, shape) = (step.buffers, step.rows, step.call.geometry)
    let count = rows * Vector.width
    if let recomputed {
      return buffers.c.update(from: recomputed, count: buffers.units.blocks * count)
    }
    let last = step.call.saved + lastCell(shape)
    for block in 0..<buffers.units.blocks {
      (buffers.c + block * count)
        .update(from: last + (block * shape.rows + step.firstRow) * Vector.width, count: count)
    }
  }
}
