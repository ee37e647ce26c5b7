// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import Tensors

/// A tanh cell whose pre-activation is normalised over its units (Ba, Kiros and Hinton, 2016), or
/// over its units in the last k steps (Pospisil, Zadorozhnyy and Ye, 2022).
///
///     h' = tanh(N(x W_ih + h W_hh))
///
/// `CellNorm` has the equation of N.
public struct NormalizedRNN: CellFamily {
  /// The norm N.
  package let normalization: Normalization

  public init(_ normalization: Normalization) { self.normalization = normalization }
  public var summary: String { normalization.summary }
  public var body: String { "tanh" }

  public func cell<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, constants: CellConstants, named name: LayerName, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> {
    Cell<Scalar>(hidden: hidden, constants: constants, name: name)
  }

  private struct Cell<Scalar: KernelScalar>: NormalizedCell {
    let hidden: Int
    let name: LayerName
    let norm: CellNorm<Scalar>
    let carriesWindows: Bool

    init(hidden: Int, constants: CellConstants, name: LayerName) {
      self.hidden = hidden
      self.name = name
      norm = CellNorm(
        "", width: hidden, window: constants.window, place: 0, states: 1, named: name)
      carriesWindows = constants.carryWindow
    }

    var norms: [CellNorm<Scalar>] { [norm] }
    var products: [CellProduct] {
      [
        CellProduct(name.of("weight_ih"), bias: nil, of: .input, width: hidden),
        CellProduct(
          name.of("weight_hh"), bias: nil, of: .state(0), width: hidden, addsTo: 0),
      ]
    }
    var vectors: [NamedShape] { norm.vectors }
    var states: [NamedShape] { [NamedShape("h", [hidden])] + norm.states }
    var tape: [NamedShape] { norm.tape }

    func initialize(
      _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
    ) {
      Initialization.orthogonal(parameters[name.of("weight_ih")], stream: &stream)
      Initialization.identity(parameters[name.of("weight_hh")])
      norm.initialize(parameters)
    }

    @specialized(where Scalar == Float)
    func step(_ s: CellStep<Scalar>) {
      let h = s.after[0]
      norm.forward(s.products[0], into: h, s)
      Pointwise.apply(
        .tanh, columns: hidden, inputs: [ColumnBlock(h)], outputs: [ColumnBlock(h)])
    }

    @specialized(where Scalar == Float)
    func adjoint(_ s: CellAdjoint<Scalar>) {
      let dz = s.dProducts[0]
      Pointwise.apply(
        .tanhAdjoint, columns: hidden, inputs: [ColumnBlock(s.dAfter[0]), ColumnBlock(s.after[0])],
        outputs: [ColumnBlock(dz)])
      norm.backward(dz, into: dz, s)
      s.dBefore[0].fill(0)
    }
  }
}
