// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import Tensors

/// The update rule of a run, with its constants and schedule.
public struct OptimizerSettings: ConfigurationSection, Equatable {
  /// The update rules.
  public enum Name: String, ConfigurationChoice {
    case sgd, rmsprop, adam, adamw, asgd
  }

  /// The rule of the skew parameters of orthogonal cells.
  public enum OrthogonalRule: String, ConfigurationChoice {
    /// The rule of all other parameters.
    case same
    case sgd, rmsprop, adam
  }

  /// How the learning rate changes during a run.
  public enum Schedule: String, ConfigurationChoice {
    case constant, step, cosine, plateau
    /// As `cosine`, but the fall starts when the warm-up ends.
    case warmupCosine = "warmup_cosine"
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
  public var orthogonalRule = OrthogonalRule.same
  public var orthogonalLearningRate = 0.0
  public var rateFactors = ""
  public var schedule = Schedule.constant
  public var warmupSteps = 0
  public var decayEpochs = 30
  public var decayFactor = 0.1
  public var patience = 10
  public var averagingWindow = 0
  public var splitState = false

  public init() {}

  public mutating func visit(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    try visitor.field("name", &name, "the update rule", effect: .model)
    try visitor.field("learning_rate", &learningRate, "η, the step size", .above(0))
    try visitor.field(
      "momentum", &momentum, "momentum of sgd and rmsprop", .within(0..<1),
      use: .rules(.sgd, .rmsprop))
    try visitor.field(
      "nesterov", &nesterov, "Nesterov's form of the momentum of sgd", use: .rules(.sgd))
    try visitor.field(
      "alpha", &alpha, "smoothing of rmsprop's mean square", .within(0..<1), use: .rules(.rmsprop))
    try visitor.field(
      "centered", &centered, "whether rmsprop subtracts the squared mean", effect: .model,
      use: .rules(.rmsprop))
    try visitor.field(
      "beta1", &beta1, "smoothing of adam's mean", .within(0..<1), use: .rules(.adam, .adamw))
    try visitor.field(
      "beta2", &beta2, "smoothing of adam's mean square", .within(0..<1), use: .rules(.adam, .adamw)
    )
    try visitor.field(
      "epsilon", &epsilon, "added to the root, in rmsprop and adam", .atLeast(0),
      use: .rules(.rmsprop, .adam, .adamw))
    try visitor.field("weight_decay", &weightDecay, "λ, the weight decay", .atLeast(0))
    try visitor.field(
      "clip_norm", &clipNorm, "largest norm of the whole gradient; 0 does not clip", .atLeast(0))
    try visitor.field(
      "orthogonal_rule", &orthogonalRule, "the update rule of skew parameters", effect: .model,
      use: .orthogonalCells)
    try visitor.field(
      "orthogonal_learning_rate", &orthogonalLearningRate,
      "η of skew parameters; 0 is a tenth of learning_rate", .atLeast(0), use: .orthogonalCells)
    try visitor.field(
      "rate_factors", &rateFactors,
      "factors on the rate of parameters by name, as in \"readout.*=0.5, *bias*=2\"")
    try visitor.field(
      "schedule", &schedule,
      "how the rate changes: cosine falls to 0 at the end; warmup_cosine starts to fall when the"
        + " warm-up ends")
    try visitor.field(
      "warmup_steps", &warmupSteps, "steps over which the rate rises from 0", .atLeast(0))
    try visitor.field(
      "decay_epochs", &decayEpochs, "epochs between decays (step)", .atLeast(1),
      use: .schedules(.step))
    try visitor.field(
      "decay_factor", &decayFactor, "factor of each decay of the rate (step, plateau)",
      .within(0...1), use: .schedules(.step, .plateau))
    try visitor.field(
      "patience", &patience, "epochs without a better validation loss (plateau)", .atLeast(0),
      use: .schedules(.plateau))
    try visitor.field(
      "averaging_window", &averagingWindow,
      "n of NT-ASGD: sgd changes to asgd when validation is worse than n epochs ago; 0 never does",
      .atLeast(0), use: .mainRule(.sgd))
    try visitor.field(
      "split_state", &splitState,
      "keep on each rank only the optimizer state of its own rows, and gather the updated rows:"
        + " less memory, the same bits", effect: .nothing)
    try checkTogether()
  }

