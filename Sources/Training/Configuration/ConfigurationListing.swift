/// A key with its value as text, what it is for, and what it changes.
public struct ConfigurationKey: Sendable {
  public let path: String
  public let value: String
  public let kind: String
  public let help: String
  public let effect: KeyEffect
}

/// Collects every key of a configuration.
struct ListingVisitor: ConfigurationVisitor {
  private(set) var keys: [ConfigurationKey] = []
  private var prefix = ""

  mutating func field<Value: ConfigurationValue>(
    _ key: String, _ value: inout Value, _ help: String, _ requirement: Requirement<Value>?,
    effect: KeyEffect
  ) throws(ConfigurationError) {
    let bounds = requirement.map { " \($0.text)" } ?? ""
    keys.append(
      ConfigurationKey(
        path: prefix + key, value: value.configurationText,
        kind: Value.configurationKind + bounds, help: help, effect: effect))
  }

  mutating func section<Section: ConfigurationSection>(
    _ key: String, _ section: inout Section
  ) throws(ConfigurationError) {
    let outer = prefix
    prefix += key + "."
    try section.visit(&self)
    prefix = outer
  }
}
