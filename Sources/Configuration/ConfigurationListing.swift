// SPDX-License-Identifier: Apache-2.0

/// A key with its value as text, its purpose, and its effect.
public struct ConfigurationKey: Sendable {
  /// The full name: "optimizer.learning_rate".
  public let path: String
  /// The value as text.
  public let value: String
  /// The kind of its values: "a number".
  public let kind: String
  /// Its purpose, as `train --list-keys` prints it.
  public let help: String
  /// The effect of changing it in a resumed run.
  public let effect: KeyEffect
  /// Which runs use it.
  let use: KeyUse
}

/// Collects every key of a configuration.
struct ListingVisitor: ConfigurationVisitor {
  private(set) var keys: [ConfigurationKey] = []
  private var prefix = ""
  private var use = KeyUse.always

  mutating func visit<Value: ConfigurationValue>(
    _ key: KeyDescription<Value>, _ value: inout Value
  ) throws(ConfigurationError) {
    let bounds = key.requirement.map { " \($0.text)" } ?? ""
    keys.append(
      ConfigurationKey(
        path: prefix + key.name, value: value.configurationText,
        kind: Value.configurationKind + bounds, help: key.help, effect: key.effect,
        use: use.and(key.use)))
  }

  mutating func visit<Section: ConfigurationSection>(
    section name: String, _ section: inout Section, use: KeyUse
  ) throws(ConfigurationError) {
    let outer = (prefix, self.use)
    prefix += name + "."
    self.use = self.use.and(use)
    try section.visit(&self)
    (prefix, self.use) = outer
  }
}
