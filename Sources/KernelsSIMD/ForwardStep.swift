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
  @inline(__always)
  func input(panel: Int, gates: Int) -> Product {
    let inputs = call.geometry.inputs
    let column = buffers.split.start(panel) * gates * Vector.width
    return Product(
      a: call.x + (t * call.geometry.rows + firstRow) * inputs, row: inputs, segment: inputs,
      w: buffers.inputWeights + column * inputs, start: buffers.inputBias + column,
      vectors: buffers.split.width(panel) * gates)
  }

  /// The product h_{t-1} W_hhᵀ + b_hh for one panel of columns.
  @inline(__always)
  func recurrent(panel: Int, gates: Int) -> Product {
    let hidden = call.geometry.hidden
    let column = buffers.split.start(panel) * gates * Vector.width
    return Product(
      a: h, row: buffers.hRow, segment: hidden, w: buffers.recurrentWeights + column * hidden,
      start: buffers.recurrentBias + column, vectors: buffers.split.width(panel) * gates)
  }
}
