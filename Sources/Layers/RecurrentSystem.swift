// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// A recurrent system under its name in configurations, fixtures and checkpoints: how its layers
/// are made, its constants, and its source.
///
/// A new system is one line of `all`. A new drive or body is one file in `Kernels/Formulas`; a new
/// cell is one file in `Layers/Cells`. Every test of a layer covers all systems of this table.
public struct RecurrentSystem: Sendable {
  /// Its name in `model.cell`.
  public let name: String
  /// How its layers are made.
  public let design: Design
  /// The hyper-parameters that a configuration may set for it.
  public let hyperparameters: [Hyperparameter]
  /// The paper or program that it follows.
  public let source: String
  /// The norms added to a drive and a body; `none` for a system of the table.
  public let normalization: Normalization

  /// How its layers are built.
  public enum Design: Sendable {
    /// A drive feeds a body, in one kernel over all time steps.
    case fused(DriveKind, BodyKind, orthogonal: OrthogonalSettings?)
    /// A cell that `UnrolledLayer` runs through time.
    case unrolled(any CellFamily)
    /// A transformer encoder, whose layers are one layer of a stack.
    case transformer
  }

  /// The constants of a system, under their configuration keys.
  public enum Hyperparameter: String, Sendable {
    case mu, epsilon, beta, restart, window
    /// Whether the window of a norm is carried from one chunk to the next.
    case carryWindow = "carry_window"
    /// N, coefficients of a memory.
    case memoryOrder = "memory_order"
    /// M, memories of a layer.
    case memoryChannels = "memory_channels"
    /// How a memory's equation becomes a step.
    case discretization
    /// The step size of a memory that does not scale with time.
    case memoryStep = "memory_step"
    /// After this many steps a scaled memory keeps its step size.
    case maximumSteps = "maximum_steps"
    /// Whether a scaled memory is a scan or a product.
    case memoryForm = "memory_form"
    /// K, places of a convolution's window in each direction.
    case kernelSize = "kernel_size"
    /// The text of a graph of layers.
    case graph
  }

