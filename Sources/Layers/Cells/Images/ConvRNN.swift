// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import Tensors

/// A plain recurrent network of convolutions with a norm, the `SimpleRNN` of Nayebi et al.'s zoo
/// (neuroailab/convrnns, 2022).
///
///     h' = ELU(N(W_ih * x + W_hh * h))
///
/// N is layer normalisation over all places and channels of a map, with a gain and a shift for each
/// of them, as in PyTorch's `LayerNorm([Y, X, H])`. The authors' code has one for each channel.
public struct ConvRNN: MapCellFamily {
  public init() {}
  public var summary: String { "convolution, layer norm" }
  public var body: String { "elu" }

  func cell<Scalar: KernelScalar>(
    on geometry: MapGeometry, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> { Cell<Scalar>(geometry) }

  private struct Cell<Scalar: KernelScalar>: MapCell {
    let geometry: MapGeometry
    private let norm: CellNorm<Scalar>

    init(_ geometry: MapGeometry) {
      self.geometry = geometry
      norm = CellNorm(
        "", width: geometry.places * geometry.hidden, window: 1, place: 0, states: 1,
        named: geometry.name)
    }

    var products: [CellProduct] {
      [
        geometry.product("weight_ih", of: .input),
        geometry.product("weight_hh", of: .state(0)),
      ]
    }
    var vectors: [NamedShape] { norm.vectors }
    var states: [NamedShape] { [geometry.map("h")] }
    var tape: [NamedShape] { norm.tape }

    func initialize(
      _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
    ) {
      MapGeometry.initialize(products, parameters, stream: &stream)
      norm.initialize(parameters)
    }

    func step(_ s: CellStep<Scalar>) {
      let sum = s.products[1]
      geometry.add(geometry.blocks(s.products[0]), to: geometry.blocks(sum))
      norm.forward(sum, into: sum, s)
      geometry.apply(.elu, geometry.blocks(sum), to: geometry.blocks(s.after[0]))
    }

    func adjoint(_ s: CellAdjoint<Scalar>) {
      let delta = s.dProducts[1]
      geometry.apply(
        .eluAdjoint, geometry.blocks(s.dAfter[0]) + geometry.blocks(s.after[0]),
        to: geometry.blocks(delta))
      norm.backward(delta, into: delta, s)
      s.dProducts[0].copy(from: delta)
      s.dBefore[0].fill(0)
    }
  }
}
