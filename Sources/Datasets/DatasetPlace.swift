// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import HDF5
import Tensors

/// The location of a data set: its files, and the names of its datasets in them.
///
/// Several files count as one, in the order given; their parts are joined row by row.
public struct DatasetPlace: Sendable {
  /// Paths and patterns, separated by commas: `a.h5, parts/*.h5`. Files that match a pattern are
  /// taken in the order of their names.
  public var files: String
  /// The name of the inputs in each file. `{part}` in a name stands for train, validation or test.
  public var inputs = DatasetPlace.ownInputs
  /// The name of the targets.
  public var targets = DatasetPlace.ownTargets
  /// The starts of sequences of unequal lengths, [N + 1]. Sequences of equal length have no such
  /// dataset.
  public var offsets = DatasetPlace.ownOffsets
  /// The time of each step, [N, T], or flat like the inputs if lengths differ. Without such a
  /// dataset the steps are at 0, 1, 2 ...
  public var times = DatasetPlace.ownTimes
  /// Whether times are used if the files have them.
  public var readsTimes = true
  /// The number of classes if the file does not say; 0 means one more than the largest label.
  public var classes = 0
  /// The kind of the targets if sequences are read without them; nil reads the targets.
  public var unlabelled: TargetKind?
  /// Bytes up to which a part is kept in memory.
  public var memoryLimit = StoredRows.memoryLimit

  /// Where `prepare` writes inputs.
  public static let ownInputs = "{part}/inputs"
  /// Where `prepare` writes targets.
  public static let ownTargets = "{part}/targets"
  /// Where `prepare` writes the starts of sequences of unequal lengths.
  public static let ownOffsets = "{part}/offsets"
  /// Where `prepare` writes the times of the steps.
  public static let ownTimes = "{part}/times"

  public init(_ files: String) {
    self.files = files
  }

  /// Whether the user has named the datasets. A user's own file may have our names as well;
  /// `DatasetFiles.areOurs` says whether `prepare` made it.
  public var isForeign: Bool {
    inputs != Self.ownInputs || targets != Self.ownTargets || offsets != Self.ownOffsets
  }

  /// The name of a dataset for a part.
  ///
  /// - Parameter spelling: the name of the part in the files; nil means our name
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

  /// Opens all files. Each must be for this task; a user's own files need not say so.
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

  /// Opens the files and finds whether the lengths of their sequences differ.
  public func isRagged(_ part: DatasetFile.Part = .train) throws(DatasetError) -> Bool {
    // In a user's own files, a dataset with one of our names may be anything.
    guard !isForeign || offsets != Self.ownOffsets else { return false }
    let files = try open()
    let name = try name(offsets, of: part, as: spelling(of: part, in: files))
    return files.contains { $0.file.contains(name) }
  }

  /// The value of a property that all files agree on; nil if there is none.
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
            path, "its \(property) differs from that of \(known.path)",
            cure: "prepare all files the same way")
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
