// SPDX-License-Identifier: Apache-2.0

public import KernelInterface

// A block of rows has the layout of `GradientTile`, [panel][row][column]. Each panel has space for
// `capacity` rows, and columns of zeros fill its last vector.

extension SIMDKernels {
  /// The size of a block of rows in floats.
  public static func rowBlockCount(_ role: GradientRole, rows: Int, columns: Int) -> Int {
    RowBlock(role, columns: columns, capacity: rows).count
  }

  /// Lays out rows for gradients of weights.
  public static func keep(_ call: RowBlockCall<Float>) {
    let block = RowBlock(call.role, columns: call.columns, capacity: call.capacity)
    block.keep(call)
    guard let sums = call.sums else { return }
    let units = block.units
    for vector in 0..<units.blocks {
      let (column, lanes) = (vector * Vector.width, units.lanes(vector))
      var sum = Vector(0)
      for row in 0..<call.rows {
        sum = sum + Vector.loading(call.source + row * call.columns + column, lanes)
      }
      (Vector.loading(sums + column, lanes) + sum).storing(lanes, sums + column)
    }
  }

  /// sums += Σ_r row_r, from the first row to the last
  public static func addColumnSums(_ call: ColumnSumsCall<Float>) {
    let units = Units(call.columns, gates: 1)
    // Four vectors at a time, because a single chain would wait for its own additions.
    var vector = 0
    while (vector + 4) * Vector.width <= call.columns {
      addColumnSums(call, at: vector * Vector.width)
      vector += 4
    }
    while vector < units.blocks {
      let (column, lanes) = (vector * Vector.width, units.lanes(vector))
      var sum = Vector.loading(call.sums + column, lanes)
      for row in 0..<call.rows {
        sum = sum + Vector.loading(call.source + row * call.columns + column, lanes)
      }
      sum.storing(lanes, call.sums + column)
      vector += 1
    }
  }

  /// Adds up four whole vectors of columns.
  private static func addColumnSums(_ call: ColumnSumsCall<Float>, at column: Int) {
    let (to, W) = (call.sums + column, Vector.width)
    var (a, b) = (Vector(to), Vector(to + W))
    var (c, d) = (Vector(to + 2 * W), Vector(to + 3 * W))
    var from = call.source + column
    for _ in 0..<call.rows {
      a = a + Vector(from)
      b = b + Vector(from + W)
      c = c + Vector(from + 2 * W)
      d = d + Vector(from + 3 * W)
      from += call.columns
    }
    a.store(to)
    b.store(to + W)
    c.store(to + 2 * W)
    d.store(to + 3 * W)
  }

  /// dW += Σ_r delta_rᵀ operand_r
  public static func addWeightGradient(_ call: WeightGradientCall<Float>) {
    Arena.with({ $0.take(GradientTile.spillCount) }) { spill in
      let product = GradientProduct(call, spill: spill)
      for chain in 0..<call.chains {
        let (first, end) = (call.start(ofChain: chain), call.start(ofChain: chain + 1))
        product.add(first: first, count: end - first)
      }
    }
  }

  /// Adds dW and db for operands of few columns, directly from rows.
  public static func addNarrowGradient(_ call: NarrowGradientCall<Float>) {
    Arena.with({ NarrowBuffers(call, arena: &$0) }) { buffers in
      buffers.takeFeatures(call)
      let (W, features) = (call.width, buffers.features)
      for panel in 0..<buffers.split.panels {
        let column = buffers.split.start(panel) * Vector.width
        let vectors = buffers.split.width(panel)
        var (deltas, step) = (call.deltas + column, W)
        if column + vectors * Vector.width > W {
          // A tile reads whole vectors, which the last columns do not fill.
          buffers.takeLast(call, column: column, vectors: vectors)
          (deltas, step) = (UnsafePointer(buffers.last), vectors * Vector.width)
        }
        let tileRows = Registers.rows(forVectors: vectors)
        var feature = 0
        while feature < features {
          GradientTile(
            segments: 1, segment: call.rows, a: buffers.x + feature, aStep: features, aSegment: 0,
            w: deltas, wStep: step, wSegment: 0, out: call.sums + feature * W + column, outRow: W,
            columns: W - column, spill: buffers.spill
          ).run(rows: min(tileRows, features - feature), vectors: vectors)
          feature += tileRows
        }
      }
    }
  }
}

