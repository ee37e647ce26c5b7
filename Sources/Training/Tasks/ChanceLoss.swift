import Reports

/// The loss on a part of the data of a model that has learned nothing, with a word on where it
/// comes from.
public struct ChanceLoss: CustomStringConvertible, Sendable {
  public let value: Double
  /// What has this loss: "guessing".
  public let meaning: String

  public init(_ value: Double, _ meaning: String) {
    self.value = value
    self.meaning = meaning
  }

  /// "2.303 is ln 10, guessing"
  public var description: String { "\(brief(value)) is \(meaning)" }
}
