// SPDX-License-Identifier: Apache-2.0

import HDF5

extension DatasetFile.Part {
  /// The names that a part may have in a file, ours first.
  var spellings: [String] {
    switch self {
    case .train: ["train", "training"]
    case .validation: ["validation", "valid", "val", "eval", "dev"]
    case .test: ["test", "testing"]
    }
  }
}

extension DatasetPlace {
  /// The name of a part in the files: ours, or another common one.
  ///
  /// - Throws: `DatasetError` if two parts of the files could be meant
  func spelling(
    of part: DatasetFile.Part, in files: DatasetFiles
  ) throws(DatasetError) -> String {
    let found = part.spellings.filter { spelling in
      files.contains { $0.file.contains(Self.name(inputs, spelling)) }
    }
    // Our name has precedence over all others.
    guard found.count > 1, found[0] != part.rawValue else { return found.first ?? part.rawValue }
    throw DatasetError(
      self.files,
      "has \(found[0]) and \(found[1]), and either could be the \(part.rawValue) part",
      cure: "rename one of them; names for it are " + part.spellings.joined(separator: ", "))
  }

  private static func name(_ pattern: String, _ part: String) -> String {
    pattern.replacingOccurrences(of: "{part}", with: part)
  }

  /// Whether a file has inputs or a text of this part.
  private func holds(
    _ part: DatasetFile.Part, _ files: some Sequence<(path: String, file: HDF5.File)>
  ) -> Bool {
    guard inputs.contains("{part}") else {
      return part == .train && files.contains { (_, file) in file.contains(inputs) }
    }
    return part.spellings.contains { spelling in
      files.contains { (_, file) in
        file.contains(Self.name(inputs, spelling)) || file.contains("\(spelling)/tokens")
      }
    }
  }

  /// Whether any of the files has a part. Only one file is open at a time, because there may be
  /// very many.
  public func holds(_ part: DatasetFile.Part) throws(DatasetError) -> Bool {
    for path in try paths() {
      do {
        if holds(part, [(path, try HDF5.File.open(path))]) { return true }
      } catch {
        throw DatasetError(path, error, cure: "check the path, or " + DatasetFile.prepareIt)
      }
    }
    return false
  }

  /// The part to measure in files that need not have a training part: the requested one, or else
  /// the test part, or else the only one.
  public func measuredPart(_ wanted: DatasetFile.Part?) throws(DatasetError) -> DatasetFile.Part {
    let files = try open()
    let parts = DatasetFile.Part.allCases.filter { holds($0, files) }
    guard let first = parts.first else {
      throw DatasetError(
        self.files, "has no part with \(inputs)",
        cure: "name its datasets with --set dataset.inputs=... and --set dataset.targets=...")
    }
    // Names without {part} belong to the only part.
    guard inputs.contains("{part}") else { return first }
    if let wanted {
      guard parts.contains(wanted) else {
        throw DatasetError(
          self.files, "has no \(wanted.rawValue) part",
          cure: "leave out --split, or choose \(parts.map(\.rawValue).joined(separator: " or "))")
      }
      return wanted
    }
    if parts.contains(.test) { return .test }
    guard parts.count == 1 else {
      throw DatasetError(
        self.files, "has the parts \(parts.map(\.rawValue).joined(separator: " and "))",
        cure: "choose one with --split")
    }
    return first
  }
}
