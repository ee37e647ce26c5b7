import Kernels
import RandomNumbers
import Tensors

/// An LSTM with three norms: of what comes from the input, of what comes from the state, and of the
/// cell before the output gate (Ba, Kiros and Hinton, 2016).
///
///     f, i, o, g = LN_x(x W_ih + b_ih) + LN_h(h W_hh + b_hh)
///     c' = σ(f) c + σ(i) tanh(g),   h' = σ(o) tanh(LN_c(c'))
///
/// A norm is over all 4H numbers of its term, and has a gain and a shift for each. The cell is
/// carried as it is, not normalised.
public struct LayerNormLSTM: CellFamily {
  public init() {}
  public var summary: String { "layer norm" }
  public var body: String { "lstm" }

  public func cell<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, constants: CellConstants, named name: LayerName, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> {
    Cell<Scalar>(H: hidden, name: name)
  }

  private struct Cell<Scalar: KernelScalar>: RecurrentCell {
    let H: Int
    let name: LayerName

    var products: [CellProduct] {
      [
        CellProduct(name.of("weight_ih"), bias: name.of("bias_ih"), of: .input, width: 4 * H),
        CellProduct(name.of("weight_hh"), bias: name.of("bias_hh"), of: .state(0), width: 4 * H),
      ]
    }
    /// Gain and shift of the three norms.
    var vectors: [NamedShape] {
      [("ih", 4 * H), ("hh", 4 * H), ("c", H)].flatMap { norm, width in
        ["gain", "shift"].map { NamedShape(name.of("\($0)_\(norm)"), [width]) }
      }
    }
    var states: [NamedShape] { [NamedShape("h", [H]), NamedShape("c", [H])] }
    /// What the three norms save, the gates f, i, o, g as they work, and tanh(LN_c(c')).
    var tape: [NamedShape] {
      [("ih", 4 * H), ("hh", 4 * H), ("c", H)].flatMap { norm, width in
        [
          NamedShape("normalised_\(norm)", [width]), NamedShape("inverse_deviation_\(norm)", [1]),
        ]
      } + [NamedShape("gates", [4 * H]), NamedShape("tanh", [H])]
    }

    func initialize(
      _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
    ) {
      Initialization.orthogonal(parameters[name.of("weight_ih")], stream: &stream)
      Initialization.identityBlocks(parameters[name.of("weight_hh")])
      for bias in ["bias_ih", "bias_hh"] { parameters[name.of(bias)].fill(0) }
      for (place, vector) in vectors.enumerated() {
        parameters[vector.name].fill(place % 2 == 0 ? 1 : 0)
      }
    }

    func step(_ s: CellStep<Scalar>) {
      let (gates, t) = (s.tape[6], s.tape[7])
      for (norm, product) in s.products.enumerated() { normalise(norm, product, into: product, s) }
      Pointwise.apply(
        .sum, columns: 4 * H, inputs: s.products.map { ColumnBlock($0) },
        outputs: [ColumnBlock(gates)])
      Pointwise.apply(
        .lstmGates, columns: H, inputs: four(gates) + [ColumnBlock(s.before[1])],
        outputs: four(gates) + [ColumnBlock(s.after[1])])
      normalise(2, s.after[1], into: t, s)
      Pointwise.apply(
        .lstmOutput, columns: H, inputs: [four(gates)[2], ColumnBlock(t)],
        outputs: [ColumnBlock(s.after[0]), ColumnBlock(t)])
    }

    func adjoint(_ s: CellAdjoint<Scalar>) {
      let (gates, t) = (four(s.tape[6]), ColumnBlock(s.tape[7]))
      let (deltas, dc) = (four(s.dProducts[0]), s.dBefore[1])
      Pointwise.apply(
        .lstmOutputAdjoint, columns: H, inputs: [ColumnBlock(s.dAfter[0]), gates[2], t],
        outputs: [deltas[2], ColumnBlock(dc)])
      adjoint(ofNorm: 2, dc, into: dc, s)
      Pointwise.apply(
        .sum, columns: H, inputs: [ColumnBlock(s.dAfter[1]), ColumnBlock(dc)],
        outputs: [ColumnBlock(dc)])
      Pointwise.apply(
        .lstmGatesAdjoint, columns: H,
        inputs: [ColumnBlock(dc), deltas[2]] + gates + [ColumnBlock(s.before[1])],
        outputs: deltas + [ColumnBlock(dc)])
      adjoint(ofNorm: 1, s.dProducts[0], into: s.dProducts[1], s)
      adjoint(ofNorm: 0, s.dProducts[0], into: s.dProducts[0], s)
      s.dBefore[0].fill(0)
    }

    /// The column blocks of f, i, o and g.
    private func four(_ tensor: Tensor<Scalar>) -> [ColumnBlock<Scalar>] {
      (0..<4).map { ColumnBlock(tensor, at: $0 * H) }
    }

    private func normalise(
      _ norm: Int, _ z: Tensor<Scalar>, into y: Tensor<Scalar>, _ s: CellStep<Scalar>
    ) {
      LayerNormalization.forward(
        ColumnBlock(z), gain: s.vectors[2 * norm], shift: s.vectors[2 * norm + 1],
        into: ColumnBlock(y), normalised: ColumnBlock(s.tape[2 * norm]),
        inverseDeviation: ColumnBlock(s.tape[2 * norm + 1]))
    }

    private func adjoint(
      ofNorm norm: Int, _ dy: Tensor<Scalar>, into dz: Tensor<Scalar>, _ s: CellAdjoint<Scalar>
    ) {
      LayerNormalization.backward(
        ColumnBlock(dy), normalised: ColumnBlock(s.tape[2 * norm]),
        inverseDeviation: ColumnBlock(s.tape[2 * norm + 1]), gain: s.vectors[2 * norm],
        into: ColumnBlock(dz), dGain: ColumnBlock(s.dVectors[2 * norm]),
        dShift: ColumnBlock(s.dVectors[2 * norm + 1]))
    }
  }
}
