/// A configuration that cannot be used, in one line: the key, what was found and where, what was
/// expected.
public struct ConfigurationError: Error, CustomStringConvertible, Sendable {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}
