// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The reciprocal gated cell (Nayebi et al., NeurIPS 2018, equations 3 to 6): the cell state gates
/// the output, and the output gates the cell state. The input is not convolved, so it passes
/// through a cell whose states are zero.
///
///     h' = ELU((1 - σ(W_ch * c)) x + (1 - σ(W_hh * h)) h)
///     c' = ELU((1 - σ(W_hc * h)) x + (1 - σ(W_cc * c)) c)
///
/// x is a map of H channels from the layer below.
public struct ReciprocalGatedCell: MapCellFamily {
  public init() {}
  public var body: String { "reciprocal gated" }
  public var addsInput: Bool { true }

  func cell<Scalar: KernelScalar>(
    on geometry: MapGeometry, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> { Cell<Scalar>(geometry: geometry) }

  private struct Cell<Scalar: KernelScalar>: MapCell {
    let geometry: MapGeometry

    /// The blocks of both are the gates of c' and of h'.
    var products: [CellProduct] {
      [
        geometry.product("weight_hidden", of: .state(0), blocks: 2),
        geometry.product("weight_cell", of: .state(1), blocks: 2),
      ]
    }
    var states: [NamedShape] { [geometry.map("h"), geometry.map("c")] }
    /// The open shares 1 - σ of the gates of x and c in c', and of x and h in h'.
    var tape: [NamedShape] { [geometry.map("gates", blocks: 4)] }
    var scratch: [NamedShape] { [geometry.map("dx")] }

    func step(_ s: CellStep<Scalar>) {
      let (x, before) = (geometry.block(s.input), s.before.map(geometry.block))
      let (hidden, cell) = (geometry.blocks(s.products[0]), geometry.blocks(s.products[1]))
      let gates = geometry.blocks(s.tape[0])
      geometry.apply(
        .reciprocalGate, [x, before[1], hidden[0], cell[0]],
        to: geometry.blocks(s.after[1]) + gates[0...1])
      geometry.apply(
        .reciprocalGate, [x, before[0], cell[1], hidden[1]],
        to: geometry.blocks(s.after[0]) + gates[2...3])
    }

    func adjoint(_ s: CellAdjoint<Scalar>) {
      let x = geometry.block(s.input)
      let (before, after) = (s.before.map(geometry.block), s.after.map(geometry.block))
      let (dBefore, dAfter) = (s.dBefore.map(geometry.block), s.dAfter.map(geometry.block))
      let (dHidden, dCell) = (geometry.blocks(s.dProducts[0]), geometry.blocks(s.dProducts[1]))
      let (gates, dx) = (geometry.blocks(s.tape[0]), geometry.blocks(s.scratch[0]))
      geometry.apply(
        .reciprocalGateAdjoint, [dAfter[1], after[1], gates[0], gates[1], x, before[1]],
        to: [dx[0], dBefore[1], dHidden[0], dCell[0]])
      if let dInput = s.dInput { geometry.add(dx, to: geometry.blocks(dInput)) }
      geometry.apply(
        .reciprocalGateAdjoint, [dAfter[0], after[0], gates[2], gates[3], x, before[0]],
        to: [dx[0], dBefore[0], dCell[1], dHidden[1]])
      if let dInput = s.dInput { geometry.add(dx, to: geometry.blocks(dInput)) }
    }
  }
}
