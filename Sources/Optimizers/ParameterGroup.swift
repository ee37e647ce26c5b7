// SPDX-License-Identifier: Apache-2.0

import Tensors

/// Some parameters, their update rule and their learning rate.
public struct ParameterGroup: Sendable {
  /// The pattern of the parameters' names; `*` matches any text.
  public let pattern: String
  /// The role of the parameters; nil is any.
  public let role: ParameterRole?
  /// How the parameters are updated.
  public let rule: any UpdateRule
  /// η, before any schedule.
  public let learningRate: Double

  public init(
    _ pattern: String, role: ParameterRole? = nil, _ rule: any UpdateRule, learningRate: Double
  ) {
    self.pattern = pattern
    self.role = role
    self.rule = rule
    self.learningRate = learningRate
  }

  /// All parameters.
  public init(_ rule: any UpdateRule, learningRate: Double) {
    self.init("*", rule, learningRate: learningRate)
  }

  /// Whether a parameter belongs to the group.
  public func contains(_ entry: ParameterEntry) -> Bool {
    (role == nil || role == entry.role) && matches(pattern[...], entry.name[...])
  }
}

/// Whether `text` matches `pattern`, in which `*` matches any text.
func matches(_ pattern: Substring, _ text: Substring) -> Bool {
  guard let first = pattern.first else { return text.isEmpty }
  if first == "*" {
    let rest = pattern.dropFirst()
    return text.indices.contains { matches(rest, text[$0...]) } || matches(rest, "")
  }
  return first == text.first && matches(pattern.dropFirst(), text.dropFirst())
}
