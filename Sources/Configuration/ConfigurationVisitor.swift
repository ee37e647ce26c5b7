// SPDX-License-Identifier: Apache-2.0

/// A group of keys. It names each of its keys once, in `visit`; reading, writing, checking and
/// listing are visitors.
public protocol ConfigurationSection {
  init()
  /// Shows every key of the section to a visitor, in the order of a file.
  mutating func visit(_ visitor: inout some ConfigurationVisitor) throws(ConfigurationError)
}

/// The effect of changing a key. A resumed run may change some keys and not others.
public enum KeyEffect: Sendable {
  /// A new value describes a different model, so a resume is refused.
  case model
  /// A new value changes the numbers from the resume on, so a note is printed.
  case numbers
  /// A new value does not change any number.
  case nothing
}

/// A condition on a value, and its description in messages.
public struct Requirement<Value> {
  let text: String
  let isFulfilled: (Value) -> Bool

  public init(_ text: String, _ isFulfilled: @escaping (Value) -> Bool) {
    self.text = text
    self.isFulfilled = isFulfilled
  }
}

extension Requirement where Value: Comparable {
  /// The value is the bound or larger.
  public static func atLeast(_ bound: Value) -> Requirement {
    Requirement("at least \(bound)") { $0 >= bound }
  }

  /// The value is larger than the bound.
  public static func above(_ bound: Value) -> Requirement {
    Requirement("above \(bound)") { $0 > bound }
  }

  /// The value is in the range, both bounds included.
  public static func within(_ range: ClosedRange<Value>) -> Requirement {
    Requirement("from \(range.lowerBound) to \(range.upperBound)") { range.contains($0) }
  }

  /// The half-open range, for decay factors that must stay below 1.
  public static func within(_ range: Range<Value>) -> Requirement {
    Requirement("at least \(range.lowerBound) and below \(range.upperBound)") {
      range.contains($0)
    }
  }
}

/// The description of a key: each key is described once, in `visit` of its section.
public struct KeyDescription<Value> {
  /// Its name in its section.
  let name: String
  /// Its purpose.
  let help: String
  let requirement: Requirement<Value>?
  let effect: KeyEffect
  let use: KeyUse
}

/// An operation on every key in turn.
public protocol ConfigurationVisitor {
  /// Visits a key, and may change its value.
  mutating func visit<Value: ConfigurationValue>(
    _ key: KeyDescription<Value>, _ value: inout Value
  ) throws(ConfigurationError)

  /// Visits the keys of a section inside the current one.
  mutating func visit<Section: ConfigurationSection>(
    section: String, _ value: inout Section, use: KeyUse
  ) throws(ConfigurationError)
}

extension ConfigurationVisitor {
  /// Visits a key.
  ///
  /// - Parameters:
  ///   - effect: what a new value changes
  ///   - use: which runs use it
  mutating func field<Value: ConfigurationValue>(
    _ name: String, _ value: inout Value, _ help: String,
    _ requirement: Requirement<Value>? = nil, effect: KeyEffect = .numbers, use: KeyUse = .always
  ) throws(ConfigurationError) {
    let key = KeyDescription(
      name: name, help: help, requirement: requirement, effect: effect, use: use)
    try visit(key, &value)
  }

  /// Visits the keys of a section.
  ///
  /// - Parameter use: which runs use any of them
  mutating func section<Section: ConfigurationSection>(
    _ name: String, _ section: inout Section, use: KeyUse = .always
  ) throws(ConfigurationError) {
    try visit(section: name, &section, use: use)
  }
}