  /// Checks that keys agree with one another.
  private func checkTogether() throws(ConfigurationError) {
    _ = try factors()
    if nesterov, momentum == 0 {
      throw ConfigurationError(
        "optimizer.nesterov is true and optimizer.momentum 0: there is nothing to look ahead with;"
          + " set a momentum")
    }
    if averagingWindow > 0, name != .sgd {
      throw ConfigurationError(
        "optimizer.averaging_window is \(averagingWindow) and optimizer.name \(name.rawValue):"
          + " only sgd changes to averaged sgd; set optimizer.name=sgd or averaging_window=0")
    }
    // Validation and export use the averages, so every parameter needs one.
    if averagingWindow > 0 || name == .asgd, orthogonalRule != .same {
      throw ConfigurationError(
        "optimizer.orthogonal_rule is \(orthogonalRule.rawValue), and averaged sgd averages all"
          + " parameters; set optimizer.orthogonal_rule=same, or averaging_window=0 and another name"
      )
    }
  }

  /// The patterns and factors of `rate_factors`.
  private func factors() throws(ConfigurationError) -> [(pattern: String, factor: Double)] {
    var result: [(pattern: String, factor: Double)] = []
    for part in rateFactors.split(separator: ",") {
      let sides = part.split(separator: "=").map { $0.trimmingCharacters(in: .whitespaces) }
      guard sides.count == 2, let factor = Double(sides[1]), factor >= 0, factor.isFinite else {
        throw ConfigurationError(
          "optimizer.rate_factors holds \"\(part)\", expected PATTERN=FACTOR, as in readout.*=0.5")
      }
      result.append((sides[0], factor))
    }
    return result
  }

  /// The update rule of all parameters without their own rule.
  public var rule: any UpdateRule { rule(name) }

  /// Averaged SGD, as NT-ASGD changes to it.
  public var averagingRule: any UpdateRule { rule(.asgd) }

  private func rule(_ name: Name) -> any UpdateRule {
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

  /// The groups of parameters that have the same rule and rate.
  ///
  /// - Parameters:
  ///   - rule: the rule of all parameters without their own rule
  ///   - layout: the parameters
  public func groups(_ rule: any UpdateRule, of layout: ParameterLayout) -> [ParameterGroup] {
    let skewRule: any UpdateRule =
      switch orthogonalRule {
      case .same: rule
      case .sgd: self.rule(.sgd)
      case .rmsprop: self.rule(.rmsprop)
      case .adam: self.rule(.adam)
      }
    let skewRate = orthogonalLearningRate > 0 ? orthogonalLearningRate : learningRate / 10
    let skew = ParameterGroup("*", role: .skewMatrix, skewRule, learningRate: skewRate)
    var (ofSkew, others): ([ParameterGroup], [ParameterGroup]) = ([], [])
    for (pattern, factor) in (try? factors()) ?? [] {
      let group = ParameterGroup(pattern, rule, learningRate: learningRate * factor)
      let named = layout.entries.filter(group.contains)
      // A pattern that matches only skew matrices changes their rate, but not their rule. A pattern
      // that also fits other parameters does not change skew matrices.
      if !named.isEmpty, named.allSatisfy({ $0.role == .skewMatrix }) {
        ofSkew.append(ParameterGroup(pattern, skewRule, learningRate: skewRate * factor))
      } else {
        others.append(group)
      }
    }
    return ofSkew + [skew] + others + [ParameterGroup(rule, learningRate: learningRate)]
  }

  /// Refuses a pattern of `rate_factors` that names no parameter.
  package func checkPatterns(_ layout: ParameterLayout) throws(ConfigurationError) {
    for (pattern, _) in try factors() {
      let group = ParameterGroup(pattern, rule, learningRate: 1)
      guard !layout.entries.contains(where: group.contains) else { continue }
      throw ConfigurationError(
        "optimizer.rate_factors names \(pattern), which fits none of "
          + layout.entries.map(\.name).joined(separator: ", "))
    }
  }

  /// The schedule.
  public var rates: LearningRateSchedule {
    let schedule: LearningRateSchedule =
      switch self.schedule {
      case .constant: .constant
      case .step: .step(every: decayEpochs, decay: decayFactor)
      case .cosine: .cosine
      case .plateau: .plateau(patience: patience, decay: decayFactor)
      case .warmupCosine: .cosine(from: warmupSteps)
      }
    return schedule.warmedUp(over: warmupSteps)
  }
}
