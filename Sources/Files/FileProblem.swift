/// An error about a file: what, where, and what to do, in one line.
public protocol FileProblem: Error, CustomStringConvertible, Sendable {
  /// The file or folder, and what is meant in it.
  var path: String { get }
  /// What is wrong with it.
  var problem: String { get }
  /// What the user can do.
  var cure: String { get }
  /// Whether the disk, and not what the file holds, is at fault.
  var isDiskFailure: Bool { get }
}

extension FileProblem {
  public var isDiskFailure: Bool { false }
  /// All of it.
  public var line: String { "\(path): \(problem); \(cure)" }
  public var description: String { line }
}
