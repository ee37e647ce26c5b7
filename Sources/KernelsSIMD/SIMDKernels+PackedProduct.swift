// SPDX-License-Identifier: Apache-2.0

public import KernelInterface

// A packed matrix has the layout of `Product`, [panel][k][column]. Columns of zeros fill its last
// vector.

extension SIMDKernels {
  /// The size of a packed matrix of K x M in floats.
  public static func packedCount(depth: Int, columns: Int) -> Int {
    Units(columns, gates: 1).paddedWidth * depth
  }

  /// Packs a matrix for products with it.
  public static func pack(_ call: PackCall<Float>) {
    let units = Units(call.columns, gates: 1)
    let split = PanelSplit(blocks: units.blocks, limit: 4)
    if call.isTransposed {
      Packing.transposedColumns(
        call.source, depth: call.depth, units: units, split: split, into: call.target)
    } else {
      Packing.columns(
        call.source, depth: call.depth, units: units, split: split, into: call.target)
    }
  }

  /// y = x Wᵀ + b or y += x Wᵀ, with the bits of a row independent of the other rows.
  public static func multiply(_ call: PackedProductCall<Float>) {
    Arena.with({ PackedProductBuffers(columns: call.columns, arena: &$0) }) { buffers in
      Packing.bias(call.bias, units: buffers.units, into: buffers.bias)
      // Rows are processed in groups, so that they and the panel's sums stay in the second-level
      // cache.
      var first = 0
      while first < call.rows {
        let group = min(PackedProductBuffers.groupRows, call.rows - first)
        multiply(call, buffers, rows: first, count: group)
        first += group
      }
    }
  }

  private static func multiply(
    _ call: PackedProductCall<Float>, _ buffers: PackedProductBuffers, rows first: Int, count: Int
  ) {
    let split = buffers.split
    let y = call.y + first * call.columns
    for panel in 0..<split.panels {
      let (block, width) = (split.start(panel), split.width(panel))
      let column = block * Vector.width
      let product = Product(
        a: call.x + first * call.depth, row: call.depth, segment: call.depth,
        w: call.packed + column * call.depth,
        start: call.isAdding ? nil : buffers.bias + column, vectors: width, rows: count)
      buffers.run(product, panel: panel, into: y)
    }
  }
}

/// The work areas of one product.
struct PackedProductBuffers {
  /// The largest number of rows in a call of `run`.
  static var groupRows: Int { 240 }

  let units: Units
  let split: PanelSplit
  let bias: UnsafeMutablePointer<Float>
  /// The last panel, if it is wider than the remaining columns of y: [row][column].
  private let product: UnsafeMutablePointer<Float>

  init(columns: Int, arena: inout Arena) {
    units = Units(columns, gates: 1)
    split = PanelSplit(blocks: units.blocks, limit: 4)
    bias = arena.take(units.paddedWidth)
    product = arena.take(PackedProductBuffers.groupRows * 4 * Vector.width)
  }

  /// Computes a panel of y [rows, columns].
  @inline(__always)
  func run(_ product: Product, panel: Int, into y: UnsafeMutablePointer<Float>) {
    let column = split.start(panel) * Vector.width
    if column + split.width(panel) * Vector.width <= units.count {
      return product.run(out: y + column, outRow: units.count)
    }
    // The last panel is wider than the remaining columns of y.
    if product.start == nil { load(y, panel: panel, rows: product.rows) }
    product.run(out: self.product)
    store(y, panel: panel, rows: product.rows)
  }

  /// Loads a panel of y.
  private func load(_ y: UnsafeMutablePointer<Float>, panel: Int, rows: Int) {
    let (block, width) = (split.start(panel), split.width(panel))
    for row in 0..<rows {
      for inner in 0..<width {
        Vector.loading(
          y + row * units.count + (block + inner) * Vector.width, units.lanes(block + inner)
        ).store(product + (row * width + inner) * Vector.width)
      }
    }
  }

  /// Writes a panel to y.
  private func store(_ y: UnsafeMutablePointer<Float>, panel: Int, rows: Int) {
    let (block, width) = (split.start(panel), split.width(panel))
    for row in 0..<rows {
      for inner in 0..<width {
        Vector(product + (row * width + inner) * Vector.width).storing(
          units.lanes(block + inner), y + row * units.count + (block + inner) * Vector.width)
      }
    }
  }
}
