// SPDX-License-Identifier: Apache-2.0

import HDF5

/// The classes of the sequences of a part, from the targets of all its files.
///
/// Classes are whole numbers of any width, also stored as floats, Boolean values and enumerations,
/// [N] or [N, 1], and one-hot rows [N, K]. Targets that could mean two things are refused with what
/// to do. Valid targets that look like a mistake get a note.
struct ClassLabels {
  let labels: [Int32]
  /// The number of classes.
  let count: Int
  /// The names of the labels, if their type is an enumeration that names all of them.
  let names: [String]?
  let notes: [String]

  private static let maximumClasses = 1 << 24

  /// Reads the labels.
  ///
  /// - Parameters:
  ///   - counts: the sequences of each file
  ///   - known: the number of classes; nil counts them
  init(
    _ files: DatasetFiles, _ name: String, counts: [Int], classes known: Int?
  ) throws(DatasetError) {
    var labels: [Int] = []
    var width: Int?
    var names: [Int: String]?
    for ((path, file), count) in zip(files, counts) {
      do {
        let dataset = try file.dataset(name)
        if files.areOurs { try DatasetChecksums.check(name, in: file, path) }
        let stored = StoredLabels(path: path, name: name, dataset: dataset)
        let own = try stored.read(count: count)
        let limit = known ?? Self.maximumClasses
        if let wrong = own.labels.firstIndex(where: { !(0..<limit).contains($0) }) {
          throw stored.outside(wrong, own.labels, known: known, areOurs: files.areOurs)
        }
        if let width, let oneHot = own.width, width != oneHot {
          throw DatasetError(
            path, "\(name) has \(oneHot) columns, \(files.paths[0]) has \(width)",
            cure: "all files must have the same number of classes")
        }
        width = own.width ?? width
        names = names ?? dataset.enumerationNames()
        labels += own.labels
      } catch let error as DatasetError {
        throw error
      } catch {
        throw DatasetError(path, error, cure: "the file may be damaged: make it again")
      }
    }
    let place = "\(files.paths.first ?? ""): \(name)"
    let largest = labels.max() ?? 0
    if known == nil, width == nil, !files.areOurs, labels.min() == 1, largest > 1 {
      throw DatasetError(
        files.paths.first ?? "", "\(name) has labels from 1 to \(largest) and no 0",
        cure: "classes are numbered from 0: subtract 1, or set dataset.classes=\(largest + 1) if"
          + " class 0 exists")
    }
    count = known ?? width ?? largest + 1
    self.labels = labels.map { Int32($0) }
    self.names = Self.names(names, count)
    notes = Self.notes(self.labels, count, place)
  }

  /// Zeros for sequences whose classes are not read.
  init(unknown sequences: Int, of classes: Int) {
    (labels, count) = (Array(repeating: 0, count: sequences), classes)
    (names, notes) = (nil, [])
  }

  /// The names of an enumeration, in the order of the classes. `FALSE` and `TRUE` do not count as
  /// names.
  private static func names(_ names: [Int: String]?, _ count: Int) -> [String]? {
    guard let names, names.count == count, names[0] != "FALSE" else { return nil }
    let inOrder = (0..<count).compactMap { names[$0] }
    return inOrder.count == count ? inOrder : nil
  }

  /// Notes about the labels of a part.
  static func notes(_ labels: [Int32], _ count: Int, _ place: String) -> [String] {
    let used = Set(labels)
    if used.count == 1, let label = labels.first {
      return [
        "\(place): all \(labels.count) labels are \(label): a model that always answers \(label) has"
          + " an accuracy of 100 %"
      ]
    }
    let missing = count - used.count
    guard missing > 0 else { return [] }
    let shown = (0..<count).lazy.filter { !used.contains(Int32($0)) }.prefix(10)
    return [
      "\(place): \(missing) of \(count) classes have no sequence: "
        + shown.map(String.init).joined(separator: ", ") + (missing > 10 ? ", ..." : "")
    ]
  }
}

/// The labels of one file, as they are stored.
struct StoredLabels {
  let path: String
  let name: String
  let dataset: Dataset

  /// The most labels that are read, for all sequences of a file.
  private static let maximumLabels = 1 << 28

