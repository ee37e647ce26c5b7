import KernelInterface

extension Sequence {
  static func backward(_ call: BackwardCall<Float>) {
    let shape = call.geometry
    let stripes = Stripes(call.gradients, rows: shape.rows)
    defer { stripes.free() }
    // The largest group decides the size of the buffers.
    let wanted = Blocking.backwardRows(shape)
    var (groupRows, groupStripes, first) = (0, 0, 0)
    while first < stripes.count {
      let end = stripes.groupEnd(from: first, rows: wanted)
      groupRows = max(groupRows, stripes.rows(first, end))
      groupStripes = max(groupStripes, end - first)
      first = end
    }
    Arena.with({
      BackwardBuffers(call, groupRows: groupRows, stripes: groupStripes, arena: &$0)
    }) { buffers in
      buffers.pack(call)
      var first = 0
      while first < stripes.count {
        let end = stripes.groupEnd(from: first, rows: wanted)
        let group = WeightGradients(
          call: call, buffers: buffers, stripes: stripes, first: first, end: end)
        backward(call, buffers, group)
        first = end
      }
    }
  }

  /// Runs a group of rows through all time steps, from the last to the first.
  private static func backward(
    _ call: BackwardCall<Float>, _ buffers: BackwardBuffers, _ group: WeightGradients
  ) {
    let shape = call.geometry
    let (T, firstRow, rows) = (shape.steps, group.firstRow, group.rows)
    buffers.load(call, firstRow: firstRow, rows: rows)
    if B.hasCell, T > 0 { loadLastCell(call, buffers, firstRow: firstRow, rows: rows) }
    group.begin()
    for t in (0..<T).reversed() {
      let slot = (T - 1 - t) % buffers.slots
      step(call, buffers, t, slot: slot, firstRow: firstRow, rows: rows)
      if call.dx != nil { group.inputGradient(t, slot: slot) }
      if slot == buffers.slots - 1 || t == 0 { group.add(steps: slot + 1, from: t) }
    }
    group.finish()
    buffers.write(call, firstRow: firstRow, rows: rows)
    if let target = call.initialGradient.hidden {
      initialHidden(
        call, buffers, slot: T == 0 ? nil : (T - 1) % buffers.slots, firstRow: firstRow,
        rows: rows, into: target)
    }
  }

  /// One time step: dh_t = da_{t+1} W_hh panel by panel, and while a tile is hot the adjoints of
  /// body and drive.
  @inline(__always)
  private static func step(
    _ call: BackwardCall<Float>, _ buffers: BackwardBuffers, _ t: Int, slot: Int, firstRow: Int,
    rows: Int
  ) {
    let split = buffers.hiddenSplit
    let drive = D(call.geometry.drive, step: t)
    let isLast = t == call.geometry.steps - 1
    for panel in 0..<split.panels {
      let block = split.start(panel)
      let product = hiddenGradient(buffers, panel: panel, slot: slot, rows: rows)
      if !isLast { product.addLeadingBlocks(rows: rows, out: buffers.product) }
      var row = 0
      while row < rows {
        let count = min(product.tileRows, rows - row)
        let dh =
          isLast
          ? finalHidden(call, buffers, block: block, row: row, count: count,
            firstRow: firstRow, width: split.width(panel))
          : product.addLastBlock(row: row, count: count, out: buffers.product)
        for index in 0..<split.width(panel) {
          finish(
            call, buffers, drive, t, slot: slot, block: block + index, firstRow: firstRow,
            rows: rows, row: row, count: count, dh: dh + index * Vector.width,
            stride: split.width(panel) * Vector.width)
        }
        row += count
      }
    }
  }

  /// The product da_{t+1} W_hh for the slot of step t.
  @inline(__always)
  private static func hiddenGradient(
    _ buffers: BackwardBuffers, panel: Int, slot: Int, rows: Int
  ) -> Product {
    let (units, split) = (buffers.units, buffers.hiddenSplit)
    let before = (slot + buffers.slots - 1) % buffers.slots
    return Product(
      a: buffers.da + before * buffers.slotStride(rows: rows), row: units.blockWidth,
      segments: units.blocks, segment: units.blockWidth,
      segmentStride: rows * units.blockWidth,
      w: buffers.recurrentWeights + split.start(panel) * Vector.width * units.paddedWidth,
      start: buffers.zeros, vectors: split.width(panel))
  }

