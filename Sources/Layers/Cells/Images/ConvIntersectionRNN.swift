// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The intersection network with convolutions (Collins, Sohl-Dickstein and Sussillo, ICLR 2017):
/// a gate in time for the state h, and one in depth for the output y, which the input can pass.
///
///     g_h, c, g_y, d = W_ih * x + b + W_hh * h
///     h' = σ(g_h) h + (1 - σ(g_h)) tanh(c)
///     y  = σ(g_y) x + (1 - σ(g_y)) max(d, 0)
///
/// x is a map of H channels. The authors add 1 to both gates in every step; here their biases start
/// at 1.
public struct ConvIntersectionRNN: MapCellFamily {
  public init() {}
  public var body: String { "intersection" }
  public var usesGateBias: Bool { true }
  public var addsInput: Bool { true }

  func cell<Scalar: KernelScalar>(
    on geometry: MapGeometry, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> { Cell<Scalar>(geometry: geometry) }

  private struct Cell<Scalar: KernelScalar>: MapCell {
    let geometry: MapGeometry

    var products: [CellProduct] {
      [
        geometry.product("weight_ih", bias: "bias", of: .input, blocks: 4),
        geometry.product("weight_hh", of: .state(1), blocks: 4),
      ]
    }
    /// y is the output to the next layer, h the state for the next step.
    var forgetting: [Int] { [0, 2] }
    var states: [NamedShape] { [geometry.map("y"), geometry.map("h")] }
    /// The two gates, each with its candidate, after their activations.
    var tape: [NamedShape] { [geometry.map("gates", blocks: 4)] }
    var scratch: [NamedShape] { [geometry.map("dx")] }

    func step(_ s: CellStep<Scalar>) {
      let (sums, gates) = (geometry.blocks(s.products[1]), geometry.blocks(s.tape[0]))
      geometry.add(geometry.blocks(s.products[0]), to: sums)
      geometry.apply(
        .carriedUpdate, [sums[0], sums[1], geometry.block(s.before[1])],
        to: [geometry.block(s.after[1]), gates[0], gates[1]])
      geometry.apply(
        .rectifiedUpdate, [sums[2], sums[3], geometry.block(s.input)],
        to: [geometry.block(s.after[0]), gates[2], gates[3]])
    }

    func adjoint(_ s: CellAdjoint<Scalar>) {
      let (deltas, gates) = (geometry.blocks(s.dProducts[1]), geometry.blocks(s.tape[0]))
      let dx = geometry.blocks(s.scratch[0])
      geometry.apply(
        .carriedUpdateAdjoint,
        [geometry.block(s.dAfter[1]), gates[0], gates[1], geometry.block(s.before[1])],
        to: [deltas[0], deltas[1], geometry.block(s.dBefore[1])])
      geometry.apply(
        .rectifiedUpdateAdjoint,
        [geometry.block(s.dAfter[0]), gates[2], gates[3], geometry.block(s.input)],
        to: [deltas[2], deltas[3], dx[0]])
      if let dInput = s.dInput { geometry.add(dx, to: geometry.blocks(dInput)) }
      s.dProducts[0].copy(from: s.dProducts[1])
      s.dBefore[0].fill(0)
    }
  }
}
