// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The convolutional GRU (Ballas et al., ICLR 2016, as in the zoo of Nayebi et al.), with the reset
/// gate before the candidate's product, as in the unit's first paper (Cho et al., 2014).
///
///     r = σ(W_rx * x + b_r + W_rh * h),  likewise u
///     c = tanh(W_cx * x + b_c + W_ch * (r h))
///     h' = u h + (1 - u) c
///
/// TensorFlow adds a bias of 1 to r in every step; here the bias starts at 1.
public struct ConvGRU: MapCellFamily {
  public init() {}
  public var body: String { "gru" }
  public var usesGateBias: Bool { true }

  func cell<Scalar: KernelScalar>(
    on geometry: MapGeometry, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> { Cell<Scalar>(geometry: geometry) }

  private struct Cell<Scalar: KernelScalar>: MapCell {
    let geometry: MapGeometry

    /// Blocks: r, u, c of the input; r, u of h; c of r h.
    var products: [CellProduct] {
      [
        geometry.product("weight_ih", bias: "bias", of: .input, blocks: 3),
        geometry.product("weight_hh", of: .state(0), blocks: 2),
        geometry.product("weight_ch", of: .updated(1), stage: 1),
      ]
    }
    var forgetting: [Int] { [0, 1] }
    var states: [NamedShape] { [geometry.map("h"), geometry.map("reset")] }
    /// r h is computed again in every step.
    var restartingStates: Set<String> { ["reset"] }
    /// r, u and c.
    var tape: [NamedShape] { [geometry.map("gates", blocks: 3)] }
    var scratch: [NamedShape] { [geometry.map("dh")] }

    func step(_ s: CellStep<Scalar>) {
      let (input, hidden) = (geometry.blocks(s.products[0]), geometry.blocks(s.products[1]))
      let (gates, h) = (geometry.blocks(s.tape[0]), geometry.block(s.before[0]))
      if s.stage == 0 {
        geometry.add([input[0], input[1]], to: hidden)
        geometry.apply(.resetState, [hidden[0], h], to: [geometry.block(s.after[1]), gates[0]])
      } else {
        let candidate = geometry.block(s.products[2])
        geometry.add([input[2]], to: [candidate])
        geometry.apply(
          .carriedUpdate, [hidden[1], candidate, h],
          to: [geometry.block(s.after[0]), gates[1], gates[2]])
      }
    }

    func adjoint(_ s: CellAdjoint<Scalar>) {
      let (dInput, dHidden) = (geometry.blocks(s.dProducts[0]), geometry.blocks(s.dProducts[1]))
      let (gates, h) = (geometry.blocks(s.tape[0]), geometry.block(s.before[0]))
      let (dAfter, dh) = (s.dAfter.map(geometry.block), geometry.block(s.dBefore[0]))
      if s.stage == 1 {
        let dCandidate = geometry.block(s.dProducts[2])
        geometry.apply(
          .carriedUpdateAdjoint, [dAfter[0], gates[1], gates[2], h],
          to: [dHidden[1], dCandidate, dh])
        geometry.apply(.copy, [dHidden[1]], to: [dInput[1]])
        geometry.apply(.copy, [dCandidate], to: [dInput[2]])
      } else {
        let throughReset = geometry.blocks(s.scratch[0])
        geometry.apply(
          .resetStateAdjoint, [dAfter[1], gates[0], h], to: [dHidden[0]] + throughReset)
        geometry.apply(.copy, [dHidden[0]], to: [dInput[0]])
        geometry.add(throughReset, to: [dh])
        s.dBefore[1].fill(0)
      }
    }
  }
}
