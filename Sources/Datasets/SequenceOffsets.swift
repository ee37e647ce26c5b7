// SPDX-License-Identifier: Apache-2.0

import HDF5

/// The positions of sequences of unequal length in rows [F, C] of one file or several consecutive
/// ones: sequence i is the rows offsets[i] ..< offsets[i + 1].
///
/// The offsets in each file count from 0. Here they count over all files.
struct SequenceOffsets: Sendable {
  /// The number of sequences in each file.
  let countsOfFiles: [Int]
  /// [N + 1], rising.
  let starts: [Int]

  /// The most that one file may have, at eight bytes each.
  private static let maximumCount = 1 << 27

  /// - Parameters:
  ///   - files: the files with their paths, in order
  ///   - name: the name of the dataset [N + 1] in each
  ///   - rows: the number of rows in each file
  ///   - shortest: the fewest rows that a sequence may have
  init(
    _ files: DatasetFiles, _ name: String, rows: [Int], shortest: Int
  ) throws(DatasetError) {
    var starts = [0]
    var counts: [Int] = []
    for ((path, file), rows) in zip(files, rows) {
      let own = try Self.read(file, name, path, areOurs: files.areOurs)
      guard own.count >= 2, own.first == 0, own.last == rows else {
        throw DatasetError(
          path, "\(name) has \(own.count) numbers and does not end at \(rows)",
          cure: "it must begin with 0 and end with the rows of inputs")
      }
      for (index, (start, end)) in zip(own, own.dropFirst()).enumerated()
      where end <= start || end - start < shortest {
        throw DatasetError(
          path, "\(name)[\(index)] is \(start), then \(end)",
          cure: "a sequence needs \(shortest == 1 ? "a step" : "\(shortest) steps") or more")
      }
      let base = starts[starts.count - 1]
      starts += own.dropFirst().map { base + $0 }
      counts.append(own.count - 1)
    }
    self.starts = starts
    countsOfFiles = counts
  }

  private static func read(
    _ file: HDF5.File, _ name: String, _ path: String, areOurs: Bool
  ) throws(DatasetError) -> [Int] {
    do {
      let stored = try file.dataset(name)
      guard stored.elementType.isNumber, stored.shape.count == 1, stored.count <= maximumCount
      else {
        throw DatasetError(
          path, "\(name) is \(stored.typeDescription) \(stored.shape)",
          cure: "it must be [N + 1] whole numbers")
      }
      try stored.requireStored()
      if areOurs { try DatasetChecksums.check(name, in: file, path) }
      return try StoredLabels(path: path, name: name, dataset: stored).wholeNumbers()
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, error, cure: "the file is damaged or foreign: make it again")
    }
  }

  /// N.
  var count: Int { starts.count - 1 }

  /// The rows of a sequence.
  subscript(_ index: Int) -> Range<Int> { starts[index]..<starts[index + 1] }

  /// Rows of the longest sequence.
  var longest: Int { (0..<count).reduce(0) { max($0, self[$1].count) } }
}
