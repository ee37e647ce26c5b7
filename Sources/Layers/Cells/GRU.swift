// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import Tensors

/// The gated recurrent unit as a cell (Cho et al., 2014, with the reset gate after the product, as
/// in cuDNN and PyTorch).
///
///     r    = σ(x W_ir + b_ir + h W_hr + b_hr),  z the same with its own weights
///     n    = tanh(x W_in + b_in + r · (h W_hn + b_hn))
///     h'   = (1 - z) n + z h
///
/// `gru` is the same equation in one kernel over all steps. Each loads the other's checkpoints.
/// Benchmarks compare the two, to show the cost of a cell compared with a fused layer.
public struct GRU: CellFamily {
  public init() {}
  public var summary: String { "unrolled" }
  public var body: String { "gru" }
  public var usesGateBias: Bool { true }

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
        CellProduct(
          name.of("weight_ih"), bias: name.of("bias_ih"), of: .input, width: 3 * hidden),
        CellProduct(
          name.of("weight_hh"), bias: name.of("bias_hh"), of: .state(0), width: 3 * hidden),
      ]
    }
    var vectors: [NamedShape] { [] }
    var states: [NamedShape] { [NamedShape("h", [hidden])] }
    /// r, z, n and h W_hn + b_hn, side by side.
    var tape: [NamedShape] { [NamedShape("gates", [4 * hidden])] }

    func initialize(
      _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
    ) {
      Initialization.orthogonal(parameters[name.of("weight_ih")], stream: &stream)
      Initialization.identity(parameters[name.of("weight_hh")])
      for bias in ["bias_ih", "bias_hh"].map({ parameters[name.of($0)] }) {
        bias.fill(0)
        bias.elements(0..<hidden).fill(Scalar(gateBias))
      }
    }

    @specialized(where Scalar == Float)
    func step(_ s: CellStep<Scalar>) {
      let (x, h, gates) = (s.products[0], s.products[1], s.tape[0])
      Pointwise.apply(
        .gru, columns: hidden,
        inputs: x.blocks(3, of: hidden) + h.blocks(3, of: hidden)
          + s.before[0].blocks(1, of: hidden),
        outputs: s.after[0].blocks(1, of: hidden) + gates.blocks(4, of: hidden))
    }

    @specialized(where Scalar == Float)
    func adjoint(_ s: CellAdjoint<Scalar>) {
      Pointwise.apply(
        .gruAdjoint, columns: hidden,
        inputs: s.dAfter[0].blocks(1, of: hidden) + s.tape[0].blocks(4, of: hidden)
          + s.before[0].blocks(1, of: hidden),
        outputs: s.dProducts[0].blocks(3, of: hidden) + s.dProducts[1].blocks(3, of: hidden)
          + s.dBefore[0].blocks(1, of: hidden))
    }
  }
}
