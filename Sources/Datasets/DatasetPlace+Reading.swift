import HDF5

extension DatasetPlace {
  static let nameOrPrepare =
    "name its datasets with dataset.inputs and dataset.targets, or make it with"
    + " `momentum-dist prepare`"

  /// The labels that are read: four bytes each, for all sequences of a part.
  private static let maximumLabels = 1 << 28

  /// The names of a part's datasets, of which every file must have inputs and targets.
  func names(
    of part: DatasetFile.Part, in files: [(path: String, file: HDF5.File)]
  ) throws(DatasetError) -> (inputs: String, targets: String, offsets: String) {
    let spelling = try spelling(of: part, in: files)
    let names = (
      inputs: try name(inputs, of: part, as: spelling),
      targets: try name(targets, of: part, as: spelling),
      offsets: try name(offsets, of: part, as: spelling)
    )
    for (path, file) in files where !file.contains(names.inputs) || !file.contains(names.targets) {
      throw DatasetError(
        path, "has no \(names.inputs) and \(names.targets)", cure: Self.nameOrPrepare)
    }
    return names
  }

  /// What the files say of themselves, which must be the same for all.
  ///
  /// The user's own files need say nothing.
  func headers(
    of files: [(path: String, file: HDF5.File)]
  ) throws(DatasetError) -> (classes: Int?, scaling: Float) {
    var found: (classes: Int?, scaling: Float)?
    for (path, file) in files {
      let header = try header(of: file, path)
      if let found, found != header {
        throw DatasetError(
          path,
          "has \(header.classes ?? 0) classes and the scaling \(header.scaling),"
            + " \(files[0].path) \(found.classes ?? 0) and \(found.scaling)",
          cure: "prepare all files alike")
      }
      found = header
    }
    return found ?? (nil, 1)
  }

  private func header(
    of file: HDF5.File, _ path: String
  ) throws(DatasetError) -> (classes: Int?, scaling: Float) {
    do {
      if !isForeign { try DatasetFile.requireVersion(of: file, path, cure: Self.nameOrPrepare) }
      let scaling = try file.doubleAttribute("scaling") ?? 1
      let own = try file.intAttribute("classes") ?? 0
      guard scaling.isFinite, scaling != 0, 0...1 << 24 ~= own else {
        throw DatasetError(
          path, "has the attributes classes=\(own) and scaling=\(scaling)",
          cure: "mend them, or prepare the file again")
      }
      let count = classes > 0 ? classes : own
      return (count > 0 ? count : nil, Float(scaling))
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, error, cure: Self.nameOrPrepare)
    }
  }

  /// Refuses files whose numbers were normalised by other statistics than those of the first: the
  /// same number would mean another thing in each.
  func requireSameStatistics(
    of files: [(path: String, file: HDF5.File)]
  ) throws(DatasetError) {
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

  /// A class for each sequence.
  ///
  /// - Parameter counts: the sequences of each file
  func labels(
    _ files: [(path: String, file: HDF5.File)], _ name: String, counts: [Int], classes: Int?
  ) throws(DatasetError) -> ([Int32], TargetKind) {
    var labels: [Int32] = []
    for ((path, file), count) in zip(files, counts) {
      do {
        let dataset = try file.dataset(name)
        try dataset.requireStored()
        try DatasetChecksums.check(name, in: file, path)
        let isColumn = dataset.shape.count == 2 && dataset.shape[1] == 1
        guard dataset.shape.count == 1 || isColumn, dataset.count <= Self.maximumLabels,
          ![.float32, .float64, .string, .other].contains(dataset.elementType)
        else {
          throw DatasetError(
            path, "\(name) is \(dataset.elementType) \(dataset.shape)",
            cure: "it must be [N] whole numbers")
        }
        let own = try dataset.read(as: Int32.self)
        let allowed = 0..<(classes ?? 1 << 24)
        if let wrong = own.firstIndex(where: { !allowed.contains(Int($0)) }) {
          throw DatasetError(
            path, "\(name)[\(wrong)] is \(own[wrong]), outside \(allowed)",
            cure: "mend the label or the attribute `classes`")
        }
        guard own.count == count else {
          throw DatasetError(
            path, "has \(count) sequences and \(own.count) labels in \(name)",
            cure: "there must be a label for each")
        }
        labels += own
      } catch let error as DatasetError {
        throw error
      } catch {
        throw DatasetError(path, error, cure: "the file is damaged or foreign: make it again")
      }
    }
    return (labels, .classes(classes ?? Int(labels.max() ?? 0) + 1))
  }
}
