#if canImport(Glibc)
  import Glibc
#endif

/// A call of the operating system that failed, with the file it was about.
public struct FileError: Error, CustomStringConvertible, Sendable {
  public let path: String
  /// What was tried, as a verb: "open", "rename".
  public let operation: String
  /// The system's number for the reason.
  public let code: Int32

  public init(_ operation: String, _ path: String, code: Int32 = errno) {
    self.path = path
    self.operation = operation
    self.code = code
  }

  public var description: String {
    "\(path): cannot \(operation): \(String(cString: strerror(code)))"
  }
}
