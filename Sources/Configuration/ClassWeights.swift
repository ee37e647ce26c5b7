// SPDX-License-Identifier: Apache-2.0

/// The weights of the classes in the loss.
public enum ClassWeights: ConfigurationValue, Sendable {
  /// Every class weighs 1.
  case off
  /// w_k = N / (K N_k), where N_k of the N targets of the training part are class k. Rare classes
  /// weigh as much in sum as frequent ones.
  case balanced
  /// A weight for each class, w [K].
  case list([Double])

  public static var configurationKind: String {
    "off, balanced, or a number for each class, separated by commas"
  }

  public init?(configurationText text: String) {
    switch text {
    case "off", "false": self = .off
    case "balanced": self = .balanced
    default:
      let fields = text.split(separator: ",", omittingEmptySubsequences: false)
      let numbers = fields.compactMap { field -> Double? in
        let text = field.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace)
        return Double(String(text.reversed()))
      }
      guard numbers.count == fields.count else { return nil }
      self = .list(numbers)
    }
  }

  public var configurationText: String {
    switch self {
    case .off: "off"
    case .balanced: "balanced"
    case .list(let numbers): numbers.map { "\($0)" }.joined(separator: ",")
    }
  }
}

extension Requirement<ClassWeights> {
  static var classWeights: Requirement {
    Requirement("of numbers above 0") { value in
      guard case .list(let numbers) = value else { return true }
      return numbers.allSatisfy { $0 > 0 && $0.isFinite }
    }
  }
}
