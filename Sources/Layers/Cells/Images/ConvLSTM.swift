// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The convolutional LSTM (Shi et al., NeurIPS 2015), without peepholes, as TensorFlow's
/// ConvLSTMCell: all gates see input and output through one window.
///
///     f, i, o, g = W_ih * x + b + W_hh * h
///     c' = σ(f) c + σ(i) tanh(g),   h' = σ(o) tanh(c')
///
/// TensorFlow adds a forget bias of 1 in every step; here the bias of f starts at 1.
public struct ConvLSTM: MapCellFamily {
  public init() {}
  public var body: String { "lstm" }
  public var usesGateBias: Bool { true }

  func cell<Scalar: KernelScalar>(
    on geometry: MapGeometry, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> { Cell<Scalar>(geometry: geometry) }

  private struct Cell<Scalar: KernelScalar>: MapCell {
    let geometry: MapGeometry

    var products: [CellProduct] {
      [
        geometry.product("weight_ih", bias: "bias", of: .input, blocks: 4),
        geometry.product("weight_hh", of: .state(0), blocks: 4),
      ]
    }
    var forgetting: [Int] { [0] }
    var states: [NamedShape] { [geometry.map("h"), geometry.map("c")] }
    /// The gates f, i, o, g after their activations, and tanh(c').
    var tape: [NamedShape] { [geometry.map("gates", blocks: 4), geometry.map("tanh")] }

    func step(_ s: CellStep<Scalar>) {
      let (gates, sums) = (geometry.blocks(s.tape[0]), geometry.blocks(s.products[1]))
      let (before, after) = (s.before.map(geometry.block), s.after.map(geometry.block))
      geometry.add(geometry.blocks(s.products[0]), to: sums)
      geometry.apply(.lstmGates, sums + [before[1]], to: gates + [after[1]])
      geometry.apply(
        .lstmOutput, [gates[2], after[1]], to: [after[0], geometry.block(s.tape[1])])
    }

    func adjoint(_ s: CellAdjoint<Scalar>) {
      let (gates, deltas) = (geometry.blocks(s.tape[0]), geometry.blocks(s.dProducts[1]))
      let (dBefore, dAfter) = (s.dBefore.map(geometry.block), s.dAfter.map(geometry.block))
      let dc = dBefore[1]
      geometry.apply(
        .lstmOutputAdjoint, [dAfter[0], gates[2], geometry.block(s.tape[1])], to: [deltas[2], dc])
      geometry.add([dAfter[1]], to: [dc])
      geometry.apply(
        .lstmGatesAdjoint, [dc, deltas[2]] + gates + [geometry.block(s.before[1])],
        to: deltas + [dc])
      s.dProducts[0].copy(from: s.dProducts[1])
      s.dBefore[0].fill(0)
    }
  }
}
