import Datasets
import Files
import Foundation
import HDF5

/// Where predictions go: in batches, in the order of the sequences.
public protocol PredictionWriter: AnyObject {
  func append(_ rows: PredictedRows) throws
  /// Completes the file, and gives it its name.
  func finish() throws
  /// Leaves nothing behind where the rest failed.
  func cancel()
}

extension PredictionWriter {
  public func cancel() {}
}

/// What the names of files of predictions end in.
public enum PredictionFormat: String, Sendable, CaseIterable {
  case hdf5 = "h5"
  case csv
  case numPy = "npz"
  case jsonLines = "jsonl"

  /// The format of a file by its name; nil if the name says none.
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
  /// Makes the writer of a file. Rank 0 alone calls this.
  public func writer(to path: String, _ format: PredictionFormat) throws -> any PredictionWriter {
    try PredictionFile.refuseOverwriting(path, inputs: request.file)
    switch format {
    case .hdf5: return try HDF5Predictions.create(path, of: self)
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

/// Text, line by line, to a file or to standard output.
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
      throw PredictionFile.unwritable(path, error)
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
      try file.synchronize()
      try file.close()
      try DurableFiles.publish(temporary, as: path)
    } catch {
      cancel()
      throw PredictionFile.unwritable(path, error)
    }
  }

  func cancel() { DurableFiles.remove(temporary) }
}

/// How predictions are written as lines.
protocol PredictionLines {
  /// What comes before the first line, with its line end.
  var header: String { get }
  /// With their line ends.
  func lines(_ rows: PredictedRows) -> [String]
}

/// One dataset for each field, [N] and its shape, and `lengths` [N] where lengths differ:
///
///     /              attributes task, class_names (a line each), checkpoint_step
///     /class         [N] int32
///     /probabilities [N, K] float32
final class HDF5Predictions: PredictionWriter {
  private let path: String
  private let temporary: String
  private let file: HDF5.File
  private let fields: [PredictionField]
  private let datasets: [Dataset]
  private let lengths: Dataset

  private init(
    _ path: String, _ temporary: String, _ file: HDF5.File, _ fields: [PredictionField],
    _ datasets: [Dataset], lengths: Dataset
  ) {
    (self.path, self.temporary, self.file) = (path, temporary, file)
    (self.fields, self.datasets, self.lengths) = (fields, datasets, lengths)
  }

  static func create(_ path: String, of session: PredictionSession) throws -> HDF5Predictions {
    let temporary = DurableFiles.temporaryName(for: path)
    do {
      return try create(path, temporary, session)
    } catch {
      DurableFiles.remove(temporary)
      throw PredictionFile.unwritable(path, error)
    }
  }

  private static func create(
    _ path: String, _ temporary: String, _ session: PredictionSession
  ) throws -> HDF5Predictions {
    let file = try HDF5.File.create(temporary)
    try file.setAttribute("parameters_sha256", session.checkpoint.manifest.parametersSHA256)
    if let names = session.classNames { try file.setAttribute("class_names", names) }
    if let names = session.names { try file.setAttribute("sequence_names", names) }
    let N = session.count
    var datasets: [Dataset] = []
    for field in session.fields {
      let shape = [N] + field.shape
      datasets.append(
        field.areClasses
          ? try file.createDataset(field.name, of: Int32.self, shape: shape)
          : try file.createDataset(field.name, of: Float.self, shape: shape))
    }
    let lengths = try file.createDataset("lengths", of: Int64.self, shape: [N])
    return HDF5Predictions(path, temporary, file, session.fields, datasets, lengths: lengths)
  }

  func append(_ rows: PredictedRows) throws {
    do {
      for index in fields.indices { try write(rows, index) }
      let steps = rows.lengths.map { Int64($0) }
      try lengths.write(steps.span, at: [rows.first], count: [steps.count])
    } catch {
      throw PredictionFile.unwritable(path, error)
    }
  }

  private func write(_ rows: PredictedRows, _ index: Int) throws(HDF5Error) {
    let shape = fields[index].shape
    let offset = [rows.first] + shape.map { _ in 0 }
    let extent = [rows.lengths.count] + shape
    switch rows.numbers[index] {
    case .floats(let values): try write(values, to: datasets[index], offset, extent)
    case .classes(let values): try write(values, to: datasets[index], offset, extent)
    }
  }

  private func write<Number: HDF5Scalar>(
    _ values: [Number], to dataset: Dataset, _ offset: [Int], _ extent: [Int]
  ) throws(HDF5Error) {
    try dataset.write(values.span, at: offset, count: extent)
  }

  func finish() throws {
    do {
      try file.close()
      try DurableFiles.synchronize(temporary)
      try DurableFiles.publish(temporary, as: path)
    } catch {
      cancel()
      throw PredictionFile.unwritable(path, error)
    }
  }

  func cancel() { DurableFiles.remove(temporary) }
}

/// One array for each field, whole in memory until the end.
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
    do {
      try DurableFiles.replace(path) { (file) throws(FileError) in
        try file.write(archive.archive)
      }
    } catch {
      throw PredictionFile.unwritable(path, error)
    }
  }
}
