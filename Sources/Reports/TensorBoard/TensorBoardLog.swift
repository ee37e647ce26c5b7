import Files
import Foundation

/// The TensorBoard event file of a run: the numbers of metrics.jsonl as scalars, named
/// `loss/train`, `loss/validation` and so on.
///
/// Each process that trains the run writes a file of its own, and says at its start which step it
/// goes on from, so that TensorBoard drops what an interrupted one had written of later steps.
package final class TensorBoardLog {
  private let path: String
  private let handle: FileHandle

  /// Starts a file in the folder of a run.
  ///
  /// - Parameter step: the first step that is still to be reported
  package init(in folder: String, from step: Int) throws(FileError) {
    let seconds = Int(Date().timeIntervalSince1970)
    let process = ProcessInfo.processInfo.processIdentifier
    // Files are read in the order of their names.
    path = "\(folder)/events.out.tfevents.\(seconds).\(process)"
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let handle = FileHandle(forWritingAtPath: path)
    else { throw FileError("make", path) }
    self.handle = handle
    try append(.fileVersion("brain.Event:2"), step: 0)
    try append(.sessionLog(.with { $0.status = .start }), step: step)
  }

  /// Adds the numbers of a record.
  package func append(_ record: MetricsRecord) throws(FileError) {
    let scalars = record.numbers.map { (tag: "\($0.key)/\(record.split)", value: Float($0.value)) }
    try append(.summary(TensorBoardSummary(scalars)), step: record.step)
  }

  private func append(
    _ what: TensorBoardEvent.OneOf_What, step: Int
  ) throws(FileError) {
    do {
      try handle.write(contentsOf: TensorBoardEvent(step: step, what).record())
    } catch {
      throw FileError("write", path)
    }
  }
}
