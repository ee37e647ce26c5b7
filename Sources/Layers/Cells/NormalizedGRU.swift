// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// A GRU with two norms: one of the input's product and one of the state's. It relates to `gru` as
/// `NormalizedLSTM` relates to the LSTM.
///
///     (x_r, x_z, x_n) = N_x(x W_ih + b_ih),   (h_r, h_z, h_n) = N_h(h W_hh + b_hh)
///     r = σ(x_r + h_r),   z = σ(x_z + h_z),   n = tanh(x_n + r · h_n)
///     h' = (1 - z) n + z h
///
/// A norm is over all 3H numbers of its term. `CellNorm` has its equation.
public struct NormalizedGRU: CellFamily {
  /// The norm N of both terms.
  package let normalization: Normalization

  public init(_ normalization: Normalization) { self.normalization = normalization }
  public var summary: String { normalization.summary }
  public var body: String { "gru" }

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
      norms = ["_ih", "_hh"].enumerated().map { place, ending in
        CellNorm(
          ending, width: 3 * H, window: constants.window, place: place, states: 1, named: name)
      }
      carriesWindows = constants.carryWindow
    }

    var products: [CellProduct] {
      [
        CellProduct(name.of("weight_ih"), bias: name.of("bias_ih"), of: .input, width: 3 * H),
        CellProduct(name.of("weight_hh"), bias: name.of("bias_hh"), of: .state(0), width: 3 * H),
      ]
    }
    var vectors: [NamedShape] { norms.flatMap(\.vectors) }
    var states: [NamedShape] { [NamedShape("h", [H])] + norms.flatMap(\.states) }
    /// The tapes of the norms, then r, z, n and h_n, side by side.
    var tape: [NamedShape] { norms.flatMap(\.tape) + [NamedShape("gates", [4 * H])] }

    @specialized(where Scalar == Float)
    func step(_ s: CellStep<Scalar>) {
      let (x, h, gates) = (s.products[0], s.products[1], s.tape[4])
      norms[0].forward(x, into: x, s)
      norms[1].forward(h, into: h, s)
      Pointwise.apply(
        .gru, columns: H,
        inputs: x.blocks(3, of: H) + h.blocks(3, of: H) + s.before[0].blocks(1, of: H),
        outputs: s.after[0].blocks(1, of: H) + gates.blocks(4, of: H))
    }

    @specialized(where Scalar == Float)
    func adjoint(_ s: CellAdjoint<Scalar>) {
      let (dx, dh) = (s.dProducts[0], s.dProducts[1])
      Pointwise.apply(
        .gruAdjoint, columns: H,
        inputs: s.dAfter[0].blocks(1, of: H) + s.tape[4].blocks(4, of: H)
          + s.before[0].blocks(1, of: H),
        outputs: dx.blocks(3, of: H) + dh.blocks(3, of: H) + s.dBefore[0].blocks(1, of: H))
      norms[0].backward(dx, into: dx, s)
      norms[1].backward(dh, into: dh, s)
    }
  }
}
