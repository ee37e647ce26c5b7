// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// The TensorBoard event file of a run: the numbers of metrics.jsonl as scalars, named
/// `loss/train`, `loss/validation` and so on.
///
/// Each process that trains the run writes its own file, which starts with the step that the
/// process resumes from: TensorBoard then drops what an interrupted process wrote of later steps.
package final class TensorBoardLog {
  private let file: WritableFile

  /// Starts a file in the folder of a run.
  ///
  /// - Parameter step: the first step to be reported
  package init(in folder: String, from step: Int) throws(FileError) {
    let seconds = Int(Date().timeIntervalSince1970)
    let process = ProcessInfo.processInfo.processIdentifier
    file = try Self.newFile("\(folder)/events.out.tfevents.\(seconds).\(process)")
    try append(.fileVersion("brain.Event:2"), step: 0)
    try append(.sessionLog(.with { $0.status = .start }), step: step)
  }

  /// Makes a file of a name, or of that name and a number: a sweep opens a run twice within a
  /// second. The name can be guessed, and a link that somebody has planted there is not followed.
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
