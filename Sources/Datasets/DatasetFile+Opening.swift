import HDF5

extension DatasetFile {
  /// What to do about a file that is none of ours.
  static let prepareIt = "make it with `momentum-dist prepare`"

  /// What the classes of a file are called, where it says.
  static func classNames(of file: HDF5.File) throws(HDF5Error) -> [String]? {
    try file.stringAttribute("class_names")?.split(separator: "\n").map(String.init)
  }

  /// Opens a data set file of this format version, made for a task.
  static func open(_ path: String, task: String) throws -> HDF5.File {
    let file = try HDF5.File.open(path)
    guard let version = try file.intAttribute("format_version") else {
      throw DatasetError(path, "is an HDF5 file, but no data set of ours", cure: prepareIt)
    }
    guard version == formatVersion else {
      throw DatasetError(
        path, "has format version \(version), this program reads \(formatVersion)",
        cure: prepareIt)
    }
    let found = try file.stringAttribute("task") ?? "unknown"
    guard found == task else {
      throw DatasetError(
        path, "is for the task \(found), not \(task)",
        cure: "set dataset.task=\(found), or prepare another file")
    }
    return file
  }
}
