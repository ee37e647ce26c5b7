import Optimizers

/// Which update rule a run uses, and its constants.
public struct OptimizerSettings: ConfigurationSection, Equatable {
  public enum Name: String, ConfigurationChoice {
    case sgd, rmsprop, adam, adamw, asgd
  }

  public var name = Name.adam
  public var learningRate = 1e-3
  public var momentum = 0.0
  public var nesterov = false
  public var alpha = 0.99
  public var centered = false
  public var beta1 = 0.9
  public var beta2 = 0.999
  public var epsilon = 1e-8
  public var weightDecay = 0.0
  public var clipNorm = 1.0

  public init() {}

  public mutating func visit(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    try visitor.field("name", &name, "the update rule", effect: .model)
    try visitor.field("learning_rate", &learningRate, "η, the step size", .above(0))
    try visitor.field(
      "momentum", &momentum, "momentum of sgd and rmsprop", .within(0..<1), effect: .model)
    try visitor.field("nesterov", &nesterov, "Nesterov's form of the momentum of sgd")
    try visitor.field("alpha", &alpha, "smoothing of rmsprop's mean square", .within(0..<1))
    try visitor.field(
      "centered", &centered, "whether rmsprop subtracts the squared mean", effect: .model)
    try visitor.field("beta1", &beta1, "smoothing of adam's mean", .within(0..<1))
    try visitor.field("beta2", &beta2, "smoothing of adam's mean square", .within(0..<1))
    try visitor.field("epsilon", &epsilon, "added to the root, in rmsprop and adam", .atLeast(0))
    try visitor.field("weight_decay", &weightDecay, "λ, pull of the weights to zero", .atLeast(0))
    try visitor.field(
      "clip_norm", &clipNorm, "largest norm of the whole gradient; 0 does not clip", .atLeast(0))
  }

  /// The update rule.
  public var rule: any UpdateRule {
    switch name {
    case .sgd: SGD(momentum: momentum, nesterov: nesterov, weightDecay: weightDecay)
    case .rmsprop:
      RMSProp(
        alpha: alpha, epsilon: epsilon, momentum: momentum, centered: centered,
        weightDecay: weightDecay)
    case .adam: Adam(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay)
    case .adamw:
      Adam(
        beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, decoupled: true)
    case .asgd: ASGD(lambda: 0, start: 0, weightDecay: weightDecay)
    }
  }
}
