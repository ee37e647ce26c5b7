// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The reciprocal gated cell as in its authors' program (neuroailab/convrnns, 2022): it computes
/// its own drive d from the input x; the cell sees a convolution of d, and the gate of the output
/// sees the input itself.
///
///     d  = ELU(W_ff * x + b_ff)
///     c' = ELU((1 - σ(W_hc * h)) (W_ic * d) + (1 - σ(W_cc * c)) c)
///     h' = ELU((1 - σ(W_ch * c + W_rg * x)) d + (1 - σ(W_hh * h)) h)
public struct PublishedReciprocalGatedCell: MapCellFamily {
  public init() {}
  public var body: String { "reciprocal gated, as published" }

  func cell<Scalar: KernelScalar>(
    on geometry: MapGeometry, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> { Cell<Scalar>(geometry: geometry) }

  private struct Cell<Scalar: KernelScalar>: MapCell {
    let geometry: MapGeometry

    /// The blocks of the products of h and c are the gates of c' and of h'.
    var products: [CellProduct] {
      [
        geometry.product("weight_ff", bias: "bias_ff", of: .input),
        geometry.product("weight_rg", of: .input, stage: 1),
        geometry.product("weight_hidden", of: .state(0), blocks: 2, stage: 1),
        geometry.product("weight_cell", of: .state(1), blocks: 2, stage: 1),
        geometry.product("weight_ic", of: .updated(2), stage: 1),
      ]
    }
    var states: [NamedShape] { [geometry.map("h"), geometry.map("c"), geometry.map("drive")] }
    /// d is computed again in every step.
    var restartingStates: Set<String> { ["drive"] }
    /// The open shares 1 - σ of the gates of both terms of c' and of h'; and W_ic * d.
    var tape: [NamedShape] { [geometry.map("gates", blocks: 4), geometry.map("convolved")] }
    var scratch: [NamedShape] { [geometry.map("dd")] }

    func step(_ s: CellStep<Scalar>) {
      let after = s.after.map(geometry.block)
      guard s.stage == 1 else {
        return geometry.apply(.elu, geometry.blocks(s.products[0]), to: [after[2]])
      }
      let before = s.before.map(geometry.block)
      let (hidden, cell) = (geometry.blocks(s.products[2]), geometry.blocks(s.products[3]))
      let gates = geometry.blocks(s.tape[0])
      s.tape[1].copy(from: s.products[4])
      geometry.apply(
        .reciprocalGate, [geometry.block(s.tape[1]), before[1], hidden[0], cell[0]],
        to: [after[1]] + gates[0...1])
      geometry.add(geometry.blocks(s.products[1]), to: [cell[1]])
      geometry.apply(
        .reciprocalGate, [after[2], before[0], cell[1], hidden[1]], to: [after[0]] + gates[2...3])
    }

    func adjoint(_ s: CellAdjoint<Scalar>) {
      let (after, dAfter) = (s.after.map(geometry.block), s.dAfter.map(geometry.block))
      guard s.stage == 1 else {
        geometry.apply(
          .eluAdjoint, [dAfter[2], after[2]], to: geometry.blocks(s.dProducts[0]))
        return s.dBefore[2].fill(0)
      }
      let (before, dBefore) = (s.before.map(geometry.block), s.dBefore.map(geometry.block))
      let (dHidden, dCell) = (geometry.blocks(s.dProducts[2]), geometry.blocks(s.dProducts[3]))
      let (gates, dd) = (geometry.blocks(s.tape[0]), geometry.blocks(s.scratch[0]))
      geometry.apply(
        .reciprocalGateAdjoint,
        [dAfter[1], after[1], gates[0], gates[1], geometry.block(s.tape[1]), before[1]],
        to: [geometry.block(s.dProducts[4]), dBefore[1], dHidden[0], dCell[0]])
      geometry.apply(
        .reciprocalGateAdjoint, [dAfter[0], after[0], gates[2], gates[3], after[2], before[0]],
        to: [dd[0], dBefore[0], dCell[1], dHidden[1]])
      geometry.apply(.copy, [dCell[1]], to: geometry.blocks(s.dProducts[1]))
      geometry.add(dd, to: [dAfter[2]])
    }
  }
}
