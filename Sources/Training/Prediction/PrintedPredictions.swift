// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// Prints predictions as JSON lines or a table, and those of a stream as JSON lines or CSV, each
/// line immediately.
public final class PrintedPredictions: PredictionWriter {
  private let lines: (PredictedRows) -> [String]
  /// The header before the first line.
  private var header: String
  private let isStream: Bool

  /// Prints JSON objects if `json`, rows of CSV for a stream, or else a table for people to read.
  public init(_ session: PredictionSession, json: Bool) {
    isStream = session.isStream
    let (objects, rows, table) = (
      JSONLines(session), CSVLines(session), PredictionTable(session)
    )
    header = isStream && !json ? rows.header : ""
    let isStream = isStream
    lines = { predicted in
      if json { return objects.lines(predicted) }
      return isStream ? rows.lines(predicted) : table.lines(predicted).map { $0 + "\n" }
    }
  }

  public func append(_ rows: PredictedRows) throws {
    print(header + lines(rows).joined(), terminator: "")
    header = ""
    if isStream { try finish() }
  }

  /// Waits until standard output has taken everything.
  public func finish() throws {
    guard fflush(nil) != 0, errno != EPIPE else { return }
    throw FileError("write", "standard output")
  }
}
