// SPDX-License-Identifier: Apache-2.0

import Datasets
import Files
import Foundation

/// Writes predictions in batches, in the order of the sequences.
public protocol PredictionWriter: AnyObject {
  /// Writes the next sequences.
  func append(_ rows: PredictedRows) throws
  /// Completes the file, and gives it its name.
  func finish() throws
  /// Deletes the unfinished file after a failure.
  func cancel()
}

extension PredictionWriter {
  public func cancel() {}
}

/// The endings of the names of prediction files.
public enum PredictionFormat: String, Sendable, CaseIterable {
  /// Datasets in HDF5.
  case hdf5 = "h5"
  /// A table with one line per row.
  case csv
  /// Arrays in NumPy's archive.
  case numPy = "npz"
  /// A JSON object per line.
  case jsonLines = "jsonl"

  /// The format of a file by the ending of its name; nil if it is unknown.
  public init?(_ path: String) {
    let ending = (path as NSString).pathExtension.lowercased()
    switch ending {
    case "hdf5", "hdf": self = .hdf5
    case "json", "ndjson": self = .jsonLines
    default: self.init(rawValue: ending)
    }
  }
}

extension PredictionSession {
  /// Creates the writer of a file. Only rank 0 calls this.
  public func writer(to path: String, _ format: PredictionFormat) throws -> any PredictionWriter {
    switch format {
    case .hdf5: return try HDF5Predictions(path, of: self)
    case .numPy: return NumPyPredictions(self, path)
    case .csv:
      if let wide = fields.first(where: { $0.name == "hidden" || $0.name.hasPrefix("features/") }) {
        throw RunFailure(
          .usage,
          "\(path): a table has no place for \(wide.name); name a file in .h5, .npz or .jsonl")
      }
      return TextPredictions(path, CSVLines(self))
    case .jsonLines: return TextPredictions(path, JSONLines(self))
    }
  }
}

/// Text, line by line, to a file.
final class TextPredictions: PredictionWriter {
  private let path: String
  private let temporary: String
  private let lines: any PredictionLines
  private var file: WritableFile?

  init(_ path: String, _ lines: any PredictionLines) {
    (self.path, self.lines) = (path, lines)
    temporary = DurableFiles.temporaryName(for: path)
  }

  func append(_ rows: PredictedRows) throws {
    do {
      try opened().write(Array(lines.lines(rows).joined().utf8))
    } catch {
      throw DatasetError.unwritable(path, error)
    }
  }

  private func opened() throws -> WritableFile {
    if let file { return file }
    let new = try WritableFile(temporary, .empty)
    file = new
    try new.write(Array(lines.header.utf8))
    return new
  }

  func finish() throws {
    do {
      let file = try opened()
      try Failpoint.predictFinish.pass(path)
      try file.synchronize()
      try file.close()
      try DurableFiles.publish(temporary, as: path)
    } catch {
      cancel()
      throw DatasetError.unwritable(path, error)
    }
  }

  func cancel() { DurableFiles.remove(temporary) }
}

/// The form of predictions as lines of text.
protocol PredictionLines {
  /// The header before the first line, with its line end.
  var header: String { get }
  /// The lines of some predictions, with their line ends.
  func lines(_ rows: PredictedRows) -> [String]
}

/// One array for each field, kept in memory until all predictions are complete.
final class NumPyPredictions: PredictionWriter {
  private let session: PredictionSession
  private let path: String
  private var floats: [Int: [Float]] = [:]
  private var classes: [Int: [Int32]] = [:]
  private var lengths: [Int32] = []

  init(_ session: PredictionSession, _ path: String) {
    (self.session, self.path) = (session, path)
  }

  func append(_ rows: PredictedRows) {
    for (index, numbers) in rows.numbers.enumerated() {
      switch numbers {
      case .floats(let values): floats[index, default: []] += values
      case .classes(let values): classes[index, default: []] += values
      }
    }
    lengths += rows.lengths.map { Int32(clamping: $0) }
  }

  func finish() throws {
    var archive = NumPyArchiveWriter()
    for (index, field) in session.fields.enumerated() {
      let shape = [lengths.count] + field.shape
      if let values = classes[index] {
        archive.add(field.name, values, shape: shape)
      } else {
        archive.add(field.name, floats[index] ?? [], shape: shape)
      }
    }
    archive.add("lengths", lengths, shape: [lengths.count])
    if let names = session.classNames { archive.add("class_names", names) }
    if let names = session.names { archive.add("sequence_names", names) }
    if let rows = session.originalRows {
      archive.add("sequence", rows.map { Int32(clamping: $0) }, shape: [rows.count])
    }
    do {
      try DurableFiles.replace(path) { (file) throws(FileError) in
        try Failpoint.predictFinish.pass(path)
        try file.write(archive.archive)
      }
    } catch {
      throw DatasetError.unwritable(path, error)
    }
  }
}
