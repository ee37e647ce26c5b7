// SPDX-License-Identifier: Apache-2.0

import HDF5

/// Reads every number of a data set file, in pieces, and reports what is wrong and where.
///
/// HDF5 compares each piece with its checksum, and the file's own checksums are compared (see
/// `DatasetChecksums`). Numbers must be finite, and classes must be among those that the file
/// declares.
struct DatasetCheck {
  let path: String
  let file: HDF5.File
  /// The number of classes or symbols of whole-number targets; 0 allows any.
  let classes: Int
  /// Whether infinity and NaN are allowed, as in a file that nothing trains on.
  var allowsNotFinite = false

  private static let pieceElements = 1 << 22

  func run(_ name: String) throws {
    let dataset = try file.dataset(name)
    try dataset.requireStored()
    let shape = dataset.shape
    guard let extent = shape.first, dataset.count > 0, dataset.elementType.isNumber else {
      return
    }
    let width = shape.dropFirst().reduce(1, *)
    let rows = max(1, Self.pieceElements / max(width, 1))
    let isFloat = dataset.elementType.isFloat
    for start in stride(from: 0, to: extent, by: rows) {
      let count = [min(rows, extent - start)] + shape.dropFirst()
      let values: [Float]
      do {
        values = try dataset.read(
          as: Float.self, at: [start] + shape.dropFirst().map { _ in 0 }, count: count)
      } catch {
        throw DatasetError(
          path, "\(name)[\(start) ..< \(start + count[0])] cannot be read (\(error.detail))",
          cure: error.cure)
      }
      try check(values, of: name, from: start, width: width, isFloat: isFloat)
    }
    try DatasetChecksums.check(name, in: file, path)
  }

  private func check(
    _ values: [Float], of name: String, from row: Int, width: Int, isFloat: Bool
  ) throws(DatasetError) {
    func place(_ index: Int) -> String {
      "\(name)[\(row + index / width)]" + (width > 1 ? " (number \(index % width) of its row)" : "")
    }
    if !allowsNotFinite, let index = StoredNumbers.floats(values).firstNotFinite {
      throw DatasetError(
        path, "\(place(index)) is \(values[index])",
        cure: "remove such sequences, or replace the number")
    }
    guard !isFloat, classes > 0, name.hasSuffix("/targets") else { return }
    if let index = values.firstIndex(where: { $0 < 0 || $0 >= Float(classes) }) {
      throw DatasetError(
        path, "\(place(index)) is \(values[index]), outside 0 ..< \(classes)",
        cure: "fix the label or the attribute `classes`")
    }
  }
}
