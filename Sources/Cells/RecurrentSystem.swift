import KernelInterface

/// A named recurrent system: which drive feeds which body.
///
/// A new system is one line of `all`; a new drive or body is one file in `Kernels/Formulas`.
public struct RecurrentSystem: Sendable, Hashable {
  /// The name used in configurations, fixtures and checkpoints.
  public let name: String
  public let drive: DriveKind
  public let body: BodyKind
  /// How the recurrent matrix is kept orthogonal, for the systems of that family.
  public let orthogonal: OrthogonalSettings?
  /// The hyper-parameters that a configuration may set for it.
  public let hyperparameters: [Hyperparameter]

  /// The constants of a drive, under their configuration keys.
  public enum Hyperparameter: String, Sendable {
    case mu, epsilon, beta, restart
  }

  /// Every system that can be trained, in the order of the paper.
  public static let all: [RecurrentSystem] = [
    RecurrentSystem("rnn_tanh", .plain, .tanh),
    RecurrentSystem("lstm", .plain, .lstm),
    RecurrentSystem("gru", .plain, .gru),
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
    RecurrentSystem("exprnn", .plain, .modReLU, orthogonal: fixed(.exponential)),
    RecurrentSystem("scornn", .plain, .modReLU, orthogonal: fixed(.cayley)),
    RecurrentSystem("dtriv", .plain, .modReLU, orthogonal: OrthogonalSettings()),
    RecurrentSystem("momentum_dtriv", .momentum, .modReLU, orthogonal: OrthogonalSettings()),
    RecurrentSystem("adam_dtriv", .adam, .modReLU, orthogonal: OrthogonalSettings()),
    RecurrentSystem(
      "rmsprop_dtriv", .adam, .modReLU, [.epsilon, .beta], orthogonal: OrthogonalSettings()),
    RecurrentSystem("srdtriv", .nesterov, .modReLU, orthogonal: OrthogonalSettings()),
  ]

  /// An orthogonal matrix about the identity, which does not move.
  private static func fixed(_ map: OrthogonalSettings.Map) -> OrthogonalSettings {
    OrthogonalSettings(map: map, isDynamic: false)
  }

  init(
    _ name: String, _ drive: DriveKind, _ body: BodyKind,
    _ hyperparameters: [Hyperparameter]? = nil, orthogonal: OrthogonalSettings? = nil
  ) {
    self.name = name
    self.drive = drive
    self.body = body
    self.orthogonal = orthogonal
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

  /// The system of that name.
  public init?(named name: String) {
    guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  /// The drive with its constants; what the system does not take is ignored.
  public func drive(
    mu: Double, epsilon: Double, beta: Double, restart: Int
  ) -> DriveParameters {
    func value(_ key: Hyperparameter, _ given: Double, else fixed: Double) -> Double {
      hyperparameters.contains(key) ? given : fixed
    }
    return DriveParameters(
      drive, mu: value(.mu, mu, else: 0), epsilon: value(.epsilon, epsilon, else: 1),
      beta: value(.beta, beta, else: 0), restart: hyperparameters.contains(.restart) ? restart : 0)
  }
}
