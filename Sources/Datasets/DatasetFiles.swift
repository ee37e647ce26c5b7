// SPDX-License-Identifier: Apache-2.0

import Files
import HDF5

/// The files of a data set. Only a few are open at a time.
///
///     for (path, file) in files { ... }
///
/// opens each when its turn comes. If a file cannot be opened again, every later access throws its
/// error. Use an object from one thread at a time.
struct DatasetFiles: RandomAccessCollection {
  let paths: [String]
  /// Whether `prepare` made the files. Then their attributes say what the numbers mean. Attributes
  /// of a user's own file have no meaning here.
  let areOurs: Bool
  private let pool: OpenFilePool<HDF5.File>

  /// Opens all files, one after the other, to check that they exist.
  ///
  /// - Parameter isOurs: whether `prepare` made a file
  init(
    _ paths: [String], limit: Int = OpenFileLimit.shared,
    isOurs: (HDF5.File) throws(HDF5Error) -> Bool
  ) throws(DatasetError) {
    self.paths = paths
    pool = OpenFilePool(limit: limit)
    var known: Bool?
    for (number, path) in paths.enumerated() {
      let file: HDF5.File
      let own: Bool
      do {
        file = try HDF5.File.open(path)
        own = try isOurs(file)
      } catch {
        throw DatasetError(
          path, error, cure: "check the path, or make it with `momentum-dist prepare`")
      }
      if let known, known != own {
        throw DatasetError(
          path,
          own
            ? "was made by `momentum-dist prepare`, but \(paths[0]) was not"
            : "is an HDF5 file, but not a momentum-dist data set, unlike \(paths[0])",
          cure: "prepare all files the same way")
      }
      known = own
      pool.keep(file, number)
    }
    areOurs = known ?? false
  }

  var startIndex: Int { 0 }
  var endIndex: Int { paths.count }

  subscript(index: Int) -> (path: String, file: HDF5.File) {
    let path = paths[index]
    if let file = pool[index] { return (path, file) }
    guard let file = try? HDF5.File.open(path) else { return (path, HDF5.File.unopened(path)) }
    pool.keep(file, index)
    return (path, file)
  }
}

/// Keeps something open for each of several files, by their numbers, and releases what was used
/// least recently. One thread uses an object at a time.
final class OpenFilePool<Value> {
  private let limit: Int
  private var open: [Int: (value: Value, lastUse: Int)] = [:]
  private var uses = 0

  init(limit: Int) {
    self.limit = Swift.max(limit, 1)
  }

  /// The number of open files.
  var count: Int { open.count }

  subscript(number: Int) -> Value? {
    guard let value = open[number]?.value else { return nil }
    keep(value, number)
    return value
  }

  /// Keeps one more, and releases another if there are too many.
  func keep(_ value: Value, _ number: Int) {
    uses += 1
    if open[number] == nil, open.count >= limit,
      let oldest = open.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
    {
      open[oldest] = nil
    }
    open[number] = (value, uses)
  }

  /// Releases all.
  func removeAll() { open = [:] }
}