  /// The adjoints of body and drive for one block of units of one tile of rows.
  @inline(__always)
  private static func finish(
    _ call: BackwardCall<Float>, _ buffers: BackwardBuffers, _ drive: D, _ t: Int, slot: Int,
    block: Int, firstRow: Int, rows: Int, row: Int, count: Int,
    dh: UnsafeMutablePointer<Float>, stride: Int
  ) {
    let shape = call.geometry
    let (units, width) = (buffers.units, Vector.width)
    let (N, H) = (shape.rows, shape.hidden)
    let (hasVelocity, hasSecondMoment) = (shape.drive.hasVelocity, shape.drive.hasSecondMoment)
    let shares = buffers.da == buffers.dg
    let lanes = units.lanes(block)
    let column = block * width

    // Row-major, so that the last block is narrower.
    let y = call.y + (t * N + firstRow + row) * H + column
    let dy = call.dy.map { $0 + (t * N + firstRow + row) * H + column }
    let (before, beforeStride) = hiddenBefore(call, buffers, t, row: firstRow + row)
    // In block order.
    let place = block * rows + row
    let savedPlace = (t * units.blocks + block) * N + firstRow + row
    let saved = call.saved + savedPlace * savedWidth
    let cellBefore =
      t > 0
      ? (call.saved + (savedPlace - units.blocks * N) * savedWidth + cellOffset * width)
      : UnsafePointer(buffers.initialCell + place * width)
    let cellStride = t > 0 ? savedWidth : width
    let direct = buffers.dh + place * width
    let dc = buffers.dc + place * width
    let c = buffers.c + place * width
    let dUnitBias = buffers.dUnitBias + place * width
    let dv = buffers.dv + place * units.blockWidth
    let dq = buffers.dq + place * units.blockWidth
    let gates = slot * buffers.slotStride(rows: rows) + place * units.blockWidth

    for index in 0..<count {
      var dhNow = Vector(dh + index * stride) + Vector(direct + index * width)
      if let dy { dhNow = dhNow + Vector.loading(dy + index * H, lanes) }
      let kept = saved + index * savedWidth
      var dcNow = B.hasCell ? Vector(dc + index * width) : Vector(repeating: 0)
      let cBefore = B.hasCell ? Vector(cellBefore + index * cellStride) : Vector(repeating: 0)
      let gradient = B.backward(
        dh: dhNow, dc: &dcNow, saved: GatePack<Vector>(kept, count: B.saved),
        h: Vector.loading(y + index * H, lanes),
        hBefore: Vector.loading(before + column + index * beforeStride, lanes),
        c: B.hasCell ? Vector(c + index * width) : Vector(repeating: 0), cBefore: cBefore)
      if B.hasCell {
        dcNow.store(dc + index * width)
        cBefore.store(c + index * width)
      }
      gradient.dhBefore.store(direct + index * width)
      if B.hasUnitBias {
        (Vector(dUnitBias + index * width) + gradient.dUnitBias).store(dUnitBias + index * width)
      }

      let wide = index * units.blockWidth
      var dvNow = GatePack<Vector>(dv + wide, count: hasVelocity ? B.gates : 0)
      var dqNow = GatePack<Vector>(dq + wide, count: hasSecondMoment ? B.gates : 0)
      let flowing = run(
        drive, gradient, kept: kept + driveOffset * width, dv: &dvNow, dq: &dqNow)
      if hasVelocity { dvNow.store(dv + wide, count: B.gates) }
      if hasSecondMoment { dqNow.store(dq + wide, count: B.gates) }
      flowing.da.store(buffers.da + gates + wide, count: B.gates)
      if !shares { flowing.dg.store(buffers.dg + gates + wide, count: B.gates) }
    }
  }

