// SPDX-License-Identifier: Apache-2.0

import HDF5

/// A summary of a data set file.
public struct DatasetSummary {
  /// The attribute `task`; "unknown" without one.
  public let task: String
  /// The attribute `format_version`.
  public let formatVersion: Int
  /// The attribute `classes`; 0 without one.
  public let classes: Int
  /// The attribute `scaling`, the factor of the inputs on reading; 1 without one.
  public let scaling: Double
  /// The shape of each dataset by its path.
  public let parts: [String: [Int]]
  /// The earliest and the latest time of each part that has times.
  public let times: [DatasetFile.Part: ClosedRange<Double>]

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - readingAll: whether to read every number, so that HDF5 compares its checksums
  public init(_ path: String, readingAll: Bool) throws(DatasetError) {
    do {
      let file = try HDF5.File.open(path)
      guard let version = try file.intAttribute("format_version") else {
        throw DatasetError(
          path, "is an HDF5 file, but not a momentum-dist data set", cure: DatasetFile.prepareIt)
      }
      formatVersion = version
      task = try file.stringAttribute("task") ?? "unknown"
      classes = try file.intAttribute("classes") ?? 0
      scaling = try file.doubleAttribute("scaling") ?? 1
      var parts: [String: [Int]] = [:]
      var times: [DatasetFile.Part: ClosedRange<Double>] = [:]
      for part in DatasetFile.Part.allCases where file.contains(part.rawValue) {
        for name in DatasetFile.partNames
        where file.contains("\(part.rawValue)/\(name)") {
          let dataset = try file.dataset("\(part.rawValue)/\(name)")
          parts["\(part.rawValue)/\(name)"] = dataset.shape
          if name == "times" { times[part] = try Self.range(ofTimes: dataset) }
          if readingAll {
            var check = DatasetCheck(path: path, file: file, classes: classes)
            check.allowsNotFinite = name == "times"  // `requireTrainable` checks them further
            try check.run("\(part.rawValue)/\(name)")
          }
        }
      }
      (self.parts, self.times) = (parts, times)
      if readingAll {
        try FileListing.refuseLinks(of: file, path)
        try Self.requireTrainable(path, file, task: task)
      }
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, error, cure: "check the path; the file may be damaged")
    }
  }
}
