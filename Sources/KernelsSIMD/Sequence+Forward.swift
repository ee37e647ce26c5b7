import KernelInterface

extension Sequence {
  static func forward(_ call: ForwardCall<Float>) {
    Arena.with({ ForwardBuffers(call.geometry, panelLimit: panelLimit, arena: &$0) }) { buffers in
      let shape = call.geometry
      buffers.pack(call.weights, shape)
      var first = 0
      while first < shape.rows {
        let rows = min(buffers.groupRows, shape.rows - first)
        forward(call, buffers, firstRow: first, rows: rows)
        first += rows
      }
    }
  }

  /// Runs a group of rows through all time steps.
  private static func forward(
    _ call: ForwardCall<Float>, _ buffers: ForwardBuffers, firstRow: Int, rows: Int
  ) {
    let shape = call.geometry
    let units = buffers.units
    var (h, hNext) = (buffers.h, buffers.hNext)
    buffers.load(call.initial, shape, firstRow: firstRow, rows: rows)
    for t in 0..<shape.steps {
      step(call, buffers, t, firstRow: firstRow, rows: rows, h: h, hNext: hNext)
      swap(&h, &hNext)
    }
    // The last state, row by row.
    let final = call.final
    if let hidden = final.hidden {
      for row in 0..<rows {
        (hidden + (firstRow + row) * units.count).update(
          from: h + row * buffers.hRow, count: units.count)
      }
    }
    if B.hasCell, let cell = final.cell {
      let single = Units(units.count, gates: 1)
      Packing.fromBlocks(
        buffers.c, rows: rows, units: single, into: cell + firstRow * units.count)
    }
    if shape.drive.hasVelocity, let velocity = final.velocity {
      Packing.fromBlocks(
        buffers.v, rows: rows, units: units, into: velocity + firstRow * shape.gateWidth)
    }
    if shape.drive.hasSecondMoment, let moment = final.secondMoment {
      Packing.fromBlocks(
        buffers.q, rows: rows, units: units, into: moment + firstRow * shape.gateWidth)
    }
  }

  /// One time step: for each panel of columns, tile by tile, both products and then, while the
  /// tile is hot, everything pointwise.
  @inline(__always)
  private static func step(
    _ call: ForwardCall<Float>, _ buffers: ForwardBuffers, _ t: Int, firstRow: Int, rows: Int,
    h: UnsafeMutablePointer<Float>, hNext: UnsafeMutablePointer<Float>
  ) {
    let shape = call.geometry
    let (units, split) = (buffers.units, buffers.split)
    let drive = D(shape.drive, step: t)
    let x = call.x + (t * shape.rows + firstRow) * shape.inputs
    for panel in 0..<split.panels {
      let block = split.start(panel)
      let column = block * units.blockWidth
      let vectors = split.width(panel) * B.gates
      let input = Product(
        a: x, row: shape.inputs, segment: shape.inputs,
        w: buffers.inputWeights + column * shape.inputs, start: buffers.inputBias + column,
        vectors: vectors)
      let recurrent = Product(
        a: h, row: buffers.hRow, segment: units.count,
        w: buffers.recurrentWeights + column * units.count, start: buffers.recurrentBias + column,
        vectors: vectors)
      input.addLeadingBlocks(rows: rows, out: buffers.g)
      recurrent.addLeadingBlocks(rows: rows, out: buffers.a)
      var row = 0
      while row < rows {
        let count = min(input.tileRows, rows - row)
        let g = input.addLastBlock(row: row, count: count, out: buffers.g)
        let a = recurrent.addLastBlock(row: row, count: count, out: buffers.a)
        for index in 0..<split.width(panel) {
          finish(
            call, buffers, drive, t, block: block + index, firstRow: firstRow, rows: rows,
            row: row, count: count, g: g + index * units.blockWidth,
            a: a + index * units.blockWidth, stride: vectors * Vector.width, h: h, hNext: hNext)
        }
        row += count
      }
    }
  }

  /// Drive and body for one block of units of one tile of rows.
  @inline(__always)
  private static func finish(
    _ call: ForwardCall<Float>, _ buffers: ForwardBuffers, _ drive: D, _ t: Int, block: Int,
    firstRow: Int, rows: Int, row: Int, count: Int, g: UnsafeMutablePointer<Float>,
    a: UnsafeMutablePointer<Float>, stride: Int, h: UnsafeMutablePointer<Float>,
    hNext: UnsafeMutablePointer<Float>
  ) {
    let shape = call.geometry
    let units = buffers.units
    let width = Vector.width
    let (hasVelocity, hasSecondMoment) = (shape.drive.hasVelocity, shape.drive.hasSecondMoment)
    let lanes = units.lanes(block)
    let unitBias = Vector(buffers.unitBias + block * width)
    var (g, a) = (g, a)
    var h = h + row * buffers.hRow + block * width
    var hNext = hNext + row * buffers.hRow + block * width
    var c = buffers.c + (block * rows + row) * width
    var v = buffers.v + (block * rows + row) * units.blockWidth
    var q = buffers.q + (block * rows + row) * units.blockWidth
    let place = ((t * units.blocks + block) * shape.rows + firstRow + row) * savedWidth
    var saved = call.saved.map { $0 + place }
    var y = call.y.map {
      $0 + (t * shape.rows + firstRow + row) * units.count + block * width
    }
    for _ in 0..<count {
      let gNow = GatePack<Vector>(g, count: B.gates)
      let aNow = GatePack<Vector>(a, count: B.gates)
      var vNow = GatePack<Vector>(v, count: hasVelocity ? B.gates : 0)
      var qNow = GatePack<Vector>(q, count: hasSecondMoment ? B.gates : 0)
      let seen = run(drive, gNow, aNow, v: &vNow, q: &qNow)
      if hasVelocity { vNow.store(v, count: B.gates) }
      if hasSecondMoment { qNow.store(q, count: B.gates) }

      var cNow = B.hasCell ? Vector(c) : Vector(repeating: 0)
      var gates = GatePack<Vector>(first: Vector(repeating: 0))
      let hNow = B.forward(
        d: seen.d, a: seen.a, h: Vector(h), c: &cNow, unitBias: unitBias, saved: &gates)
      if B.hasCell { cNow.store(c) }
      hNow.store(hNext)

      if let to = y {
        hNow.storing(lanes, to)
        y = to + units.count
      }
      if let to = saved {
        gates.store(to, count: B.saved)
        if B.hasCell { cNow.store(to + cellOffset * width) }
        if D.needsActivations {
          gNow.store(to + driveOffset * width, count: B.gates)
          vNow.store(to + (driveOffset + B.gates) * width, count: B.gates)
          qNow.store(to + (driveOffset + 2 * B.gates) * width, count: B.gates)
        }
        saved = to + savedWidth
      }
      g += stride
      a += stride
      h += buffers.hRow
      hNext += buffers.hRow
      c += width
      v += units.blockWidth
      q += units.blockWidth
    }
  }

  /// The drive of every gate in use.
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
