// SPDX-License-Identifier: Apache-2.0

import Files

/// An HDF5 operation that failed.
public struct HDF5Error: Error, Hashable, Sendable {
  /// What was attempted, such as `read`.
  public let operation: String

  /// The file, then the object after a colon, then its attribute after an at sign.
  public let path: String

  /// Why it failed, on one line.
  public let detail: String

  /// What the user can do; `nil` if the cause is unknown.
  public let knownCure: String?

  init(_ operation: String, _ path: String, _ detail: String, cure: String? = nil) {
    self.operation = operation
    self.path = path
    self.detail = detail
    knownCure = cure
  }
}

extension HDF5Error: FileProblem {
  public var problem: String { "cannot \(operation): \(detail)" }
  public var cure: String { knownCure ?? "look at the file with h5ls, or make or copy it again" }

  /// The error without advice, for a message that adds its own.
  public var description: String {
    "\(path): cannot \(operation): \(detail)"
  }

  /// The error without the name of the file, for a message that has it already.
  public func description(in file: String) -> String {
    guard path.hasPrefix(file) else { return description }
    let object = path.dropFirst(file.count).drop { $0 == ":" }
    return (object.isEmpty ? "" : "\(object): ") + "cannot \(operation): \(detail)"
  }
}
