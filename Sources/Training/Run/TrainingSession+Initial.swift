// SPDX-License-Identifier: Apache-2.0

import Checkpoints
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
      communicator.rank == 0 ? try SafetensorsFile.bytes(of: path) : []
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
