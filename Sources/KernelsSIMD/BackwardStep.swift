// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// One time step of a group of rows in the backward pass.
struct BackwardStep {
  let call: BackwardCall<Float>
  let buffers: BackwardBuffers
  let t: Int
  let slot: Int
  let firstRow: Int
  let rows: Int
  let saved: SavedPlace

  /// Computes da W_hh for the gate gradients in a slot and one panel of columns.
  @inline(__always)
  func hiddenGradient(panel: Int, slot: Int, prefetching prefetch: Prefetch? = nil) -> Product {
    let (order, split) = (buffers.order, buffers.hiddenSplit)
    return Product(
      a: buffers.da + slot * buffers.slotStride(rows: rows), row: order.blockWidth,
      segments: order.blocks, segment: order.blockWidth,
      segmentStride: buffers.blockStride(rows: rows),
      w: buffers.recurrentWeights + split.start(panel) * Vector.width * order.paddedWidth,
      start: buffers.zeros, vectors: split.width(panel), rows: rows, prefetching: prefetch)
  }

  /// Copies the gradient of the final h; the last step has no product.
  func finalHidden(panel: Int) {
    let (split, H) = (buffers.hiddenSplit, call.geometry.hidden)
    let (block, width) = (split.start(panel), split.width(panel))
    for row in 0..<rows {
      for inner in 0..<width {
        let value = call.finalGradient.hidden.map {
          Vector.loading(
            $0 + (firstRow + row) * H + (block + inner) * Vector.width,
            buffers.units.lanes(block + inner))
        }
        (value ?? Vector(repeating: 0))
          .store(buffers.product + (row * width + inner) * Vector.width)
      }
    }
  }

  /// dx_t = dg_t W_ih for this step and the steps after it, `inputSteps` at a time.
  func inputGradient() {
    guard let dx = call.dx else { return }
    let (order, split) = (buffers.order, buffers.inputSplit)
    let (C, N) = (call.geometry.inputs, call.geometry.rows)
    let steps = (call.geometry.steps - 1 - t) % buffers.inputSteps + 1
    guard steps == buffers.inputSteps || t == 0 else { return }
    // Neighbouring slots, the last step first.
    let firstSlot = slot - (steps - 1)
    for panel in 0..<split.panels {
      let (block, width) = (split.start(panel), split.width(panel))
      Product(
        a: buffers.dg + firstSlot * buffers.slotStride(rows: rows), row: order.blockWidth,
        segments: order.blocks, segment: order.blockWidth,
        segmentStride: buffers.blockStride(rows: rows),
        w: buffers.inputWeights + block * Vector.width * order.paddedWidth, start: buffers.zeros,
        vectors: width, rows: steps * rows
      ).run(out: buffers.product)
      var from = buffers.product
      for step in (t..<t + steps).reversed() {
        for row in 0..<rows {
          let to = dx + (step * N + firstRow + row) * C
          for inner in block..<block + width {
            Vector(from).storing(C - inner * Vector.width, to + inner * Vector.width)
            from += Vector.width
          }
        }
      }
    }
  }

  /// dL/dh_0 = da_1 W_hh + the part that bypasses a, after the step t = 0.
  func initialHidden(into target: UnsafeMutablePointer<Float>) {
    let (split, H) = (buffers.hiddenSplit, call.geometry.hidden)
    for panel in 0..<split.panels {
      if call.geometry.steps > 0 {
        hiddenGradient(panel: panel, slot: slot).run(out: buffers.product)
      } else {
        finalHidden(panel: panel)
      }
      let (block, width) = (split.start(panel), split.width(panel))
      for row in 0..<rows {
        for inner in 0..<width {
          let direct = Vector(buffers.dh + ((block + inner) * rows + row) * Vector.width)
          let sum = Vector(buffers.product + (row * width + inner) * Vector.width) + direct
          sum.storing(
            buffers.units.lanes(block + inner),
            target + (firstRow + row) * H + (block + inner) * Vector.width)
        }
      }
    }
  }
}
