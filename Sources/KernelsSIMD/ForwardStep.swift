// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// One time step of a group of rows in the forward pass.
struct ForwardStep {
  let call: ForwardCall<Float>
  let buffers: ForwardBuffers
  let t: Int
  let firstRow: Int
  let rows: Int
  let h: UnsafeMutablePointer<Float>  // h_{t-1} [row][hRow]
  let hNext: UnsafeMutablePointer<Float>  // h_t
  let saved: SavedPlace

  /// The product x W_ihᵀ + b_ih for one panel of columns.
  ///
  /// - Parameter steps: the number of steps, beginning with this one; more than one only if the
  ///   group has all rows
  @inline(__always)
  func input(panel: Int, gates: Int, steps: Int = 1) -> Product {
    let inputs = call.geometry.inputs
    let column = buffers.split.start(panel) * gates * Vector.width
    return Product(
      a: call.x + (t * call.geometry.rows + firstRow) * inputs, row: inputs, segment: inputs,
      w: buffers.inputWeights + column * inputs, start: buffers.inputBias + column,
      vectors: buffers.split.width(panel) * gates, rows: rows * steps)
  }

  /// The start of the product of a panel with the input, [row][block][gate][lane].
  @inline(__always)
  func g(panel: Int, gates: Int) -> UnsafeMutablePointer<Float> {
    let together = buffers.inputSteps
    guard together > 1 else { return buffers.g }
    let width = gates * Vector.width
    return buffers.g + buffers.split.start(panel) * width * together * rows
      + t % together * rows * buffers.split.width(panel) * width
  }

  /// Computes the products with the inputs of several steps if this step is the first of them.
  /// Weights that do not fit in the caches are then read once for all of these steps.
  @inline(__always)
  func runInputsTogether(gates: Int) {
    let together = buffers.inputSteps
    guard together > 1, t % together == 0 else { return }
    let steps = min(together, call.geometry.steps - t)
    for panel in 0..<buffers.split.panels {
      input(panel: panel, gates: gates, steps: steps).run(out: g(panel: panel, gates: gates))
    }
  }

  /// The product h_{t-1} W_hhᵀ + b_hh for one panel of columns.
  @inline(__always)
  func recurrent(panel: Int, gates: Int) -> Product {
    let hidden = call.geometry.hidden
    let column = buffers.split.start(panel) * gates * Vector.width
    return Product(
      a: h, row: buffers.hRow, segment: hidden, w: buffers.recurrentWeights + column * hidden,
      start: buffers.recurrentBias + column, vectors: buffers.split.width(panel) * gates,
      rows: rows)
  }

  /// Copies h_t to y, if the caller needs it. Each row is written as a whole: if each panel wrote
  /// its own columns, every write would miss the caches (AVX2, H=128: 2 % of a training step).
  func copyHidden() {
    guard let y = call.y else { return }
    let hidden = call.geometry.hidden
    let first = y + (t * call.geometry.rows + firstRow) * hidden
    for row in 0..<rows {
      let (to, from) = (first + row * hidden, hNext + row * buffers.hRow)
      guard buffers.streamsHidden else {
        to.update(from: from, count: hidden)
        continue
      }
      for unit in stride(from: 0, to: hidden, by: Vector.width) {
        Vector(from + unit).stream(to + unit)
      }
    }
  }
}
