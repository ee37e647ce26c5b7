import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// One recurrent layer: its parameters by PyTorch's names, and how they start.
///
///     g_t = W_ih x_t + b_ih,   a_t = W_hh h_{t-1} + b_hh
///     d_t = drive(g_t),        h_t = body(d_t, a_t)
///
/// Shapes use T steps, N sequences, C input features, H hidden units, G gates.
public struct RecurrentLayer<Scalar: KernelScalar> {
  public let inputs: Int
  public let hidden: Int
  public let drive: DriveParameters
  public let body: BodyKind

  private let inputWeight: String
  private let recurrentWeight: String
  private let inputBias: String
  private let recurrentBias: String

  /// - Parameters:
  ///   - prefix: what stands before the names of the parameters, such as `rnn.`
  ///   - index: the layer's place in its stack, the `l0` of `weight_ih_l0`
  public init(
    drive: DriveParameters, body: BodyKind, inputs: Int, hidden: Int, prefix: String, index: Int
  ) {
    self.inputs = inputs
    self.hidden = hidden
    self.drive = drive
    self.body = body
    inputWeight = "\(prefix)weight_ih_l\(index)"
    recurrentWeight = "\(prefix)weight_hh_l\(index)"
    inputBias = "\(prefix)bias_ih_l\(index)"
    recurrentBias = "\(prefix)bias_hh_l\(index)"
  }

  /// Declares the parameters.
  public func declare(in layout: inout ParameterLayout) {
    let rows = body.gates * hidden
    layout.add(inputWeight, shape: [rows, inputs])
    layout.add(recurrentWeight, shape: [rows, hidden])
    layout.add(inputBias, shape: [rows])
    layout.add(recurrentBias, shape: [rows])
  }

  /// Sets the starting values of the authors' code: W_ih orthogonal as a whole, W_hh the identity
  /// in its first H rows and zero below, biases zero but for the forget gate (LSTM) or reset gate
  /// (GRU), which gets `gateBias` in *each* of the two biases, so that they add.
  public func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
  ) {
    Initialization.orthogonal(parameters[inputWeight], stream: &stream)
    Initialization.identity(parameters[recurrentWeight])
    for name in [inputBias, recurrentBias] {
      let bias = parameters[name]
      bias.fill(0)
      switch body {
      case .lstm: bias.elements(hidden..<2 * hidden).fill(Scalar(gateBias))
      case .gru: bias.elements(0..<hidden).fill(Scalar(gateBias))
      case .tanh, .modReLU: break
      }
    }
  }

  /// The sizes of a run over T steps of N sequences.
  public func geometry(steps: Int, rows: Int) -> LayerGeometry {
    LayerGeometry(
      steps: steps, rows: rows, inputs: inputs, hidden: hidden, drive: drive, body: body)
  }

  /// The layer's weights in a parameter buffer.
  public func weights(_ parameters: ParameterBuffer<Scalar>) -> RecurrentLayerWeights<Scalar> {
    RecurrentLayerWeights(
      input: parameters[inputWeight], recurrent: parameters[recurrentWeight],
      inputBias: parameters[inputBias], recurrentBias: parameters[recurrentBias])
  }

  /// The places of the layer's weights in a layout.
  public func entries(in layout: ParameterLayout) -> RecurrentLayerEntries {
    guard let input = layout[inputWeight], let recurrent = layout[recurrentWeight] else {
      preconditionFailure("the layer's parameters are not declared in this layout")
    }
    return RecurrentLayerEntries(
      input: input, recurrent: recurrent, inputBias: layout[inputBias],
      recurrentBias: layout[recurrentBias])
  }
}