  /// The class of each sequence, and the columns of one-hot rows.
  ///
  /// - Throws: `DatasetError` or `HDF5Error`
  func read(count: Int) throws -> (labels: [Int], width: Int?) {
    let shape = dataset.shape
    guard dataset.elementType.isNumber else {
      throw DatasetError(
        path, "\(name) does not hold numbers but \(dataset.typeDescription)",
        cure: "number the classes 0, 1, 2, ..., as numpy.unique(y, return_inverse=True) does"
          + (dataset.elementType == .string
            ? "; or make a data set of it with `momentum-dist prepare arrays`" : ""))
    }
    try dataset.requireStored()
    guard shape.count == 1 || shape.count == 2 && shape[1] > 0, dataset.count <= Self.maximumLabels
    else {
      throw DatasetError(
        path, "\(name) is \(dataset.elementType) \(shape)",
        cure: "it must be [N] whole numbers, or one-hot [N, K]")
    }
    guard shape[0] == count else {
      throw DatasetError(
        path, "\(name) has \(shape[0]) labels for \(count) sequences",
        cure: "store one label for each sequence")
    }
    let numbers = try wholeNumbers()
    guard shape.count == 2, shape[1] > 1 else { return (numbers, nil) }
    return (try classes(ofRows: numbers, width: shape[1]), shape[1])
  }

  /// The numbers of the dataset, exactly.
  func wholeNumbers() throws -> [Int] {
    if dataset.elementType.isFloat {
      let values = try dataset.read(as: Double.self)
      return try values.enumerated().map { index, value in
        guard let whole = Int(exactly: value) else {
          throw DatasetError(
            path, "\(place(index)) is \(value), which is not a class",
            cure: "classes are whole numbers: 0, 1, 2, ...")
        }
        return whole
      }
    }
    if dataset.elementType == .uint64 {
      return try dataset.read(as: UInt64.self).enumerated().map { index, value in
        guard let whole = Int(exactly: value) else {
          throw DatasetError(
            path, "\(place(index)) is \(value)", cure: "number the classes 0, 1, 2, ...")
        }
        return whole
      }
    }
    return try dataset.read(as: Int.self)
  }

  /// The position of the single 1 of each row.
  private func classes(ofRows numbers: [Int], width: Int) throws(DatasetError) -> [Int] {
    var classes: [Int] = []
    for row in 0..<numbers.count / width {
      let values = numbers[row * width..<(row + 1) * width]
      let ones = values.indices.filter { values[$0] == 1 }
      guard ones.count == 1, values.allSatisfy({ $0 == 0 || $0 == 1 }) else {
        let shown = values.prefix(10).map(String.init).joined(separator: ", ")
        throw DatasetError(
          path,
          "\(name) is \(dataset.shape), but its row \(row) is not one-hot:"
            + " [\(shown)\(width > 10 ? ", ..." : "")]",
          cure: "a sequence has one class: store [N] whole numbers, or one 1 in each row")
      }
      classes.append(ones[0] - values.startIndex)
    }
    return classes
  }

  /// The error for a label without a class.
  func outside(_ index: Int, _ labels: [Int], known: Int?, areOurs: Bool) -> DatasetError {
    let label = labels[index]
    let limit = known ?? 1 << 24
    let problem = "\(name)[\(index)] is \(label), outside \(0..<limit)"
    if areOurs {
      return DatasetError(path, problem, cure: "fix the label or the attribute `classes`")
    }
    if Set(labels) == [-1, 1] {
      return DatasetError(
        path, "\(name) has the labels -1 and 1",
        cure: "number the classes 0 and 1: in h5py, y[...] = (y[...] + 1) // 2")
    }
    let fits = label >= 0 && label < 1 << 24
    return DatasetError(
      path, problem,
      cure: fits
        ? "fix the label, or set dataset.classes=\((labels.max() ?? 0) + 1)"
        : "number the classes 0, 1, 2, ..., as numpy.unique(y, return_inverse=True) does")
  }

  private func place(_ index: Int) -> String {
    let width = dataset.shape.count == 2 ? dataset.shape[1] : 1
    return width == 1 ? "\(name)[\(index)]" : "\(name)[\(index / width), \(index % width)]"
  }
}
