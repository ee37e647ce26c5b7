import Tensors

/// Which parameters are trained by which rule, and at what rate.
public struct ParameterGroup: Sendable {
  /// Which parameters, by name; `*` stands for any text.
  public let pattern: String
  /// Of those, which by their role; nil is all.
  public let role: ParameterRole?
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

/// Whether `text` is what `pattern` describes, in which `*` stands for any text.
func matches(_ pattern: Substring, _ text: Substring) -> Bool {
  guard let first = pattern.first else { return text.isEmpty }
  if first == "*" {
    let rest = pattern.dropFirst()
    return text.indices.contains { matches(rest, text[$0...]) } || matches(rest, "")
  }
  return first == text.first && matches(pattern.dropFirst(), text.dropFirst())
}
