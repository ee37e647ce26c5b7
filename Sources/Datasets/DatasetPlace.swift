// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import HDF5
import Tensors

/// Where a data set lies: its files, and the names of its datasets in them.
///
/// Several files count as one, in the order given; their parts are joined row by row.
public struct DatasetPlace: Sendable {
  /// Paths and patterns, separated by commas: `a.h5, parts/*.h5`. What a pattern fits is taken in
  /// the order of the names.
  public var files: String
  /// The names of inputs and targets in each file, in which `{part}` stands for train, validation
  /// or test.
  public var inputs = DatasetPlace.ownInputs
  public var targets = DatasetPlace.ownTargets
  /// Where sequences of unequal lengths begin, [N + 1]; equal lengths have no such dataset.
  public var offsets = DatasetPlace.ownOffsets
  /// When each step happened, [N, T], or flat like the inputs where lengths are unequal; without
  /// such a dataset the steps are at 0, 1, 2 ...
  public var times = DatasetPlace.ownTimes
  /// Whether times are used where the files have them.
  public var readsTimes = true
  /// How many classes there are, where the file does not say; 0 is one more than the largest label.
  public var classes = 0
  /// What is asked of sequences that are read without their targets; nil reads the targets.
  public var unlabelled: TargetKind?
  /// Bytes up to which a part is kept in memory.
  public var memoryLimit = StoredRows.memoryLimit

  public static let ownInputs = "{part}/inputs"
  public static let ownTargets = "{part}/targets"
  public static let ownOffsets = "{part}/offsets"
  public static let ownTimes = "{part}/times"

  public init(_ files: String) {
    self.files = files
  }

  /// Whether the names are the user's. A file of the user's own may have our names as well: whether
  /// `prepare` made it is what `DatasetFiles.areOurs` says.
  public var isForeign: Bool {
    inputs != Self.ownInputs || targets != Self.ownTargets || offsets != Self.ownOffsets
  }

  /// The name of a dataset for a part.
  ///
  /// - Parameter spelling: what the part is called in the files; nil is as we call it
  func name(
    _ pattern: String, of part: DatasetFile.Part, as spelling: String? = nil
  ) throws(DatasetError) -> String {
    guard pattern.contains("{part}") || part == .train else {
      throw DatasetError(
        files, "\(pattern) is the same for every part, and taken for the training part",
        cure: "put {part} into dataset.inputs, dataset.targets and dataset.offsets, as in {part}/x;"
          + " to measure a file of test sequences alone, evaluate with --file FILE"
      )
    }
    return pattern.replacingOccurrences(of: "{part}", with: spelling ?? part.rawValue)
  }

  /// The paths of the files.
  public func paths() throws(DatasetError) -> [String] {
    var paths: [String] = []
    for pattern in entries {
      guard pattern.contains(where: { "*?[".contains($0) }),
        !FileManager.default.fileExists(atPath: pattern)
      else {
        paths.append(pattern)
        continue
      }
      let found = DurableFiles.names(fitting: pattern)
      guard !found.isEmpty else {
        throw DatasetError(pattern, "fits no file", cure: "check the pattern in dataset.file")
      }
      paths += found
    }
    guard !paths.isEmpty else {
      throw DatasetError(files, "names no file", cure: "set dataset.file")
    }
    return paths
  }

  /// Opens all files.
  func open() throws(DatasetError) -> DatasetFiles {
    let namesAreOwn = isForeign
    return try DatasetFiles(try paths()) { (file) throws(HDF5Error) in
      try DatasetFile.isOurs(file, byNames: !namesAreOwn)
    }
  }

  /// Opens all files, each of which is for this task; the user's own files need not say so.
  func open(task: String) throws(DatasetError) -> DatasetFiles {
    let files = try open()
    guard files.areOurs else { return files }
    for (path, file) in files {
      do {
        try DatasetFile.require(task, of: file, path)
      } catch let error as DatasetError {
        throw error
      } catch {
        throw DatasetError(path, error, cure: DatasetFile.prepareIt)
      }
    }
    return files
  }

  /// Opens the files and finds whether their sequences are of unequal lengths.
  public func isRagged(_ part: DatasetFile.Part = .train) throws(DatasetError) -> Bool {
    // In files of the user's own, whatever has the name that ours have may be anything.
    guard !isForeign || offsets != Self.ownOffsets else { return false }
    let files = try open()
    let name = try name(offsets, of: part, as: spelling(of: part, in: files))
    return files.contains { $0.file.contains(name) }
  }

  /// What all files say alike of a property; nil where there is none.
  func agreed<Value: Equatable>(
    _ property: String, of files: DatasetFiles,
    _ value: (HDF5.File) throws -> Value?
  ) throws(DatasetError) -> Value? {
    var first: (path: String, value: Value?)?
    for (path, file) in files {
      do {
        let found = try value(file)
        guard let known = first else {
          first = (path, found)
          continue
        }
        guard known.value == found else {
          throw DatasetError(
            path, "has another \(property) than \(known.path)", cure: "prepare all files alike")
        }
      } catch let error as DatasetError {
        throw error
      } catch {
        throw DatasetError(path, error, cure: Self.nameOrPrepare)
      }
    }
    return first?.value
  }
}
