/// A group of keys. It names each of its keys once, in `visit`; reading, writing, checking and
/// listing are visitors.
public protocol ConfigurationSection {
  init()
  mutating func visit(_ visitor: inout some ConfigurationVisitor) throws(ConfigurationError)
}

/// What a key's value changes. A resumed run may change some keys and not others.
public enum KeyEffect: Sendable {
  /// Another value makes another model: a resume is refused.
  case model
  /// Another value makes other numbers from here on: a resume warns.
  case numbers
  /// Another value changes no number.
  case nothing
}

/// What an allowed value must fulfil, and how to say so.
public struct Requirement<Value> {
  let text: String
  let isFulfilled: (Value) -> Bool

  public init(_ text: String, _ isFulfilled: @escaping (Value) -> Bool) {
    self.text = text
    self.isFulfilled = isFulfilled
  }
}

extension Requirement where Value: Comparable {
  public static func atLeast(_ bound: Value) -> Requirement {
    Requirement("at least \(bound)") { $0 >= bound }
  }

  public static func above(_ bound: Value) -> Requirement {
    Requirement("above \(bound)") { $0 > bound }
  }

  public static func within(_ range: ClosedRange<Value>) -> Requirement {
    Requirement("within \(range.lowerBound) and \(range.upperBound)") { range.contains($0) }
  }

  /// The half-open range, for decay factors that must stay below 1.
  public static func within(_ range: Range<Value>) -> Requirement {
    Requirement("at least \(range.lowerBound) and below \(range.upperBound)") {
      range.contains($0)
    }
  }
}

/// Something done with every key in turn.
public protocol ConfigurationVisitor {
  mutating func field<Value: ConfigurationValue>(
    _ key: String, _ value: inout Value, _ help: String, _ requirement: Requirement<Value>?,
    effect: KeyEffect
  ) throws(ConfigurationError)

  mutating func section<Section: ConfigurationSection>(
    _ key: String, _ section: inout Section
  ) throws(ConfigurationError)
}

extension ConfigurationVisitor {
  mutating func field<Value: ConfigurationValue>(
    _ key: String, _ value: inout Value, _ help: String, _ requirement: Requirement<Value>? = nil
  ) throws(ConfigurationError) {
    try field(key, &value, help, requirement, effect: .numbers)
  }

  mutating func field<Value: ConfigurationValue>(
    _ key: String, _ value: inout Value, _ help: String, effect: KeyEffect
  ) throws(ConfigurationError) {
    try field(key, &value, help, nil, effect: effect)
  }
}