  /// Every system that can be trained, in the order of the paper.
  public static let all: [RecurrentSystem] =
    [
      RecurrentSystem("rnn_tanh", .plain, .tanh, from: elman),
      RecurrentSystem("lstm", .plain, .lstm, from: lstm),
      RecurrentSystem("gru", .plain, .gru, from: gru),
      RecurrentSystem("momentum_rnn", .momentum, .tanh),
      RecurrentSystem("momentum_lstm", .momentum, .lstm),
      RecurrentSystem("momentum_gru", .momentum, .gru),
      RecurrentSystem("adam_rnn", .adam, .tanh),
      RecurrentSystem("adam_lstm", .adam, .lstm),
      RecurrentSystem("adam_gru", .adam, .gru),
      RecurrentSystem("rmsprop_rnn", .adam, .tanh, [.epsilon, .beta]),
      RecurrentSystem("rmsprop_lstm", .adam, .lstm, [.epsilon, .beta]),
      RecurrentSystem("rmsprop_gru", .adam, .gru, [.epsilon, .beta]),
      RecurrentSystem("nag_rnn", .nesterov, .tanh, [.epsilon]),
      RecurrentSystem("nag_lstm", .nesterov, .lstm, [.epsilon]),
      RecurrentSystem("nag_gru", .nesterov, .gru, [.epsilon]),
      RecurrentSystem("srrnn", .nesterov, .tanh),
      RecurrentSystem("srlstm", .nesterov, .lstm),
      RecurrentSystem("srgru", .nesterov, .gru),
      RecurrentSystem("srlstm_mnist", .nesterovExtrapolated, .lstm),
      RecurrentSystem(
        "exprnn", .plain, .modReLU, orthogonal: fixed(.exponential),
        from: "Lezcano-Casado and Martinez-Rubio, ICML 2019"),
      RecurrentSystem(
        "scornn", .plain, .modReLU, orthogonal: fixed(.cayley),
        from: "Helfrich, Willmott and Ye, ICML 2018"),
      RecurrentSystem(
        "dtriv", .plain, .modReLU, orthogonal: OrthogonalSettings(),
        from: "Lezcano-Casado, NeurIPS 2019"),
      RecurrentSystem("momentum_dtriv", .momentum, .modReLU, orthogonal: OrthogonalSettings()),
      RecurrentSystem("adam_dtriv", .adam, .modReLU, orthogonal: OrthogonalSettings()),
      RecurrentSystem(
        "rmsprop_dtriv", .adam, .modReLU, [.epsilon, .beta], orthogonal: OrthogonalSettings()),
      RecurrentSystem("srdtriv", .nesterov, .modReLU, orthogonal: OrthogonalSettings()),
      RecurrentSystem("gru_unrolled", GRU(), from: gru),
      RecurrentSystem(
        "hippo_legs", HiPPO(.scaledLegendre, .bilinear), memory + [.maximumSteps, .memoryForm],
        from: hippo),
      RecurrentSystem(
        "hippo_legt", HiPPO(.translatedLegendre, .zeroOrderHold), memory + [.memoryStep],
        from: hippo),
      RecurrentSystem(
        "hippo_lagt", HiPPO(.translatedLaguerre, .zeroOrderHold), memory + [.memoryStep],
        from: hippo),
      RecurrentSystem(
        "lmu", LegendreMemoryUnit(isGated: false), memory + [.memoryStep], from: memoryUnit),
      RecurrentSystem(
        "lmu_gated", LegendreMemoryUnit(isGated: true), memory + [.memoryStep], from: hippo),
      RecurrentSystem("ln_rnn", NormalizedRNN(.layer), from: layerNorm),
      RecurrentSystem("ln_lstm", NormalizedLSTM(.layer), from: layerNorm),
      RecurrentSystem("ln_gru", NormalizedGRU(.layer), from: layerNorm),
      RecurrentSystem(
        "atn_rnn", NormalizedRNN(.assortedTime), Normalization.assortedTime.hyperparameters,
        from: assortedTime),
      RecurrentSystem(
        "atn_lstm", NormalizedLSTM(.assortedTime), Normalization.assortedTime.hyperparameters,
        from: assortedTime),
      RecurrentSystem(
        "atn_gru", NormalizedGRU(.assortedTime), Normalization.assortedTime.hyperparameters,
        from: assortedTime),
      RecurrentSystem("rgc", ReciprocalGatedCell(), [.kernelSize], from: convolutional),
      RecurrentSystem(
        "rgc_zoo", PublishedReciprocalGatedCell(), [.kernelSize],
        from: "neuroailab/convrnns, 2022"),
      RecurrentSystem(
        "conv_lstm", ConvLSTM(), [.kernelSize], from: "Shi et al., NeurIPS 2015"),
      RecurrentSystem("conv_gru", ConvGRU(), [.kernelSize], from: "Ballas et al., ICLR 2016"),
      RecurrentSystem("conv_ugrnn", ConvUpdateGateRNN(), [.kernelSize], from: capacity),
      RecurrentSystem("conv_intersection", ConvIntersectionRNN(), [.kernelSize], from: capacity),
      RecurrentSystem("conv_rnn", ConvRNN(), [.kernelSize], from: convolutional),
      RecurrentSystem(
        "momentum_conv_lstm", DrivenCell(.momentum, ConvLSTM()), [.mu, .epsilon, .kernelSize]),
      RecurrentSystem("time_decay", TimeDecay(), from: convolutional),
      RecurrentSystem(graphName, GraphOfLayers(), [.graph, .mu, .epsilon], from: convolutional),
      RecurrentSystem("ndt", transformer: "Ye and Pandarinath, 2021"),
    ]

  /// The system that is a graph of others.
  public static let graphName = "graph"

