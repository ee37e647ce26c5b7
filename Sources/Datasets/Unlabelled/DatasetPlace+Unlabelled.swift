// SPDX-License-Identifier: Apache-2.0

import HDF5

extension DatasetPlace {
  /// Whether `prepare` made the first of the files. Files that differ in this are refused when they
  /// are read.
  public func areOurs() throws(DatasetError) -> Bool {
    try ofFirst { (file) throws(HDF5Error) in try DatasetFile.isOurs(file, byNames: !isForeign) }
  }

  /// Whether the inputs of a part are stored as whole numbers, according to the first of the files.
  public func holdsWholeNumbers(_ part: DatasetFile.Part) throws(DatasetError) -> Bool {
    try ofFirst { (file) throws(HDF5Error) in
      let name = part.spellings.map { inputs.replacing("{part}", with: $0) }
        .first { file.contains($0) }
      return try name.map { (name) throws(HDF5Error) in
        try !file.dataset(name).elementType.isFloat
      } ?? false
    }
  }

  private func ofFirst(
    _ body: (HDF5.File) throws(HDF5Error) -> Bool
  ) throws(DatasetError) -> Bool {
    guard let path = try paths().first else {
      throw DatasetError(files, "names no file", cure: "check the path")
    }
    do {
      return try body(HDF5.File.open(path))
    } catch {
      throw DatasetError(
        path, error, cure: "check the path, or make it with `momentum-dist prepare`")
    }
  }

  /// The name of the only dataset of numbers that could be inputs [N, T, C], [N, T] or [F, C].
  ///
  /// - Parameter features: C; nil if unknown
  /// - Throws: `DatasetError` if there is none, or more than one
  public func onlyInputs(features: Int?) throws(DatasetError) -> String {
    guard let path = try paths().first else {
      throw DatasetError(files, "names no file", cure: "check the path")
    }
    let entries = try FileListing(path, readingAll: false).entries
    let fitting = entries.filter { entry in
      guard entry.elementType.isNumber, entry.shape.count >= 2, !entry.shape.contains(0) else {
        return false
      }
      return features.map { entry.shape.last == $0 || $0 == 1 } ?? true
    }
    // If there are [N, K] and [N, T, C], the latter are the inputs.
    let deepest = fitting.filter { $0.shape.count > 2 }
    let found = deepest.isEmpty ? fitting : deepest
    guard let only = found.first, found.count == 1 else {
      let shown = entries.prefix(12).map { "\($0.name) \($0.shape)" }.joined(separator: ", ")
      throw DatasetError(
        path,
        found.isEmpty
          ? "has no inputs [N, T, \(features.map(String.init) ?? "C")]; it holds \(shown)"
          : "holds several datasets that could be the inputs: \(shown)",
        cure: found.isEmpty ? "store them, or name them with --inputs" : "name them with --inputs")
    }
    return only.name
  }
}
