// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// Whether files can be locked. HDF5 locks every file that it opens, and some network file systems
/// have no locks.
struct LockingCheck {
  /// Whether a file can be locked; nil if no file can be created.
  var works: Bool?
  /// The value of HDF5_USE_FILE_LOCKING.
  var setting: String?

  static let variable = "HDF5_USE_FILE_LOCKING"

  static func here(_ output: String) -> LockingCheck {
    LockingCheck(
      works: FileSystem(of: output).flatMap { FileSystem.allowsLocks(in: $0.folder) },
      setting: ProcessInfo.processInfo.environment[variable])
  }

  var finding: Finding {
    let isOff = setting == "FALSE"
    switch works {
    case .some(true):
      return isOff
        ? .note(
          "locks",
          "\(Self.variable) is FALSE, though locks work here: nothing keeps two writers"
            + " apart", cure: "unset \(Self.variable)")
        : .good("locks", "files can be locked, as HDF5 needs")
    case .some(false):
      if isOff { return .good("locks", "no file locks here, and \(Self.variable) is FALSE") }
      return setting == "TRUE"
        ? .wrong(
          "locks", "files cannot be locked here, and \(Self.variable) is TRUE: HDF5 opens no file",
          cure: "unset \(Self.variable)")
        : .note(
          "locks", "files cannot be locked here; HDF5 files are opened without locks",
          cure: "make sure that only one process writes to a file or trains in a folder")
    case .none:
      return .note("locks", "could not be tried: no file can be made", cure: "see output")
    }
  }
}
