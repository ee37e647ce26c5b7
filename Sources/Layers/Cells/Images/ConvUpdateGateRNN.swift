import Kernels
import RandomNumbers
import Tensors

/// The update gate network with convolutions (Collins, Sohl-Dickstein and Sussillo, ICLR 2017):
/// one gate between the state and its candidate.
///
///     g, c = W_ih * x + b + W_hh * h
///     h' = σ(g) h + (1 - σ(g)) tanh(c)
///
/// The authors add 1 to g in every step; here it is where the bias starts.
public struct ConvUpdateGateRNN: CellFamily {
  public init() {}
  public var summary: String { "convolution" }
  public var body: String { "update gate" }
  public var readsMaps: Bool { true }
  public var usesGateBias: Bool { true }

  public func cell<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, constants: CellConstants, named name: LayerName, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> {
    Cell<Scalar>(
      geometry: MapGeometry(
        inputs: inputs, hidden: hidden, constants: constants.map, named: name))
  }

  private struct Cell<Scalar: KernelScalar>: MapCell {
    let geometry: MapGeometry

    var products: [CellProduct] {
      [
        geometry.product("weight_ih", bias: "bias", of: .input, blocks: 2),
        geometry.product("weight_hh", of: .state(0), blocks: 2),
      ]
    }
    var vectors: [NamedShape] { [] }
    var states: [NamedShape] { [geometry.map("h")] }
    /// g and c as they work.
    var tape: [NamedShape] { [geometry.map("gates", blocks: 2)] }

    func initialize(
      _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
    ) {
      geometry.initialize(
        products, parameters, gateBias: gateBias, forgetting: [0], stream: &stream)
    }

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
