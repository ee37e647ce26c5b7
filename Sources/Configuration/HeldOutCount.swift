// SPDX-License-Identifier: Apache-2.0

/// How many sequences of the training part are held out for validation.
public enum HeldOutCount: ConfigurationValue {
  /// The data decide: their own validation part is used, or else a share of the training part.
  case automatic
  /// None: the data have their own validation part.
  case ownPart
  /// This many sequences of the training part.
  case count(Int)

  /// The most sequences that are held out unless a number is given; for generated data, exactly
  /// this number.
  package static let maximum = 1_000

  /// How much of a training part is held out unless a number is given: a tenth, but at most a
  /// thousand sequences.
  package static func share(of count: Int) -> Int {
    count < 2 ? 0 : min(maximum, max(1, count / 10))
  }

  public static var configurationKind: String { "a whole number, auto or file" }

  public init?(configurationText text: String) {
    switch text {
    case "auto": self = .automatic
    case "file": self = .ownPart
    default:
      guard let count = Int(text) else { return nil }
      self = .count(count)
    }
  }

  public var configurationText: String {
    switch self {
    case .automatic: "auto"
    case .ownPart: "file"
    case .count(let count): String(count)
    }
  }
}

extension Requirement<HeldOutCount> {
  static var heldOut: Requirement {
    Requirement("from 0 to 100000000") { value in
      guard case .count(let count) = value else { return true }
      return 0...100_000_000 ~= count
    }
  }
}

extension TrainingConfiguration.Dataset {
  /// Visits the keys that select what is validated on.
  mutating func visitHeldOut(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    try visitor.field(
      "validation_count", &heldOut,
      "sequences held out of the training set for validation; auto takes the file's validation"
        + " part, or else a tenth of the training set, at most 1000; file: the file's own part",
      .heldOut)
    try visitor.field(
      "overfit", &overfit,
      "train and validate on the first N sequences of the training part only, to see that the model"
        + " can learn them; 0 trains on all",
      .within(0...100_000_000), use: .sequences)
  }

  /// Whether epochs end with a validation.
  public var isValidated: Bool { validationCount > 0 || overfit > 0 }

  /// The number of validation sequences; for data with their own validation part, whose size is not
  /// known here, some number above 0.
  public var validationCount: Int {
    get {
      guard case .count(let count) = heldOut else { return HeldOutCount.maximum }
      return count
    }
    set { heldOut = .count(newValue) }
  }
}
