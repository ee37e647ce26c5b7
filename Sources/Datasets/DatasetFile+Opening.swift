// SPDX-License-Identifier: Apache-2.0

import HDF5

extension DatasetFile {
  /// What to do about a file that `prepare` did not make.
  static let prepareIt = "make it with `momentum-dist prepare`"

  /// Whether `prepare` made a file. If so, its attributes say what its numbers mean.
  ///
  /// Such a file has the attributes `format_version`, one integer, and `task`, one string. If its
  /// datasets have the names that `prepare` writes, `format_version` is enough. Other attributes of
  /// a user's file have no meaning here.
  ///
  /// - Throws: if the attributes cannot be read, so that a damaged file of `prepare` does not count
  ///   as the user's own.
  static func isOurs(_ file: HDF5.File, byNames: Bool) throws(HDF5Error) -> Bool {
    guard try file.hasIntegerAttribute("format_version") else { return false }
    return byNames ? true : try file.hasStringAttribute("task")
  }

  /// The names of the classes of a file that `prepare` made, if it has them.
  static func classNames(of file: HDF5.File) throws(HDF5Error) -> [String]? {
    try file.stringAttribute("class_names")?.split(separator: "\n").map(String.init)
  }

  /// Opens a file that `prepare` made, of the version that this program reads.
  ///
  /// - Throws: `DatasetError` or `HDF5Error`
  static func open(_ path: String) throws -> HDF5.File {
    let file = try HDF5.File.open(path)
    try requireVersion(of: file, path)
    return file
  }

  /// Refuses a file of another format version, or one that `prepare` did not make.
  static func requireVersion(
    of file: HDF5.File, _ path: String, cure: String = prepareIt
  ) throws {
    guard let version = try file.intAttribute("format_version") else {
      throw DatasetError(path, "is an HDF5 file, but not a momentum-dist data set", cure: cure)
    }
    guard version == formatVersion else {
      throw DatasetError(
        path, "has format version \(version), this program reads \(formatVersion)",
        cure: prepareIt)
    }
  }

  /// Refuses a file of another format version, or made for another task.
  static func require(_ task: String, of file: HDF5.File, _ path: String) throws {
    try requireVersion(of: file, path)
    let found = try file.stringAttribute("task") ?? "unknown"
    guard found == task else {
      throw DatasetError(
        path, "is for the task \(found), not \(task)",
        cure: "set dataset.task=\(found), or prepare another file")
    }
  }
}