  /// The constants of every cell with a memory.
  private static let memory: [Hyperparameter] = [.memoryOrder, .memoryChannels, .discretization]

  private static let momentum = "Nguyen et al., NeurIPS 2020"
  private static let elman = "Elman, 1990"
  private static let lstm = "Hochreiter and Schmidhuber, 1997; Gers et al., 2000"
  private static let layerNorm = "Ba, Kiros and Hinton, 2016"
  private static let hippo = "Gu et al., NeurIPS 2020"
  private static let memoryUnit = "Voelker, Kajić and Eliasmith, NeurIPS 2019"
  private static let assortedTime = "Pospisil, Zadorozhnyy and Ye, 2022"
  private static let convolutional = "Nayebi et al., NeurIPS 2018"
  private static let capacity = "Collins, Sohl-Dickstein and Sussillo, ICLR 2017"
  private static let gru = "Cho et al., EMNLP 2014, as in cuDNN"

  /// An orthogonal matrix with the identity as its fixed base.
  private static func fixed(_ map: OrthogonalSettings.Map) -> OrthogonalSettings {
    OrthogonalSettings(map: map, isDynamic: false)
  }

  init(
    _ name: String, _ drive: DriveKind, _ body: BodyKind,
    _ hyperparameters: [Hyperparameter]? = nil, orthogonal: OrthogonalSettings? = nil,
    from source: String = momentum
  ) {
    self.name = name
    self.source = source
    normalization = .none
    design = .fused(drive, body, orthogonal: orthogonal)
    self.hyperparameters =
      hyperparameters
      ?? {
        switch drive {
        case .plain: []
        case .momentum: [.mu, .epsilon]
        case .adam: [.mu, .epsilon, .beta]
        case .nesterov, .nesterovExtrapolated: [.epsilon, .restart]
        }
      }()
  }

  init(
    _ name: String, _ family: any CellFamily, _ hyperparameters: [Hyperparameter] = [],
    from source: String = momentum, normalization: Normalization = .none
  ) {
    self.name = name
    self.source = source
    self.normalization = normalization
    design = .unrolled(family)
    self.hyperparameters = hyperparameters
  }

  /// A transformer encoder.
  init(_ name: String, transformer source: String) {
    self.name = name
    self.source = source
    normalization = .none
    design = .transformer
    hyperparameters = []
  }

