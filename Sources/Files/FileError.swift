// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

/// A failed call of the operating system, with its file.
public struct FileError: FileProblem {
  public let path: String
  /// The operation, as a verb: "open", "rename".
  public let operation: String
  /// The system's error number.
  public let code: Int32
  /// What is at the path instead of a file; nil if the system refused the call.
  public let obstacle: Obstacle?

  /// Something other than a file at the path, which is not a fault of the disk.
  public enum Obstacle: Sendable {
    /// A pipe, a socket or a device.
    case notRegular
    /// A symbolic link, which is not followed here.
    case link
    /// A file that already exists although a new one was to be created.
    case taken
  }

  public init(_ operation: String, _ path: String, code: Int32 = errno) {
    self.path = path
    self.operation = operation
    self.code = code
    obstacle = nil
  }

  public init(_ operation: String, _ path: String, obstacle: Obstacle) {
    self.path = path
    self.operation = operation
    self.obstacle = obstacle
    code =
      switch obstacle {
      case .notRegular: EOPNOTSUPP
      case .link: ELOOP
      case .taken: EEXIST
      }
  }

  public var problem: String {
    switch obstacle {
    case nil: "cannot \(operation): \(String(cString: strerror(code)))"
    case .notRegular: "is not a regular file (a pipe, socket or device)"
    case .link: "is a symbolic link, which is not followed here"
    case .taken: "already exists"
    }
  }

  public var cure: String {
    switch obstacle {
    case nil: "check that the folder exists, is writable and has room"
    case .notRegular where operation == "read":
      "name a regular file, or pass a stream as /dev/stdin"
    case .notRegular, .link, .taken: "move it away"
    }
  }

  public var isDiskFailure: Bool { obstacle == nil }

  /// The error without advice, for a message that adds its own.
  public var description: String { "\(path): \(problem)" }
}
