// SPDX-License-Identifier: Apache-2.0

import Datasets
import Files
import Foundation
import HDF5

/// Decides which files `predict` may replace, so that a wrong name destroys nothing.
enum PredictionFile {
  /// The attribute `kind` of an HDF5 file of predictions.
  static let kind = "momentum-dist predictions"

  /// Refuses an output that is also an input or the other output, and one that exists and is a file
  /// of another kind.
  static func check(_ request: PredictionRequest) throws(RunFailure) {
    let state = request.stateTo.map { ("--state-to", $0, StreamState.kind) }
    let outputs = [request.to.map { ("--to", $0, kind) }, state].compactMap { $0 }
    for (option, path, kind) in outputs {
      let own = DurableFiles.realPath(of: path)
      if own == DurableFiles.realPath(of: request.file) {
        throw RunFailure(.usage, "\(path): is the file of the inputs; name another file")
      }
      // --state and --state-to may be one file: it is read at the start and replaced at the end.
      for (other, name) in [("--state", request.state), ("--state-to", request.stateTo)]
      where option == "--to" && name.map(DurableFiles.realPath(of:)) == own {
        throw RunFailure(.usage, "\(path): is the file of \(other) too; name another with --to")
      }
      try refuseReplacing(path, unlessOf: kind, request)
    }
  }

  private static func refuseReplacing(
    _ path: String, unlessOf kind: String, _ request: PredictionRequest
  ) throws(RunFailure) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    guard !DurableFiles.isFolder(path) else {
      throw RunFailure(.usage, "\(path): is a folder; name a file in it")
    }
    guard !request.overwrites else { return }
    let cure = "name another file, or add --overwrite to replace it"
    guard kind == StreamState.kind || PredictionFormat(path) == .hdf5 else {
      throw RunFailure(.usage, "\(path): exists; \(cure)")
    }
    guard (try? HDF5.File.open(path).stringAttribute("kind")) != kind else { return }
    let what = kind == Self.kind ? "predictions" : "a state"
    throw RunFailure(
      .usage, "\(path): exists and was not written by `predict` as \(what); \(cure)")
  }
}