  /// The adjoint of the drive of every gate in use.
  @inline(__always)
  private static func run(
    _ drive: D, _ gradient: BodyGradient<Vector>, kept: UnsafePointer<Float>,
    dv: inout GatePack<Vector>, dq: inout GatePack<Vector>
  ) -> (dg: GatePack<Vector>, da: GatePack<Vector>) {
    let width = Vector.width
    let needs = D.needsActivations ? B.gates : 0
    let g = GatePack<Vector>(kept, count: needs)
    let v = GatePack<Vector>(kept + B.gates * width, count: needs)
    let q = GatePack<Vector>(kept + 2 * B.gates * width, count: needs)
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

  /// Where h_{t-1} of a row lies, and the floats to the next row.
  @inline(__always)
  private static func hiddenBefore(
    _ call: BackwardCall<Float>, _ buffers: BackwardBuffers, _ t: Int, row: Int
  ) -> (UnsafePointer<Float>, Int) {
    let (N, H) = (call.geometry.rows, call.geometry.hidden)
    if t > 0 { return (call.y + ((t - 1) * N + row) * H, H) }
    if let hidden = call.initial.hidden { return (hidden + row * H, H) }
    return (UnsafePointer(buffers.zeros), 0)
  }

  /// The gradient of the final h for one tile, where `step` expects a product.
  private static func finalHidden(
    _ call: BackwardCall<Float>, _ buffers: BackwardBuffers, block: Int, row: Int, count: Int,
    firstRow: Int, width: Int
  ) -> UnsafeMutablePointer<Float> {
    let H = call.geometry.hidden
    for index in 0..<count {
      for inner in 0..<width {
        let to = buffers.product + (index * width + inner) * Vector.width
        let value = call.finalGradient.hidden.map {
          Vector.loading(
            $0 + (firstRow + row + index) * H + (block + inner) * Vector.width,
            buffers.units.lanes(block + inner))
        }
        (value ?? Vector(repeating: 0)).store(to)
      }
    }
    return buffers.product
  }

  /// Takes c_T from what forward saved.
  private static func loadLastCell(
    _ call: BackwardCall<Float>, _ buffers: BackwardBuffers, firstRow: Int, rows: Int
  ) {
    let (N, blocks) = (call.geometry.rows, buffers.units.blocks)
    for block in 0..<blocks {
      for row in 0..<rows {
        let place = ((call.geometry.steps - 1) * blocks + block) * N + firstRow + row
        Vector(call.saved + place * savedWidth + cellOffset * Vector.width)
          .store(buffers.c + (block * rows + row) * Vector.width)
      }
    }
  }

  /// dL/dh_0 = da_1 W_hh + what bypasses a.
  private static func initialHidden(
    _ call: BackwardCall<Float>, _ buffers: BackwardBuffers, slot: Int?, firstRow: Int, rows: Int,
    into target: UnsafeMutablePointer<Float>
  ) {
    let (split, H) = (buffers.hiddenSplit, call.geometry.hidden)
    for panel in 0..<split.panels {
      let (block, width) = (split.start(panel), split.width(panel))
      // The product reads the slot before the one it is asked for.
      let product = hiddenGradient(
        buffers, panel: panel, slot: ((slot ?? 0) + 1) % buffers.slots, rows: rows)
      if slot != nil { product.addLeadingBlocks(rows: rows, out: buffers.product) }
      var row = 0
      while row < rows {
        let count = min(product.tileRows, rows - row)
        let dh =
          slot == nil
          ? finalHidden(call, buffers, block: block, row: row, count: count, firstRow: firstRow,
            width: width)
          : product.addLastBlock(row: row, count: count, out: buffers.product)
        for index in 0..<count {
          for inner in 0..<width {
            let place = ((block + inner) * rows + row + index) * Vector.width
            let sum = Vector(dh + (index * width + inner) * Vector.width)
              + Vector(buffers.dh + place)
            sum.storing(
              buffers.units.lanes(block + inner),
              target + (firstRow + row + index) * H + (block + inner) * Vector.width)
          }
        }
        row += count
      }
    }
  }
}
