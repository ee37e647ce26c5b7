extension SIMDKernels {
  /// Y = X Wᵀ + b, with the bits of a row independent of the other rows.
  ///
  /// - Parameters:
  ///   - x: [rows, inputs]
  ///   - weight: [outputs, inputs]
  ///   - bias: [outputs]; nil is zero
  ///   - y: [rows, outputs], overwritten
  public static func linear(
    x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    y: UnsafeMutablePointer<Float>, rows: Int, inputs: Int, outputs: Int
  ) {
    Arena.with({ LinearBuffers(inputs: inputs, outputs: outputs, arena: &$0) }) { buffers in
      buffers.pack(weight, bias, inputs: inputs)
      // Groups of rows, so that neither they nor the panel's sums leave the second-level cache.
      var first = 0
      while first < rows {
        let group = min(LinearBuffers.groupRows, rows - first)
        linear(
          buffers, x: x + first * inputs, y: y + first * outputs, rows: group, inputs: inputs)
        first += group
      }
    }
  }

  private static func linear(
    _ buffers: LinearBuffers, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, rows: Int,
    inputs: Int
  ) {
    let (units, split) = (buffers.units, buffers.split)
    for panel in 0..<split.panels {
      let (block, width) = (split.start(panel), split.width(panel))
      Product(
        a: x, row: inputs, segment: inputs,
        w: buffers.weights + block * Vector.width * inputs,
        start: buffers.bias + block * Vector.width, vectors: width
      ).run(rows: rows, out: buffers.product)
      for row in 0..<rows {
        for inner in 0..<width {
          Vector(buffers.product + (row * width + inner) * Vector.width).storing(
            units.lanes(block + inner),
            y + row * units.count + (block + inner) * Vector.width)
        }
      }
    }
  }
}

/// Packed weights of one linear call.
private struct LinearBuffers {
  static var groupRows: Int { 240 }

  let units: Units
  let split: PanelSplit
  let weights: UnsafeMutablePointer<Float>  // [panel][k][column]
  let bias: UnsafeMutablePointer<Float>
  let product: UnsafeMutablePointer<Float>  // [row][column], one panel

  init(inputs: Int, outputs: Int, arena: inout Arena) {
    units = Units(outputs, gates: 1)
    split = PanelSplit(blocks: units.blocks, limit: 4)
    weights = arena.take(units.paddedWidth * inputs)
    bias = arena.take(units.paddedWidth)
    product = arena.take(LinearBuffers.groupRows * 4 * Vector.width)
  }

  func pack(_ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?, inputs: Int) {
    Packing.columns(weight, depth: inputs, units: units, split: split, into: weights)
    Packing.bias(bias, units: units, into: self.bias)
  }
}
