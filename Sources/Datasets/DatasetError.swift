// SPDX-License-Identifier: Apache-2.0

import Files
import Gzip
import HDF5

/// Data that cannot be used: what, where, and what to do about it, in one line.
public struct DatasetError: FileProblem {
  /// The file or folder.
  public let path: String
  /// What is wrong with it.
  public let problem: String
  /// What to do about it.
  public let cure: String
  /// Whether the disk, and not the data, is at fault.
  public let isDiskFailure: Bool

  public init(_ path: String, _ problem: String, cure: String, isDiskFailure: Bool = false) {
    self.path = path
    self.problem = problem
    self.cure = cure
    self.isDiskFailure = isDiskFailure
  }

  /// An error that a library reported about the file, with the library's own advice if it has any.
  public init(_ path: String, _ error: any Error, cure: String, isDiskFailure: Bool = false) {
    let own = error as? HDF5Error
    self.init(
      path, own?.description(in: path) ?? "\(error)", cure: own?.knownCure ?? cure,
      isDiskFailure: isDiskFailure)
  }

  /// Another error about a file of the data.
  init(_ error: some FileProblem) {
    self.init(
      error.path, error.problem, cure: error.cure, isDiskFailure: error.isDiskFailure)
  }

  /// A file that could not be written.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - error: the reason; a temporary name in it is left out
  public static func unwritable(_ path: String, _ error: any Error) -> DatasetError {
    let own = error as? any FileProblem
    let isAboutIt = own.map { $0.path.hasPrefix(path) } ?? false
    return DatasetError(
      path, "cannot be written (\(isAboutIt ? own?.problem ?? "" : "\(error)"))",
      cure: "check that its folder exists, is writable and has room", isDiskFailure: true)
  }
}
