// SPDX-License-Identifier: Apache-2.0

import HDF5

extension DatasetPlace {
  static let nameOrPrepare =
    "name its datasets with dataset.inputs and dataset.targets, or make it with"
    + " `momentum-dist prepare`"
  static let inspectIt = "; `momentum-dist inspect` lists what a file holds"

  /// The names of a part's datasets. Every file must have inputs and targets.
  func names(
    of part: DatasetFile.Part, in files: DatasetFiles
  ) throws(DatasetError) -> (inputs: String, targets: String, offsets: String) {
    let spelling = try spelling(of: part, in: files)
    let names = (
      inputs: try name(inputs, of: part, as: spelling),
      targets: try name(targets, of: part, as: spelling),
      offsets: try name(offsets, of: part, as: spelling)
    )
    let needed = unlabelled == nil ? [names.inputs, names.targets] : [names.inputs]
    for (path, file) in files where !needed.allSatisfy(file.contains) {
      let missing = needed.filter { !file.contains($0) }
      throw DatasetError(
        path,
        isForeign || files.areOurs
          ? "has no \(missing.joined(separator: " and "))"
          : "is an HDF5 file, but not a momentum-dist data set",
        cure: Self.nameOrPrepare + Self.inspectIt)
    }
    return names
  }

  /// The attributes of the files, which must be the same for all.
  ///
  /// Attributes of a user's own files are ignored.
  func headers(
    of files: DatasetFiles
  ) throws(DatasetError) -> (classes: Int?, scaling: Float) {
    guard files.areOurs else { return (classes > 0 ? classes : nil, 1) }
    var found: (classes: Int?, scaling: Float)?
    for (path, file) in files {
      let header = try header(of: file, path)
      if let found, found != header {
        throw DatasetError(
          path,
          "has \(header.classes ?? 0) classes and the scaling \(header.scaling),"
            + " \(files[0].path) \(found.classes ?? 0) and \(found.scaling)",
          cure: "prepare all files the same way")
      }
      found = header
    }
    return found ?? (nil, 1)
  }

  private func header(
    of file: HDF5.File, _ path: String
  ) throws(DatasetError) -> (classes: Int?, scaling: Float) {
    do {
      try DatasetFile.requireVersion(of: file, path, cure: Self.nameOrPrepare)
      let scaling = try file.doubleAttribute("scaling") ?? 1
      let own = try file.intAttribute("classes") ?? 0
      guard scaling.isFinite, scaling != 0, 0...1 << 24 ~= own else {
        throw DatasetError(
          path, "has the attributes classes=\(own) and scaling=\(scaling)",
          cure: "fix them, or prepare the file again")
      }
      let count = classes > 0 ? classes : own
      return (count > 0 ? count : nil, Float(scaling))
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, error, cure: Self.nameOrPrepare)
    }
  }

  /// Refuses files whose numbers were normalised by statistics that differ from those of the first.
  /// The same number would have a different meaning in each.
  func requireSameStatistics(
    of files: DatasetFiles
  ) throws(DatasetError) {
    guard files.areOurs else { return }
    for name in ["feature_mean", "feature_std"] {
      _ = try agreed(name, of: files) { (file) throws -> [Double]? in
        guard file.contains(name) else { return try file.doublesAttribute(name) }
        let dataset = try file.dataset(name)
        try dataset.requireStored()
        return try dataset.read(as: Double.self, maximumElements: Self.maximumFeatures)
      }
    }
  }

  private static let maximumFeatures = 1 << 24

  /// Refuses files that `prepare` made for another task.
  func requireClassification(_ files: DatasetFiles) throws(DatasetError) {
    let task = try agreed("task", of: files) { file in
      files.areOurs ? try file.stringAttribute("task") : nil
    }
    guard let task, task != "classification" else { return }
    throw DatasetError(
      self.files, "is for the task \(task), not classification",
      cure: "set dataset.task=\(task), or prepare another file")
  }

  /// The classes of the sequences of a part; zeros where targets are not read.
  ///
  /// - Parameters:
  ///   - counts: the sequences of each file
  ///   - known: the number of classes; nil counts them
  func labels(
    _ files: DatasetFiles, _ name: String, counts: [Int], classes known: Int?
  ) throws(DatasetError) -> ClassLabels {
    if let unlabelled {
      return ClassLabels(unknown: counts.reduce(0, +), of: unlabelled.outputs)
    }
    return try ClassLabels(files, name, counts: counts, classes: known)
  }

  /// The names of the classes, if the files have them, and notes about the data.
  func classNames(
    of files: DatasetFiles, _ labels: ClassLabels, _ inputs: StoredRows
  ) throws(DatasetError) -> (names: [String]?, notes: [String]) {
    let notes = inputs.notes + labels.notes
    if files.areOurs {
      return (try agreed("list of classes", of: files, DatasetFile.classNames), notes)
    }
    let own = OwnAttributes.classNames(of: files, count: labels.count)
    return (own.names ?? labels.names, OwnAttributes.notes(of: files) + own.notes + notes)
  }
}
