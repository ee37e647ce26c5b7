#if canImport(Glibc)
  import Glibc
#endif

/// A call of the operating system that failed, with the file it was about.
public struct FileError: FileProblem {
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

  public var problem: String { "cannot \(operation): \(String(cString: strerror(code)))" }
  public var cure: String { "check that the folder exists, is writable and has room" }
  public var isDiskFailure: Bool { true }

  /// Without the cure, for a line that has its own.
  public var description: String { "\(path): \(problem)" }
}
