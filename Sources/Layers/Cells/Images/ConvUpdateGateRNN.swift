// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The update gate network with convolutions (Collins, Sohl-Dickstein and Sussillo, ICLR 2017):
/// one gate between the state and its candidate.
///
///     g, c = W_ih * x + b + W_hh * h
///     h' = σ(g) h + (1 - σ(g)) tanh(c)
///
/// The authors add 1 to g in every step; here the bias starts at 1.
public struct ConvUpdateGateRNN: MapCellFamily {
  public init() {}
  public var body: String { "update gate" }
  public var usesGateBias: Bool { true }

  func cell<Scalar: KernelScalar>(
    on geometry: MapGeometry, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> { Cell<Scalar>(geometry: geometry) }

  private struct Cell<Scalar: KernelScalar>: MapCell {
    let geometry: MapGeometry

    var products: [CellProduct] {
      [
        geometry.product("weight_ih", bias: "bias", of: .input, blocks: 2),
        geometry.product("weight_hh", of: .state(0), blocks: 2),
      ]
    }
    var forgetting: [Int] { [0] }
    var states: [NamedShape] { [geometry.map("h")] }
    /// g and c after their activations.
    var tape: [NamedShape] { [geometry.map("gates", blocks: 2)] }

    func step(_ s: CellStep<Scalar>) {
      let sums = geometry.blocks(s.products[1])
      geometry.add(geometry.blocks(s.products[0]), to: sums)
      geometry.apply(
        .carriedUpdate, sums + geometry.blocks(s.before[0]),
        to: geometry.blocks(s.after[0]) + geometry.blocks(s.tape[0]))
    }

    func adjoint(_ s: CellAdjoint<Scalar>) {
      geometry.apply(
        .carriedUpdateAdjoint,
        geometry.blocks(s.dAfter[0]) + geometry.blocks(s.tape[0]) + geometry.blocks(s.before[0]),
        to: geometry.blocks(s.dProducts[1]) + geometry.blocks(s.dBefore[0]))
      s.dProducts[0].copy(from: s.dProducts[1])
    }
  }
}
