// SPDX-License-Identifier: Apache-2.0

import Datasets
import Files
import HDF5

/// One dataset for each field, [N] and its shape, and `lengths` [N]:
///
///     /              attributes kind = "momentum-dist predictions", parameters_sha256, and, if
///                    known, class_names and sequence_names
///     /class         [N] int32
///     /lengths       [N] int64: T of each sequence
///     /sequence      [N] int64: the row in the file of each sequence, if rows are left out
final class HDF5Predictions: PredictionWriter {
  private let replacement: ReplacementFile
  private let fields: [PredictionField]
  private let datasets: [Dataset]
  private let lengths: Dataset

  /// Creates the file, with room for all sequences.
  init(_ path: String, of session: PredictionSession) throws(DatasetError) {
    fields = session.fields
    do {
      replacement = try ReplacementFile(path)
    } catch {
      throw DatasetError.unwritable(path, error)
    }
    do {
      (datasets, lengths) = try Self.fill(replacement.file, session)
    } catch {
      replacement.cancel()
      throw DatasetError.unwritable(path, error)
    }
  }

  private static func fill(
    _ file: HDF5.File, _ session: PredictionSession
  ) throws(HDF5Error) -> (fields: [Dataset], lengths: Dataset) {
    try file.setAttribute("kind", PredictionFile.kind)
    try file.setAttribute("parameters_sha256", session.checkpoint.manifest.parametersSHA256)
    if let names = session.classNames { try file.setAttribute("class_names", names) }
    if let names = session.names { try file.setAttribute("sequence_names", names) }
    if let rows = session.originalRows { try file.write(rows, to: "sequence") }
    let N = session.count
    var datasets: [Dataset] = []
    for field in session.fields {
      let shape = [N] + field.shape
      datasets.append(
        field.areClasses
          ? try file.createDataset(field.name, of: Int32.self, shape: shape)
          : try file.createDataset(field.name, of: Float.self, shape: shape))
    }
    return (datasets, try file.createDataset("lengths", of: Int64.self, shape: [N]))
  }

  func append(_ rows: PredictedRows) throws {
    do {
      for index in fields.indices { try write(rows, index) }
      let steps = rows.lengths.map { Int64($0) }
      try lengths.write(steps.span, at: [rows.first], count: [steps.count])
    } catch {
      throw DatasetError.unwritable(replacement.path, error)
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
      try Failpoint.predictFinish.pass(replacement.path)
      try replacement.publish()
    } catch {
      cancel()
      throw DatasetError.unwritable(replacement.path, error)
    }
  }

  func cancel() { replacement.cancel() }
}
