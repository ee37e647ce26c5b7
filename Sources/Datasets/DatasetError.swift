import Gzip
import HDF5

/// Data that cannot be used: what, where, and what to do about it, in one line.
public struct DatasetError: Error, CustomStringConvertible, Sendable {
  /// The file or folder.
  public let path: String
  /// What is wrong with it.
  public let problem: String
  /// What the user can do.
  public let cure: String
  /// Whether the disk, and not the data, is at fault.
  public let isDiskFailure: Bool

  public init(_ path: String, _ problem: String, cure: String, isDiskFailure: Bool = false) {
    self.path = path
    self.problem = problem
    self.cure = cure
    self.isDiskFailure = isDiskFailure
  }

  /// An error that a library reported about the file; where it knows a cure, that is taken.
  init(_ path: String, _ error: any Error, cure: String, isDiskFailure: Bool = false) {
    let own = error as? HDF5Error
    self.init(
      path, own?.description(in: path) ?? "\(error)", cure: own?.cure ?? cure,
      isDiskFailure: isDiskFailure)
  }

  public var description: String { "\(path): \(problem); \(cure)" }
}

extension DatasetError {
  /// A file that was to be read whole.
  init(_ error: GzipError) {
    let cure =
      switch error {
      case .missing, .unreadable: "name a file that can be read with --from"
      case .truncated, .corrupt: "download or copy it again"
      case .tooLarge: "cut it into smaller files"
      }
    self.init(error.path, error.problem, cure: cure)
  }
}
