// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// The TensorBoard event file of a run: the numbers of metrics.jsonl as scalars, named
/// `loss/train`, `loss/validation` and so on, the configuration as a text and as hyperparameters,
/// and histograms.
///
/// Each process that trains the run writes its own file, which starts with the step that the
/// process resumes from: TensorBoard then drops what an interrupted process wrote of later steps.
package final class TensorBoardLog {
  private let file: WritableFile

  /// Starts a file in the folder of a run.
  ///
  /// - Parameter step: the first step to be reported
  package init(in folder: String, from step: Int) throws(FileError) {
    file = try Self.newFile(Self.name(in: folder))
    try append(.fileVersion("brain.Event:2"), step: 0)
    try append(.sessionLog(.with { $0.status = .start }), step: step)
  }

  /// Starts a file for the results of an evaluation. Later steps in other files are kept.
  private init(ofEvaluationIn folder: String) throws(FileError) {
    file = try Self.newFile(Self.name(in: folder))
    try append(.fileVersion("brain.Event:2"), step: 0)
  }

  /// Writes the results of an evaluation to a file of their own, at the step of the checkpoint.
  package static func write(_ record: EvaluationRecord, in folder: String) throws(FileError) {
    let metrics = record.metrics.sorted { $0.key < $1.key }
    let numbers = (record.loss.map { [("loss", $0)] } ?? []) + metrics.map { ($0.key, $0.value) }
    let scalars = numbers.map { (tag: "\($0.0)/\(record.split)", value: Float($0.1)) }
    try TensorBoardLog(ofEvaluationIn: folder)
      .append(.summary(TensorBoardSummary(scalars)), step: record.step)
  }

  private static func name(in folder: String) -> String {
    let seconds = Int(Date().timeIntervalSince1970)
    return "\(folder)/events.out.tfevents.\(seconds).\(ProcessInfo.processInfo.processIdentifier)"
  }

  /// Creates a file with this name, or with this name and a number, because a sweep may open a run
  /// twice within a second. The name can be guessed, so a planted link with that name is not
  /// followed.
  private static func newFile(_ name: String) throws(FileError) -> WritableFile {
    for number in 0..<100 {
      // TensorBoard reads files in the order of their names.
      let path = number == 0 ? name : "\(name).\(number < 10 ? "0" : "")\(number)"
      do throws(FileError) {
        return try WritableFile(path, .new)
      } catch {
        guard error.code == EEXIST else { throw error }
      }
    }
    throw FileError("make", name, obstacle: .taken)
  }

  /// Adds the configuration of the run.
  ///
  /// - Parameters:
  ///   - hyperparameters: the keys and values that its numbers depend on
  ///   - text: the whole configuration
  package func begin(
    with hyperparameters: [(key: String, value: String)], configuration text: String
  ) throws(FileError) {
    // Indented lines are code in Markdown.
    let lines = text.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
    try append(.summary(TensorBoardSummary(startedWith: hyperparameters)), step: 0)
    try append(.summary(TensorBoardSummary(text: lines, tag: "configuration")), step: 0)
  }

  /// Adds the end of the run.
  package func end(well: Bool) throws(FileError) {
    try append(.summary(TensorBoardSummary(endedWell: well)), step: 0)
  }

  /// Adds histograms of a step, by their names.
  package func append(
    _ histograms: [(tag: String, histogram: Histogram)], step: Int
  ) throws(FileError) {
    try append(.summary(TensorBoardSummary(histograms)), step: step)
  }

  /// Adds the numbers of a record.
  package func append(_ record: MetricsRecord) throws(FileError) {
    let scalars = record.numbers.map { (tag: "\($0.key)/\(record.split)", value: Float($0.value)) }
    try append(.summary(TensorBoardSummary(scalars)), step: record.step)
  }

  private func append(
    _ what: TensorBoardEvent.OneOf_What, step: Int
  ) throws(FileError) {
    let record: Data
    do {
      record = try TensorBoardEvent(step: step, what).record()
    } catch {
      throw FileError("write", file.path, code: EINVAL)
    }
    try file.write(record)
  }
}
