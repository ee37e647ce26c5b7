public import KernelInterface

// A block of rows lies as `GradientTile` reads it, [panel][row][column], with room for `capacity`
// rows in each panel and columns of zeros that fill its last vector. Operands of a few columns lie
// [row][column]: see `addNarrow`.

extension SIMDKernels {
  /// How many floats a block of rows takes.
  public static func rowBlockCount(_ role: GradientRole, rows: Int, columns: Int) -> Int {
    RowBlock(role, columns: columns, capacity: rows).count
  }

  /// Lays out rows for gradients of weights.
  public static func keep(_ call: RowBlockCall<Float>) {
    let block = RowBlock(call.role, columns: call.columns, capacity: call.capacity)
    if block.isNarrow {
      (call.block + call.first * call.columns).update(
        from: call.source, count: call.rows * call.columns)
    } else {
      block.keep(call)
    }
    guard let sums = call.sums else { return }
    let units = block.units
    for vector in 0..<units.blocks {
      let (column, lanes) = (vector * Vector.width, units.lanes(vector))
      var sum = Vector.loading(sums + column, lanes)
      for row in 0..<call.rows {
        sum = sum + Vector.loading(call.source + row * call.columns + column, lanes)
      }
      sum.storing(lanes, sums + column)
    }
  }

  /// dW += Σ_r delta_rᵀ operand_r
  public static func addWeightGradient(_ call: WeightGradientCall<Float>) {
    Arena.with({ $0.take(GradientProduct.spillCount) }) { spill in
      let product = GradientProduct(call, spill: spill)
      for chain in 0..<call.chains {
        let (first, end) = (call.start(ofChain: chain), call.start(ofChain: chain + 1))
        product.add(first: first, count: end - first)
      }
    }
  }
}

/// Where the rows of a block lie.
private struct RowBlock {
  let units: Units
  let split: PanelSplit
  let isNarrow: Bool
  private let capacity: Int

  @inline(__always)
  init(_ role: GradientRole, columns: Int, capacity: Int) {
    units = Units(columns, gates: 1)
    // Of the deltas a tile takes some columns as its rows, or whole panels beside a few operands.
    split = PanelSplit(
      blocks: units.blocks, limit: role == .delta ? 4 : WeightGradientBuffers.panelLimit)
    isNarrow = role == .operand && Blocking.isNarrow(inputs: columns)
    self.capacity = capacity
  }

  var count: Int { capacity * (isNarrow ? units.count : units.paddedWidth) }

  /// Where a panel starts.
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

  /// Room for a tile twice: what hangs over, and the sums of `addNarrow`.
  static var spillCount: Int { 2 * tileCount }
  private static var tileCount: Int { 8 * 4 * Vector.width }

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
      if operands.isNarrow {
        addNarrow(delta, vectors: deltas.split.width(panel), column: column, first, count)
      } else {
        add(delta, width: width, column: column, first, count)
      }
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

  /// The same for so few operands that they would leave most of a vector empty: they are the rows
  /// of the tiles, and the deltas the columns.
  private func addNarrow(
    _ delta: UnsafePointer<Float>, vectors: Int, column: Int, _ first: Int, _ count: Int
  ) {
    let (K, width) = (call.depth, vectors * Vector.width)
    let sums = spill + GradientProduct.tileCount
    let tileRows = Registers.rows(forVectors: vectors)
    var k = 0
    while k < K {
      let rows = min(tileRows, K - k)
      sums.update(repeating: 0, count: rows * width)
      GradientTile(
        segments: 1, segment: count, a: call.operands + first * K + k, aStep: K, aSegment: 0,
        w: delta, wStep: width, wSegment: 0, out: sums, outRow: width, columns: width,
        spill: spill
      ).run(rows: rows, vectors: vectors)
      for row in 0..<rows {
        let target = call.gradient + column * K + k + row
        for lane in 0..<min(width, call.width - column) {
          target[lane * K] += sums[row * width + lane]
        }
      }
      k += rows
    }
  }
}
