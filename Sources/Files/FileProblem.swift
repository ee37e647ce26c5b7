// SPDX-License-Identifier: Apache-2.0

/// An error about a file: what, where, and what to do, in one line.
public protocol FileProblem: Error, CustomStringConvertible, Sendable {
  /// The file or folder, and the place in it.
  var path: String { get }
  /// What is wrong with it.
  var problem: String { get }
  /// What the user can do.
  var cure: String { get }
  /// Whether the disk, and not the content of the file, is at fault.
  var isDiskFailure: Bool { get }
}

extension FileProblem {
  public var isDiskFailure: Bool { false }
  /// The whole line.
  public var line: String { "\(path): \(problem); \(cure)" }
  public var description: String { line }
}
