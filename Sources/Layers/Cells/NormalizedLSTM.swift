// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// An LSTM with three norms: of the input's product, of the state's product, and of the cell state
/// before the output gate (Ba, Kiros and Hinton, 2016; over the last k steps: Pospisil, Zadorozhnyy
/// and Ye, 2022).
///
///     f, i, o, g = N_x(x W_ih + b_ih) + N_h(h W_hh + b_hh)
///     c' = σ(f) c + σ(i) tanh(g),   h' = σ(o) tanh(N_c(c'))
///
/// A norm is over all 4H numbers of its term, and has a gain and a shift for each; `CellNorm` has
/// its equation. The cell state is carried without normalisation.
public struct NormalizedLSTM: CellFamily {
  /// The norm N of both terms and of the cell state.
  package let normalization: Normalization

  public init(_ normalization: Normalization) { self.normalization = normalization }
  public var summary: String { normalization.summary }
  public var body: String { "lstm" }

  public func cell<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, constants: CellConstants, named name: LayerName, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> {
    Cell<Scalar>(H: hidden, constants: constants, name: name)
  }

  private struct Cell<Scalar: KernelScalar>: NormalizedCell {
    let H: Int
    let name: LayerName
    let norms: [CellNorm<Scalar>]
    let carriesWindows: Bool

    init(H: Int, constants: CellConstants, name: LayerName) {
      self.H = H
      self.name = name
      norms = [("_ih", 4 * H), ("_hh", 4 * H), ("_c", H)].enumerated().map { place, norm in
        CellNorm(
          norm.0, width: norm.1, window: constants.window, place: place, states: 2, named: name)
      }
      carriesWindows = constants.carryWindow
    }

    var products: [CellProduct] {
      [
        CellProduct(name.of("weight_ih"), bias: name.of("bias_ih"), of: .input, width: 4 * H),
        CellProduct(name.of("weight_hh"), bias: name.of("bias_hh"), of: .state(0), width: 4 * H),
      ]
    }
    var vectors: [NamedShape] { norms.flatMap(\.vectors) }
    var states: [NamedShape] {
      [NamedShape("h", [H]), NamedShape("c", [H])] + norms.flatMap(\.states)
    }
    /// The tapes of the norms, the gates f, i, o, g after their activations, and tanh(N_c(c')).
    var tape: [NamedShape] {
      norms.flatMap(\.tape) + [NamedShape("gates", [4 * H]), NamedShape("tanh", [H])]
    }

    @specialized(where Scalar == Float)
    func step(_ s: CellStep<Scalar>) {
      let (gates, t) = (s.tape[6], s.tape[7])
      norms[0].forward(s.products[0], into: gates, s)
      norms[1].forward(s.products[1], into: gates, isAdding: true, s)
      Pointwise.apply(
        .lstmGates, columns: H, inputs: gates.blocks(4, of: H) + [ColumnBlock(s.before[1])],
        outputs: gates.blocks(4, of: H) + [ColumnBlock(s.after[1])])
      norms[2].forward(s.after[1], into: t, s)
      Pointwise.apply(
        .lstmOutput, columns: H, inputs: [gates.blocks(4, of: H)[2], ColumnBlock(t)],
        outputs: [ColumnBlock(s.after[0]), ColumnBlock(t)])
    }

    @specialized(where Scalar == Float)
    func adjoint(_ s: CellAdjoint<Scalar>) {
      let (gates, t) = (s.tape[6].blocks(4, of: H), ColumnBlock(s.tape[7]))
      let (deltas, dc) = (s.dProducts[0].blocks(4, of: H), s.dBefore[1])
      Pointwise.apply(
        .lstmOutputAdjoint, columns: H, inputs: [ColumnBlock(s.dAfter[0]), gates[2], t],
        outputs: [deltas[2], ColumnBlock(dc)])
      norms[2].backward(dc, into: dc, s)
      Pointwise.apply(
        .sum, columns: H, inputs: [ColumnBlock(s.dAfter[1]), ColumnBlock(dc)],
        outputs: [ColumnBlock(dc)])
      Pointwise.apply(
        .lstmGatesAdjoint, columns: H,
        inputs: [ColumnBlock(dc), deltas[2]] + gates + [ColumnBlock(s.before[1])],
        outputs: deltas + [ColumnBlock(dc)])
      norms[1].backward(s.dProducts[0], into: s.dProducts[1], s)
      norms[0].backward(s.dProducts[0], into: s.dProducts[0], s)
      s.dBefore[0].fill(0)
    }
  }
}
