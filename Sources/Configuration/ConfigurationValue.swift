// SPDX-License-Identifier: Apache-2.0

/// A type that a configuration key can have.
public protocol ConfigurationValue: Equatable {
  /// The kind of value in messages: "a whole number".
  static var configurationKind: String { get }
  /// Reads the text of a YAML scalar.
  init?(configurationText: String)
  /// The text that reads back as this value.
  var configurationText: String { get }
}

extension Int: ConfigurationValue {
  public static var configurationKind: String { "a whole number" }
  public init?(configurationText text: String) { self.init(text) }
  public var configurationText: String { String(self) }
}

extension UInt64: ConfigurationValue {
  public static var configurationKind: String { "a whole number that is not negative" }
  public init?(configurationText text: String) { self.init(text) }
  public var configurationText: String { String(self) }
}

extension Double: ConfigurationValue {
  public static var configurationKind: String { "a number" }
  public init?(configurationText text: String) {
    guard let value = Double(text), value.isFinite else { return nil }
    self = value
  }
  public var configurationText: String { "\(self)" }
}

extension Bool: ConfigurationValue {
  public static var configurationKind: String { "true or false" }
  public init?(configurationText text: String) { self.init(text) }
  public var configurationText: String { self ? "true" : "false" }
}

extension String: ConfigurationValue {
  public static var configurationKind: String { "a text" }
  public init?(configurationText text: String) { self = text }
  public var configurationText: String { self }
}

/// A choice among names.
public protocol ConfigurationChoice: ConfigurationValue, RawRepresentable, CaseIterable, Sendable
where RawValue == String {}

extension ConfigurationChoice {
  public static var configurationKind: String {
    "one of " + allCases.map(\.rawValue).joined(separator: ", ")
  }
  public init?(configurationText text: String) { self.init(rawValue: text) }
  public var configurationText: String { rawValue }
}