/// The work areas of one narrow gradient.
private struct NarrowBuffers {
  /// The number of operands, and one more for the bias.
  let features: Int
  let split: PanelSplit
  /// [row][feature]
  let x: UnsafeMutablePointer<Float>
  /// A copy of the last panel of the deltas, if they do not fill it.
  let last: UnsafeMutablePointer<Float>
  let spill: UnsafeMutablePointer<Float>

  init(_ call: NarrowGradientCall<Float>, arena: inout Arena) {
    features = call.depth + 1
    split = PanelSplit(blocks: Units(call.width, gates: 1).blocks, limit: 4)
    x = arena.take(call.rows * features)
    last = arena.take(call.rows * 4 * Vector.width)
    spill = arena.take(GradientTile.spillCount)
  }

  func takeFeatures(_ call: NarrowGradientCall<Float>) {
    var (to, from) = (x, call.operands)
    for _ in 0..<call.rows {
      for k in 0..<call.depth { to[k] = from[k] }
      to[call.depth] = 1
      to += features
      from += call.depth
    }
  }

  func takeLast(_ call: NarrowGradientCall<Float>, column: Int, vectors: Int) {
    for row in 0..<call.rows {
      for vector in 0..<vectors {
        let place = column + vector * Vector.width
        Vector.loading(call.deltas + row * call.width + place, call.width - place)
          .store(last + (row * vectors + vector) * Vector.width)
      }
    }
  }
}

/// The layout of the rows in a block.
private struct RowBlock {
  let units: Units
  let split: PanelSplit
  private let capacity: Int

  @inline(__always)
  init(_ role: GradientRole, columns: Int, capacity: Int) {
    units = Units(columns, gates: 1)
    // The columns of a tile are a panel of operands, and its rows are some columns of the deltas.
    split = PanelSplit(
      blocks: units.blocks, limit: role == .delta ? 4 : WeightGradientBuffers.panelLimit)
    self.capacity = capacity
  }

  var count: Int { capacity * units.paddedWidth }

  /// The start of a panel.
  @inline(__always)
  func start(_ panel: Int) -> Int { split.start(panel) * Vector.width * capacity }

  /// The floats of one row of a panel.
  @inline(__always)
  func width(_ panel: Int) -> Int { split.width(panel) * Vector.width }

  func keep(_ call: RowBlockCall<Float>) {
    for panel in 0..<split.panels {
      let (block, vectors) = (split.start(panel), split.width(panel))
      let target = call.block + start(panel) + call.first * width(panel)
      for inner in 0..<vectors {
        let lanes = units.lanes(block + inner)
        var from = call.source + (block + inner) * Vector.width
        var to = target + inner * Vector.width
        for _ in 0..<call.rows {
          Vector.loading(from, lanes).store(to)
          from += call.columns
          to += vectors * Vector.width
        }
      }
    }
  }
}

/// One weight gradient.
private struct GradientProduct {
  private let call: WeightGradientCall<Float>
  private let deltas: RowBlock
  private let operands: RowBlock
  private let spill: UnsafeMutablePointer<Float>

  init(_ call: WeightGradientCall<Float>, spill: UnsafeMutablePointer<Float>) {
    self.call = call
    deltas = RowBlock(.delta, columns: call.width, capacity: call.capacity)
    operands = RowBlock(.operand, columns: call.depth, capacity: call.capacity)
    self.spill = spill
  }

  /// Adds a chain of rows.
  func add(first: Int, count: Int) {
    for panel in 0..<deltas.split.panels {
      let width = deltas.width(panel)
      let delta = call.deltas + deltas.start(panel) + first * width
      let column = deltas.split.start(panel) * Vector.width
      add(delta, width: width, column: column, first, count)
    }
  }

  /// dW [W, K] of one panel of deltas, whose columns are the rows of the tiles.
  private func add(
    _ delta: UnsafePointer<Float>, width: Int, column: Int, _ first: Int, _ count: Int
  ) {
    let lanes = min(width, call.width - column)
    let tileRows = WeightGradientBuffers.tileRows
    for panel in 0..<operands.split.panels {
      let (start, vectors) = (
        operands.split.start(panel) * Vector.width, operands.split.width(panel)
      )
      let operand = call.operands + operands.start(panel) + first * operands.width(panel)
      var lane = 0
      while lane < lanes {
        GradientTile(
          segments: 1, segment: count, a: delta + lane, aStep: width, aSegment: 0, w: operand,
          wStep: vectors * Vector.width, wSegment: 0,
          out: call.gradient + (column + lane) * call.depth + start, outRow: call.depth,
          columns: call.depth - start, spill: spill
        ).run(rows: min(tileRows, lanes - lane), vectors: vectors)
        lane += tileRows
      }
    }
  }
}
