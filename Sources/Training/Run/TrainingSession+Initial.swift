// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Files
import Foundation
import Models
import MPI
import Tensors

extension TrainingSession {
  /// Loads the starting parameters whose names and shapes agree from a safetensors file. Rank 0
  /// reads it for all.
  ///
  /// - Returns: notes about what was loaded, and what was not
  /// - Throws: a failure of status `unusableData` if the file is damaged, or nothing in it fits
  public func startParameters(from path: String) throws(RunFailure) -> [String] {
    let own = try agreement.together {
      guard communicator.rank == 0 else { return [UInt8]() }
      try Self.refuseRun(path)
      return try SafetensorsFile.bytes(of: path)
    }
    let bytes: [UInt8]
    do {
      bytes = try communicator.broadcast(own, from: 0)
    } catch {
      throw RunFailure(error)
    }
    return try agreement.together {
      try take(try SafetensorsFile.tensors(in: bytes, path: path), path)
    }
  }

  /// Refuses a run instead of a file, and a path that does not exist but nearly names one of them.
  private static func refuseRun(_ path: String) throws(RunFailure) {
    let isThere = FileManager.default.fileExists(atPath: path)
    guard !isThere || DurableFiles.isFolder(path) else { return }
    if !isThere, let file = SafetensorsFile.nearest(to: path) {
      throw RunFailure(.unusableData, "\(path): does not exist; did you mean \(file)?")
    }
    let run = isThere ? path : RunFolder.nearest(to: path)
    guard let run, RunFolder.hasCheckpoint(run) else { return }
    let file = "\(DurableFiles.lastName(of: run)).safetensors"
    throw RunFailure(
      .unusableData,
      "\(path): \(isThere ? "is a run; write" : "does not exist; did you mean the run \(run)? Write")"
        + " its parameters with `momentum-dist export \(run) --to \(file)`, and type"
        + " --initial \(file)")
  }

  /// Copies tensors by name and shape.
  private func take(_ given: [CheckpointTensor], _ path: String) throws -> [String] {
    var left = Dictionary(given.map { ($0.path, $0) }) { first, _ in first }
    var (taken, missing) = (0, [String]())
    func take(_ name: String, _ shape: [Int], _ copy: ([Float]) -> Void) {
      guard let tensor = left[name] else { return missing.append(name) }
      left[name] = nil
      guard tensor.shape == shape else {
        return missing.append("\(name) (\(tensor.shape) there, \(shape) here)")
      }
      copy(tensor.values)
      taken += 1
    }
    for entry in parameters.layout.entries {
      take(entry.name, entry.shape) { parameters[entry].copy(from: $0) }
    }
    for (name, tensor) in workload.model.buffers {
      take("buffers/\(name)", tensor.shape) { tensor.copy(from: $0) }
    }
    guard taken > 0 else {
      throw RunFailure(
        .unusableData,
        "\(path): has none of this model's parameters by name and shape; it has"
          + " \(Self.list(given.map(\.path))), the model has"
          + " \(Self.list(parameters.layout.entries.map { "\($0.name) \($0.shape)" }))")
    }
    var notes = ["starts with \(taken) tensors of \(path)"]
    if !missing.isEmpty {
      notes.append("not in that file, so initialised as usual: \(Self.list(missing))")
    }
    if !left.isEmpty {
      notes.append("in that file, but not in the model: \(Self.list(left.keys.sorted()))")
    }
    return notes
  }

  /// The first names of a list, and the number of the others.
  private static func list(_ names: [String]) -> String {
    if names.isEmpty { return "none" }
    let shown = names.prefix(6).joined(separator: ", ")
    return names.count > 6 ? "\(shown) and \(names.count - 6) more" : shown
  }
}
