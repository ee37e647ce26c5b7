// SPDX-License-Identifier: Apache-2.0

import BLAS
import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// A recurrent layer whose drive and body are one kernel over all time steps: its parameters with
/// PyTorch's names, their starting values, and its passes.
///
///     g_t = W_ih x_t + b_ih,   a_t = W_hh h_{t-1} + b_hh
///     d_t = drive(g_t),        h_t = body(d_t, a_t)
///
/// A layer of the orthogonal family has no b_ih and b_hh, but a bias b of the body, and W_hh = Pᵀ
/// from its `OrthogonalKernel`, whose A it trains as `skew`.
///
/// Shapes use T steps, N sequences, C input features, H hidden units, G gates.
public struct FusedLayer<Scalar: KernelScalar>: SequenceLayer {
  /// C, input features.
  public let inputs: Int
  /// H, hidden units.
  public let hidden: Int
  /// The input drive and its constants.
  public let drive: DriveParameters
  /// The cell body.
  public let body: BodyKind
  /// The kernel of W_hh; nil unless the layer is of the orthogonal family.
  public let orthogonal: OrthogonalKernel<Scalar>?
  /// k of `LayerGeometry.recomputeEvery`.
  public var recomputeEvery = 0

  private let inputWeight: String
  private let hiddenWeight: String
  private let inputBias: String
  private let recurrentBias: String
  private let unitBias: String
  let name: LayerName
  /// The weight used instead of W_hh; nil is the layer's own.
  private var replacedWeight: Tensor<Scalar>?

  /// - Parameters:
  ///   - drive: the drive and its constants
  ///   - body: the update of the state
  ///   - orthogonal: how W_hh is kept orthogonal; nil leaves it unconstrained
  ///   - inputs: C
  ///   - hidden: H
  ///   - name: the place of the layer in its model
  public init(
    drive: DriveParameters, body: BodyKind, orthogonal: OrthogonalSettings? = nil, inputs: Int,
    hidden: Int, named name: LayerName
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
    self.name = name
    inputWeight = name.of("weight_ih")
    hiddenWeight = name.of(orthogonal == nil ? "weight_hh" : "skew")
    inputBias = name.of("bias_ih")
    recurrentBias = name.of("bias_hh")
    unitBias = name.of("bias")
  }

  public var inputFeatures: [Int] { [inputs] }
  public var features: [Int] { [hidden] }
  public var states: [NamedShape] {
    RecurrentState<Scalar>(zerosFor: geometry(steps: 1, rows: 0)).named.map {
      NamedShape($0.name, Array($0.tensor.shape.dropFirst()))
    }
  }

  /// The base of an orthogonal matrix and its counters.
  public var buffers: [(name: String, tensor: Tensor<Scalar>)] {
    guard let orthogonal else { return [] }
    return [
      (name.of("base"), orthogonal.base),
      (name.of("rebase_counters"), orthogonal.counters),
    ]
  }

  /// The numbers of a skew matrix on and below the diagonal.
  public var untrainedCount: Int { orthogonal == nil ? 0 : hidden * (hidden + 1) / 2 }

  public var parameters: [NamedShape] {
    let rows = body.gates * hidden
    let biases =
      body.hasUnitBias
      ? [NamedShape(unitBias, [hidden], role: .bias)]
      : [
        NamedShape(inputBias, [rows], role: .bias), NamedShape(recurrentBias, [rows], role: .bias),
      ]
    return [
      NamedShape(inputWeight, [rows, inputs]),
      NamedShape(
        hiddenWeight, [rows, hidden], role: orthogonal == nil ? .weight : .skewMatrix),
    ] + biases
  }

  /// Sets the starting values of the authors' code.
  ///
  /// - Parameters:
  ///   - parameters: receives the values
  ///   - gateBias: the starting bias of the forget gate (LSTM) or reset gate (GRU)
  ///   - streams: random streams, of which this uses one
  public func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, streams: inout InitializationStreams
  ) {
    var stream = streams.next()
    if let orthogonal {
      // W_ih ~ N(0, 2/C), b ~ U(±0.01), A of the starting angles, Q = I.
      let deviation = (2 / Double(inputs)).squareRoot()
      Initialization.normal(parameters[inputWeight], deviation: deviation, stream: &stream)
      Initialization.uniform(parameters[unitBias], bound: 0.01, stream: &stream)
      orthogonal.initialize(parameters[hiddenWeight], stream: &stream)
      return
    }
    // W_ih orthogonal as a whole; W_hh the identity in its first H rows, zero below.
    Initialization.orthogonal(parameters[inputWeight], stream: &stream)
    Initialization.identity(parameters[hiddenWeight])
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

  /// Computes the matrix of an orthogonal layer.
  public func prepare(
    _ parameters: ParameterBuffer<Scalar>, advancing: Bool
  ) throws(LAPACKError) {
    try orthogonal?.prepare(parameters[hiddenWeight], advancing: advancing)
  }

  public func revert(_ parameters: ParameterBuffer<Scalar>) {
    orthogonal?.revert(parameters[hiddenWeight])
  }

  /// Turns the summed gradient of W_hh into that of its skew matrix.
  public func finishGradients(_ gradients: ParameterBuffer<Scalar>) throws(LAPACKError) {
    try orthogonal?.finishGradient(gradients[hiddenWeight])
  }

  /// The sizes of a run over T steps of N sequences.
  public func geometry(steps: Int, rows: Int) -> LayerGeometry {
    var geometry = LayerGeometry(
      steps: steps, rows: rows, inputs: inputs, hidden: hidden, drive: drive, body: body)
    geometry.recomputeEvery = recomputeEvery
    return geometry
  }

  public var orthogonalWork: OrthogonalWork? { orthogonal?.work }

  /// Nil for an orthogonal matrix, because dropping elements would make it not orthogonal.
  public var recurrentWeight: String? { orthogonal == nil ? hiddenWeight : nil }

  public func replacingRecurrentWeight(_ weight: Tensor<Scalar>) -> any SequenceLayer<Scalar> {
    var layer = self
    layer.replacedWeight = weight
    return layer
  }

  /// The layer's weights in a parameter buffer, as of the last `prepare`.
  public func weights(_ parameters: ParameterBuffer<Scalar>) -> RecurrentLayerWeights<Scalar> {
    if let orthogonal {
      return RecurrentLayerWeights(
        input: parameters[inputWeight], recurrent: orthogonal.recurrentWeight,
        unitBias: parameters[unitBias])
    }
    return RecurrentLayerWeights(
      input: parameters[inputWeight], recurrent: replacedWeight ?? parameters[hiddenWeight],
      inputBias: parameters[inputBias], recurrentBias: parameters[recurrentBias])
  }

  /// The places of the layer's weights in a layout.
  public func entries(in layout: ParameterLayout) -> RecurrentLayerEntries {
    guard let input = layout[inputWeight], let recurrent = layout[hiddenWeight] else {
      preconditionFailure("the layer's parameters are not declared in this layout")
    }
    return RecurrentLayerEntries(
      input: input, recurrent: recurrent, inputBias: layout[inputBias],
      recurrentBias: layout[recurrentBias], unitBias: layout[unitBias])
  }
}
