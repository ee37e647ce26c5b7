// SPDX-License-Identifier: Apache-2.0

public import KernelInterface

extension SIMDKernels {
  /// y = w(x) Wᵀ + b or y += w(x) Wᵀ, line by line. The windows of a line overlap in the map and
  /// are multiplied without being copied.
  public static func convolve(_ call: ConvolutionCall<Float>) {
    let (grid, group) = (call.windows, PackedProductBuffers.groupRows)
    Arena.with({ PackedProductBuffers(columns: call.columns, arena: &$0) }) { buffers in
      Packing.bias(call.bias, units: buffers.units, into: buffers.bias)
      for panel in 0..<buffers.split.panels {
        let column = buffers.split.start(panel) * Vector.width
        for line in 0..<grid.lines {
          var place = 0
          while place < grid.places {
            let rows = min(group, grid.places - place)
            let product = Product(
              a: call.map + line * grid.lineStep + place * grid.placeStep, row: grid.placeStep,
              segments: grid.runs, segment: grid.run, segmentStride: grid.runStep,
              w: call.packed + column * grid.depth,
              start: call.isAdding ? nil : buffers.bias + column,
              vectors: buffers.split.width(panel), rows: rows)
            buffers.run(
              product, panel: panel,
              into: call.y + (line * grid.places + place) * call.columns)
            place += rows
          }
        }
      }
    }
  }

  /// dW += dyᵀ w(x)
  public static func addConvolutionGradient(_ call: ConvolutionGradientCall<Float>) {
    Arena.with({ $0.take(GradientTile.spillCount) }) { spill in
      for chain in 0..<call.chains {
        // A tile's rows read one cache line of deltas per place. These lines stay in the
        // first-level cache while all windows are multiplied with them.
        var lane = 0
        while lane < call.width {
          let rows = min(WeightGradientBuffers.tileRows, call.width - lane)
          add(call, chain: chain, lane: lane, rows: rows, spill: spill)
          lane += rows
        }
      }
    }
  }

  /// Adds a chain to some rows of dW.
  private static func add(
    _ call: ConvolutionGradientCall<Float>, chain: Int, lane: Int, rows: Int,
    spill: UnsafeMutablePointer<Float>
  ) {
    let (grid, M) = (call.windows, call.width)
    let (first, end) = (call.line(ofChain: chain), call.line(ofChain: chain + 1))
    let split = PanelSplit(
      blocks: Units(grid.run, gates: 1).blocks, limit: WeightGradientBuffers.panelLimit)
    for run in 0..<grid.runs {
      for panel in 0..<split.panels {
        let column = split.start(panel) * Vector.width
        GradientTile(
          segments: end - first, segment: grid.places,
          a: call.deltas + first * grid.places * M + lane, aStep: M, aSegment: grid.places * M,
          w: call.map + first * grid.lineStep + run * grid.runStep + column,
          wStep: grid.placeStep, wSegment: grid.lineStep,
          out: call.gradient + lane * grid.depth + run * grid.run + column, outRow: grid.depth,
          columns: grid.run - column, spill: spill
        ).run(rows: rows, vectors: split.width(panel))
      }
    }
  }
}
