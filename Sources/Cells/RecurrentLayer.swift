import BLAS
import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// One recurrent layer: its parameters by PyTorch's names, and how they start.
///
///     g_t = W_ih x_t + b_ih,   a_t = W_hh h_{t-1} + b_hh
///     d_t = drive(g_t),        h_t = body(d_t, a_t)
///
/// A layer of the orthogonal family has no b_ih and b_hh, a bias b of the body, and W_hh = Pᵀ from
/// its `OrthogonalKernel`, whose A it trains as `skew`.
///
/// Shapes use T steps, N sequences, C input features, H hidden units, G gates.
public struct RecurrentLayer<Scalar: KernelScalar> {
  public let inputs: Int
  public let hidden: Int
  public let drive: DriveParameters
  public let body: BodyKind
  public let orthogonal: OrthogonalKernel<Scalar>?
  /// k of `LayerGeometry.recomputeEvery`.
  public var recomputeEvery = 0

  private let inputWeight: String
  private let recurrentWeight: String
  private let inputBias: String
  private let recurrentBias: String
  private let unitBias: String
  private let suffix: String
  private let prefix: String

  /// - Parameters:
  ///   - orthogonal: how W_hh is kept orthogonal; nil trains it freely
  ///   - prefix: what stands before the names of the parameters, such as `rnn.`
  ///   - suffix: what stands behind them: the layer's place in its stack and its direction, such
  ///     as `_l0_reverse`
  public init(
    drive: DriveParameters, body: BodyKind, orthogonal: OrthogonalSettings? = nil, inputs: Int,
    hidden: Int, prefix: String, suffix: String
  ) {
    precondition(
      body != .modReLU || orthogonal != nil, "modReLU needs an orthogonal recurrent matrix")
    precondition(
      drive.kind != .nesterovExtrapolated || body != .gru,
      "the extrapolated Nesterov drive needs a body that uses only the sum of its terms")
    self.inputs = inputs
    self.hidden = hidden
    self.drive = drive
    self.body = body
    self.orthogonal = orthogonal.map { OrthogonalKernel(hidden: hidden, settings: $0) }
    inputWeight = "\(prefix)weight_ih\(suffix)"
    recurrentWeight = orthogonal == nil ? "\(prefix)weight_hh\(suffix)" : "\(prefix)skew\(suffix)"
    inputBias = "\(prefix)bias_ih\(suffix)"
    recurrentBias = "\(prefix)bias_hh\(suffix)"
    unitBias = "\(prefix)bias\(suffix)"
    self.prefix = prefix
    self.suffix = suffix
  }

  /// What a checkpoint must hold besides parameters, by name: the base of an orthogonal matrix and
  /// its counters.
  public var buffers: [(name: String, tensor: Tensor<Scalar>)] {
    guard let orthogonal else { return [] }
    return [
      ("\(prefix)base\(suffix)", orthogonal.base),
      ("\(prefix)rebase_counters\(suffix)", orthogonal.counters),
    ]
  }

  /// How many of its parameters' numbers are not trained: of a skew matrix those on and below the
  /// diagonal.
  public var untrainedCount: Int { orthogonal == nil ? 0 : hidden * (hidden + 1) / 2 }

  /// Declares the parameters.
  public func declare(in layout: inout ParameterLayout) {
    let rows = body.gates * hidden
    layout.add(inputWeight, shape: [rows, inputs])
    layout.add(recurrentWeight, shape: [rows, hidden])
    if body.hasUnitBias {
      layout.add(unitBias, shape: [hidden])
    } else {
      layout.add(inputBias, shape: [rows])
      layout.add(recurrentBias, shape: [rows])
    }
  }

  /// Sets the starting values of the authors' code.
  ///
  /// - Parameter gateBias: where the forget gate (LSTM) or reset gate (GRU) starts, in *each* of
  ///   the two biases, so that they add
  public func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
  ) {
    if let orthogonal {
      // W_ih ~ N(0, 2/C), b ~ U(±0.01), A of the starting angles, Q = I.
      let deviation = (2 / Double(inputs)).squareRoot()
      Initialization.normal(parameters[inputWeight], deviation: deviation, stream: &stream)
      Initialization.uniform(parameters[unitBias], bound: 0.01, stream: &stream)
      orthogonal.initialize(parameters[recurrentWeight], stream: &stream)
      return
    }
    // W_ih orthogonal as a whole; W_hh the identity in its first H rows, zero below.
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

  /// Computes what follows from the parameters: the matrix of an orthogonal layer.
  ///
  /// - Parameter advancing: true once per optimizer step, before its forward pass
  /// - Throws: `LAPACKError` where a parameter is not a number
  public func prepare(
    _ parameters: ParameterBuffer<Scalar>, advancing: Bool
  ) throws(LAPACKError) {
    try orthogonal?.prepare(parameters[recurrentWeight], advancing: advancing)
  }

  /// Takes back the last advancing `prepare`, for a step that does not count.
  public func revert(_ parameters: ParameterBuffer<Scalar>) {
    orthogonal?.revert(parameters[recurrentWeight])
  }

  /// Turns the summed gradient of W_hh into that of the parameter behind it.
  public func finishGradients(_ gradients: ParameterBuffer<Scalar>) throws(LAPACKError) {
    try orthogonal?.finishGradient(gradients[recurrentWeight])
  }

  /// The sizes of a run over T steps of N sequences.
  public func geometry(steps: Int, rows: Int) -> LayerGeometry {
    var geometry = LayerGeometry(
      steps: steps, rows: rows, inputs: inputs, hidden: hidden, drive: drive, body: body)
    geometry.recomputeEvery = recomputeEvery
    return geometry
  }

  /// The layer's weights in a parameter buffer, as of the last `prepare`.
  public func weights(_ parameters: ParameterBuffer<Scalar>) -> RecurrentLayerWeights<Scalar> {
    if let orthogonal {
      return RecurrentLayerWeights(
        input: parameters[inputWeight], recurrent: orthogonal.recurrentWeight,
        unitBias: parameters[unitBias])
    }
    return RecurrentLayerWeights(
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
      recurrentBias: layout[recurrentBias], unitBias: layout[unitBias])
  }
}
