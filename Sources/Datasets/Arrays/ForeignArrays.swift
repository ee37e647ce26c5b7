// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import HDF5

// Arrays of files that NumPy did not write, by name, in the same form as NumPy's.
extension NumPyArchive {
  /// The arrays of a folder, a MATLAB or an HDF5 file, recognised by their content; nil if it is
  /// none.
  static func foreign(_ path: String, _ wanted: Set<String>?) throws(DatasetError) -> NumPyArchive?
  {
    if DurableFiles.isFolder(path) { return try folder(path) }
    let start = FileStart.bytes(of: path, count: 128)
    if MATFile.begins(start) { return try matlab(path, wanted) }
    return start.starts(with: [0x89] + Array("HDF\r\n".utf8)) ? try hdf5(path, wanted) : nil
  }

  /// Whether an array is asked for: by its name, or by that of another place.
  private static func isWanted(_ name: String, _ wanted: Set<String>?) -> Bool {
    guard let wanted else { return true }
    return wanted.contains(name) || wanted.contains(name.replacing("/", with: "_"))
  }

  // MARK: MATLAB

  private static func matlab(
    _ path: String, _ wanted: Set<String>?
  ) throws(DatasetError) -> NumPyArchive {
    let file = try MATFile(path)
    guard !file.arrays.isEmpty else {
      throw DatasetError(
        path, "holds no array of numbers", cure: "store classes as numbers, not as cells or text")
    }
    var arrays: [String: NumPyArray] = [:]
    for (name, shape) in file.arrays where isWanted(name, wanted) {
      let (rows, numbers) = StoredArray.rowMajor(
        try file.numbers(name, as: Double.self), shape: shape, isColumnMajor: true,
        Array(shape.indices))
      arrays[name] = try NumPyArray(numbers, shape: listed(rows), path: "\(path): \(name)")
    }
    return NumPyArchive(path, names: file.arrays.map(\.name), arrays: arrays)
  }

  /// MATLAB has no arrays of one dimension: [N, 1] and [1, N] are lists.
  private static func listed(_ shape: [Int]) -> [Int] {
    shape.count == 2 && shape.contains(1) ? [max(shape[0], shape[1])] : shape
  }

  // MARK: HDF5

  private static func hdf5(
    _ path: String, _ wanted: Set<String>?
  ) throws(DatasetError) -> NumPyArchive {
    let entries = try FileListing(path, readingAll: false).entries
    let file = try HDF5Arrays(path)
    guard (try? DatasetFile.isOurs(file.file, byNames: true)) != true else {
      throw DatasetError(
        path, "is a momentum-dist data set already",
        cure: "train on it, or prepare the file that it was made from")
    }
    let texts = entries.filter { $0.problem == nil && $0.elementType == .string }
    var arrays: [String: NumPyArray] = [:]
    do {
      for entry in texts where isWanted(entry.name, wanted) && entry.shape.count <= 2 {
        let strings = try file.file.dataset(entry.name)
          .readStrings(maximumElements: StoredArray.maximumCount)
        arrays[entry.name] = try NumPyArray(strings, path: "\(path): \(entry.name)")
      }
      for (name, shape) in file.arrays where isWanted(name, wanted) {
        let type = entries.first { $0.name == name }!.elementType
        arrays[name] = try numbers(name, shape, isFloat: type.isFloat, of: file)
      }
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, error, cure: "the file may be damaged: copy it again")
    }
    let names = file.arrays.map(\.name) + texts.map(\.name)
    guard !names.isEmpty else {
      throw DatasetError(path, "holds no arrays", cure: "check the path")
    }
    return NumPyArchive(path, names: names, arrays: arrays)
  }

  private static func numbers(
    _ name: String, _ shape: [Int], isFloat: Bool, of file: HDF5Arrays
  ) throws -> NumPyArray {
    let place = "\(file.path): \(name)"
    let stored = try file.read(name)
    let extents = stored.isColumnMajor ? listed(shape) : shape
    // Classes may be numbers that a Float does not tell apart; so may times.
    if !stored.isColumnMajor || extents.count == 1 {
      let dataset = try file.file.dataset(name)
      guard isFloat else {
        let whole = try dataset.read(as: Int64.self, maximumElements: StoredArray.maximumCount)
        return try NumPyArray(whole, shape: extents, path: place)
      }
      if extents.count == 1 {
        let doubles = try dataset.read(as: Double.self, maximumElements: StoredArray.maximumCount)
        return try NumPyArray(doubles, shape: extents, path: place)
      }
    }
    return try NumPyArray(
      stored.rowMajor(Array(shape.indices)).values, shape: extents, path: place)
  }

  // MARK: Folders

  /// A folder with a folder for each class, in which each .npy file is a sequence [T, C] or [T]:
  ///
  ///     FOLDER/CLASS/a.npy
  ///     FOLDER/train/CLASS/a.npy  FOLDER/test/CLASS/b.npy
  ///
  /// Its arrays are x, offsets and y, or x_train, x_test and so on.
  private static func folder(_ path: String) throws(DatasetError) -> NumPyArchive {
    let top = Set(folders(in: path))
    let parts = ["train", "test"].filter(top.contains)
    var arrays: [String: NumPyArray] = [:]
    let isSplit = parts.first == "train"
    for part in isSplit ? parts : [""] {
      let ending = isSplit ? "_\(part)" : ""
      let own = try labelled(isSplit ? "\(path)/\(part)" : path)
      for (name, array) in own { arrays[name + ending] = array }
    }
    return NumPyArchive(path, names: arrays.keys.sorted(), arrays: arrays)
  }

  private static func labelled(_ path: String) throws(DatasetError) -> [(String, NumPyArray)] {
    var (steps, offsets, classes) = ([Float](), [Int64(0)], [String]())
    var features: (count: Int, path: String)?
    for name in folders(in: path) {
      let files = contents(of: "\(path)/\(name)").filter { $0.lowercased().hasSuffix(".npy") }
      for file in files {
        let place = "\(path)/\(name)/\(file)"
        guard let array = try NumPyArchive(place)[""], (1...2).contains(array.shape.count),
          array.count > 0
        else {
          throw DatasetError(
            place, "is not one sequence", cure: "save [T, C], or [T] of one feature, in each file")
        }
        let C = array.shape.count == 2 ? array.shape[1] : 1
        if let features, features.count != C {
          throw DatasetError(
            place, "has \(C) features per step, \(features.path) has \(features.count)",
            cure: "give the same features in all files")
        }
        features = features ?? (C, place)
        steps += try array.floats(allowingMissing: true)
        offsets.append(Int64(steps.count / C))
        classes.append(name)
      }
    }
    guard let C = features?.count else {
      throw DatasetError(
        path, "holds no .npy file in folders for classes",
        cure: "put the sequences of each class, a .npy file [T, C] each, into a folder named for it"
      )
    }
    return [
      ("x", try NumPyArray(steps, shape: [steps.count / C, C], path: "\(path): x")),
      ("offsets", try NumPyArray(offsets, shape: [offsets.count], path: "\(path): offsets")),
      ("y", try NumPyArray(classes, path: "\(path): classes")),
    ]
  }

  private static func folders(in path: String) -> [String] {
    contents(of: path).filter { DurableFiles.isFolder("\(path)/\($0)") }
  }

  /// The names in a folder that are not hidden, in order.
  private static func contents(of path: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { !$0.hasPrefix(".") }.map { ExactText($0) }.sorted().map(\.text)
  }
}
