/// A file whose digest could not be computed.
public struct DigestError: Error, Hashable, Sendable {
  /// The path of the file.
  public let path: String

  /// Why it could not be read.
  public let reason: String
}

extension DigestError: CustomStringConvertible {
  /// The error on one line.
  public var description: String {
    "\(path): cannot compute the SHA-256 digest: \(reason)"
  }
}
