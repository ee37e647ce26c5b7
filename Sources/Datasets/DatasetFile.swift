// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import HDF5
import Synchronization

/// The file format of data sets: names of groups, datasets and attributes.
///
///     /            attributes task, format_version, scaling, classes, source, has_times
///     /train       inputs [N, T, C], targets [N]; or, of unequal lengths, inputs [F, C] and
///                  offsets [N + 1]; or, of text, tokens [n]; if steps are not at 0, 1, 2 ...,
///                  times [N, T] or, of unequal lengths, [F]; of neurons, spikes and rates
///                  [N, T, C]; and checksums, see `DatasetChecksums`
///     /test        likewise
///     /vocabulary  of text: UTF-8 bytes `text`, and `offsets` [V + 1] of its tokens
public enum DatasetFile {
  /// The attribute `format_version` of files of this layout.
  public static let formatVersion = 1
  /// The attribute of a file whose parts all have times; it is 1.
  static let timesAttribute = "has_times"

  /// The names of the datasets of a part.
  static let partNames = ["inputs", "targets", "offsets", "times", "tokens", "spikes", "rates"]

  /// A part of a data set file.
  public enum Part: String, Sendable, CaseIterable {
    case train, validation, test
  }

  /// Writes a file under a temporary name, and renames it when it is complete.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - isVocabulary: whether the file has only a vocabulary, as a run keeps one
  ///   - write: writes the content of the open file
  public static func create(
    at path: String, isVocabulary: Bool = false, _ write: (HDF5.File) throws -> Void
  ) throws(DatasetError) {
    try refuseOverwriting(path, isVocabulary: isVocabulary)
    let temporary = DurableFiles.temporaryName(for: path)
    unfinished.withLock { _ = $0.insert(temporary) }
    defer { unfinished.withLock { _ = $0.remove(temporary) } }
    do {
      try DurableFiles.createFolder(DurableFiles.parent(of: path))
      let replacement = try ReplacementFile(path, as: temporary)
      do {
        try write(replacement.file)
        try DatasetChecksums.add(to: replacement.file)
      } catch {
        replacement.cancel()
        throw error
      }
      try replacement.publish()
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError.unwritable(path, error)
    }
  }

  /// Files that are being written under their temporary names.
  private static let unfinished = Mutex<Set<String>>([])

  /// Removes unfinished files. Only for a process that is about to end, because another thread may
  /// be writing one.
  public static func removeUnfinished() {
    unfinished.withLock { $0.forEach(DurableFiles.remove) }
  }

  /// The shape of the pieces in which rows are stored: about 64 KiB. Sequences are read in random
  /// order, and reading one reads its whole piece.
  static func chunk(_ shape: [Int], elementBytes: Int) -> [Int] {
    let rowBytes = shape.dropFirst().reduce(elementBytes, *)
    return [min(max(1, (1 << 16) / max(rowBytes, 1)), max(shape[0], 1))] + shape.dropFirst()
  }

  /// The level of deflate for `--compress`. A higher level gains little, and reading takes as long.
  static func deflate(_ compressing: Bool) -> Int? { compressing ? 4 : nil }

  /// A data set may be replaced, and so may the vocabulary of a run by that run. Any other file is
  /// left alone, for example a shard of a checkpoint.
  private static func refuseOverwriting(
    _ path: String, isVocabulary: Bool
  ) throws(DatasetError) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    guard !DurableFiles.isFolder(path) else {
      throw DatasetError(path, "is a folder", cure: "name a file in it, such as \(path)/data.h5")
    }
    guard isDataset(path) || isVocabulary && holdsVocabularyAlone(path) else {
      throw DatasetError(
        path, "exists and is not a momentum-dist data set",
        cure: "choose another name, or remove it")
    }
  }

  /// Whether this program wrote a file: it has our version and a part.
  private static func isDataset(_ path: String) -> Bool {
    guard let file = try? HDF5.File.open(path), (try? isOurs(file, byNames: true)) == true else {
      return false
    }
    return Part.allCases.contains { part in
      file.isGroup(part.rawValue)
        && partNames.contains { file.contains("\(part.rawValue)/\($0)") }
    }
  }

  private static func holdsVocabularyAlone(_ path: String) -> Bool {
    guard let file = try? HDF5.File.open(path), (try? isOurs(file, byNames: true)) == true else {
      return false
    }
    return file.contains("vocabulary/text")
  }
}
