import Kernels
import RandomNumbers
import Tensors

/// A tanh cell whose pre-activation is normalised over its units (Ba, Kiros and Hinton, 2016).
///
///     h' = tanh(LN(x W_ih + h W_hh)),   LN(z) = (z - mean) / √(variance + 1e-5) · gain + shift
public struct LayerNormRNN: CellFamily {
  public init() {}
  public var summary: String { "layer norm" }
  public var body: String { "tanh" }

  public func cell<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, constants: CellConstants, named name: LayerName, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> {
    Cell<Scalar>(hidden: hidden, name: name)
  }

  private struct Cell<Scalar: KernelScalar>: RecurrentCell {
    let hidden: Int
    let name: LayerName

    var products: [CellProduct] {
      [
        CellProduct(name.of("weight_ih"), bias: nil, of: .input, width: hidden),
        CellProduct(name.of("weight_hh"), bias: nil, of: .state(0), width: hidden),
      ]
    }
    var vectors: [NamedShape] {
      [NamedShape(name.of("gain"), [hidden]), NamedShape(name.of("shift"), [hidden])]
    }
    var states: [NamedShape] { [NamedShape("h", [hidden])] }
    var tape: [NamedShape] {
      [NamedShape("normalised", [hidden]), NamedShape("inverse_deviation", [1])]
    }

    func initialize(
      _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
    ) {
      Initialization.orthogonal(parameters[name.of("weight_ih")], stream: &stream)
      Initialization.identity(parameters[name.of("weight_hh")])
      parameters[name.of("gain")].fill(1)
      parameters[name.of("shift")].fill(0)
    }

    func step(_ s: CellStep<Scalar>) {
      let h = s.after[0]
      Pointwise.apply(
        .sum, columns: hidden, inputs: s.products.map { ColumnBlock($0) },
        outputs: [ColumnBlock(h)])
      LayerNormalization.forward(
        ColumnBlock(h), gain: s.vectors[0], shift: s.vectors[1], into: ColumnBlock(h),
        normalised: ColumnBlock(s.tape[0]), inverseDeviation: ColumnBlock(s.tape[1]))
      Pointwise.apply(
        .tanh, columns: hidden, inputs: [ColumnBlock(h)], outputs: [ColumnBlock(h)])
    }

    func adjoint(_ s: CellAdjoint<Scalar>) {
      let (dx, dh) = (s.dProducts[0], s.dProducts[1])
      Pointwise.apply(
        .tanhAdjoint, columns: hidden, inputs: [ColumnBlock(s.dAfter[0]), ColumnBlock(s.after[0])],
        outputs: [ColumnBlock(dh)])
      LayerNormalization.backward(
        ColumnBlock(dh), normalised: ColumnBlock(s.tape[0]),
        inverseDeviation: ColumnBlock(s.tape[1]), gain: s.vectors[0], into: ColumnBlock(dh),
        dGain: ColumnBlock(s.dVectors[0]), dShift: ColumnBlock(s.dVectors[1]))
      dx.copy(from: dh)
      s.dBefore[0].fill(0)
    }
  }
}