  /// The system with this name.
  public init?(named name: String) {
    guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  /// The drive of a fused layer, or the family of a cell: "momentum", "layer norm".
  public var family: String {
    switch design {
    case .fused(let drive, _, _):
      // RMSProp uses Adam's drive without momentum.
      drive == .adam && !hyperparameters.contains(.mu) ? "rmsprop" : drive.title
    case .unrolled(let family): family.summary
    case .transformer: "attention"
    }
  }

  /// The state update: "lstm".
  public var body: String {
    switch design {
    case .fused(_, let body, let orthogonal):
      orthogonal == nil ? body.rawValue : "\(body.rawValue), orthogonal"
    case .unrolled(let family): family.body
    case .transformer: "transformer"
    }
  }

  /// The system in a line of text: "momentum_lstm, assorted_time(20)".
  ///
  /// - Parameter window: k, which is named if the norms have a window
  public func title(window: Int) -> String {
    let norms = normalization == .none ? "" : ", \(normalization.rawValue)"
    return name + norms + (hyperparameters.contains(.window) ? "(\(window))" : "")
  }

  /// The state that a layer of H units carries from step to step, such as "h, c, v[4H]".
  public var state: String {
    let probe = 7  // whose multiples are the widths
    let layer: any SequenceLayer<Float> = LayerSpecification(
      layers(), hidden: probe
    ).layer(inputs: addsInput ? probe : 1, named: LayerName(prefix: "", suffix: ""))
    return layer.states.map { state in
      state.count == probe ? state.name : "\(state.name)[\(state.count / probe)H]"
    }.joined(separator: ", ")
  }

  /// The number of [H, H] matrices in a layer of H units: G for a drive and a body.
  public var recurrentBlocks: Int {
    // A layer of one input has a H² + b H numbers in its matrices.
    func numbers(_ hidden: Int) -> Int {
      let layer: any SequenceLayer<Float> = LayerSpecification(
        layers(), hidden: hidden
      ).layer(inputs: addsInput ? hidden : 1, named: LayerName(prefix: "", suffix: ""))
      return layer.parameters.filter { $0.shape.count >= 2 }.reduce(0) { $0 + $1.count }
    }
    return (numbers(2) - 2 * numbers(1)) / 2
  }

  /// How its recurrent matrix is kept orthogonal; nil if it is unconstrained.
  public var orthogonal: OrthogonalSettings? {
    guard case .fused(_, _, let orthogonal) = design else { return nil }
    return orthogonal
  }

  /// Makes the system's layers; constants that it does not have are ignored.
  ///
  /// - Parameters:
  ///   - given: the constants of the cell
  ///   - orthogonal: replaces the system's own setting, if it has one
  public func layers(
    _ given: CellConstants = CellConstants(), orthogonal: OrthogonalSettings? = nil
  ) -> any LayerFactory {
    let own = constants(given)
    switch design {
    case .fused(let drive, let body, let kept):
      let drive = DriveParameters(
        drive, mu: own.mu, epsilon: own.epsilon, beta: own.beta, restart: own.restart)
      return FusedLayerFactory(
        drive: drive, body: body, orthogonal: kept == nil ? nil : orthogonal ?? kept)
    case .unrolled(let family): return UnrolledLayerFactory(family, own)
    case .transformer: return TransformerFactory(settings: given.transformer)
    }
  }

  /// Those of the given constants that the system uses; the others have no effect.
  public func constants(_ given: CellConstants) -> CellConstants {
    var own = CellConstants()
    (own.map.height, own.map.width) = (given.map.height, given.map.width)
    for key in hyperparameters {
      switch key {
      case .mu: own.mu = given.mu
      case .epsilon: own.epsilon = given.epsilon
      case .beta: own.beta = given.beta
      case .restart: own.restart = given.restart
      case .memoryOrder: own.memory.order = given.memory.order
      case .memoryChannels: own.memory.channels = given.memory.channels
      case .discretization: own.memory.discretization = given.memory.discretization
      case .memoryStep: own.memory.step = given.memory.step
      case .maximumSteps: own.memory.maximumSteps = given.memory.maximumSteps
      case .memoryForm: own.memory.form = given.memory.form
      case .window: own.window = given.window
      case .carryWindow: own.carryWindow = given.carryWindow
      case .graph: own.graph = given.graph
      case .kernelSize: own.map.kernel = given.map.kernel
      }
    }
    return own
  }

  /// Whether its input and states are maps; H then counts channels.
  public var readsMaps: Bool { cellFamily?.readsMaps ?? false }
  /// Whether the input is added to the state, so it must have the same number of channels.
  public var addsInput: Bool { cellFamily?.addsInput ?? false }

  private var cellFamily: (any CellFamily)? {
    guard case .unrolled(let family) = design else { return nil }
    return family
  }

  /// Whether a gate of its cell starts at a bias from the configuration.
  public var usesGateBias: Bool {
    switch design {
    case .fused(_, let body, _): body == .lstm || body == .gru
    case .unrolled(let family): family.usesGateBias
    case .transformer: false
    }
  }

  /// Whether it is an encoder: its steps see later ones, it has no state, and its layers are one
  /// layer of a stack.
  public var isEncoder: Bool {
    if case .transformer = design { true } else { false }
  }
}

extension RecurrentSystem: Hashable {
  public static func == (a: RecurrentSystem, b: RecurrentSystem) -> Bool {
    a.name == b.name && a.normalization == b.normalization
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
