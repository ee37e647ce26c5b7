// SPDX-License-Identifier: Apache-2.0

import Datasets
import Files
import Foundation
import HDF5
import Layers
import Tensors

/// The state that streams carry from one call of `predict` to the next, in an HDF5 file:
///
///     /            attributes kind = "momentum-dist state", parameters_sha256
///     /steps       [N] int64: how many steps each sequence has had
///     /state       a dataset for each state of the model's layers, [N] and the shape of a row
struct StreamState {
  /// The number of steps so far of each sequence.
  var steps: [Int]
  var state: LayerState<Float>

  static let kind = "momentum-dist state"
  private static let group = "state"

  /// Reads a state.
  ///
  /// - Parameters:
  ///   - start: a state of the model for as many rows, whose names and shapes the file must have
  ///   - parameters: the checksum of the model's parameters
  init(
    _ path: String, like start: LayerState<Float>, rows N: Int, parameters: String
  ) throws(DatasetError) {
    do {
      self = try Self.read(path, like: start, rows: N, parameters)
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, error, cure: "name a file that --state-to wrote")
    }
  }

  private static func read(
    _ path: String, like start: LayerState<Float>, rows N: Int, _ parameters: String
  ) throws -> StreamState {
    func other(_ problem: String, cure: String) -> DatasetError {
      DatasetError(path, problem, cure: cure)
    }
    let file = try HDF5.File.open(path)
    guard try file.stringAttribute("kind") == kind else {
      throw other("is not a state", cure: "name a file that --state-to wrote")
    }
    guard try file.stringAttribute("parameters_sha256") == parameters else {
      throw other(
        "is the state of another checkpoint",
        cure: "use the checkpoint that wrote it, or start again without --state")
    }
    let steps = try file.readAll("steps", as: Int.self)
    guard steps.count == N, steps.allSatisfy({ $0 >= 0 && $0 < 1 << 48 }) else {
      throw other(
        "is the state of \(steps.count) sequences, but there are \(N)",
        cure: "give the next steps of the same sequences, in the same order")
    }
    for (name, tensor) in start.named {
      let dataset = try file.dataset("\(group)/\(name)")
      guard dataset.shape == tensor.shape else {
        throw other(
          "\(name) is \(dataset.shape), not \(tensor.shape)",
          cure: "use the checkpoint that wrote it, or start again without --state")
      }
      tensor.copy(from: try dataset.read(as: Float.self))
    }
    return StreamState(steps: steps, state: start)
  }

  init(steps: [Int], state: LayerState<Float>) {
    (self.steps, self.state) = (steps, state)
  }

  /// Writes the state under a temporary name, and gives it its own when it is complete.
  func write(to path: String, parameters: String) throws {
    do {
      let replacement = try ReplacementFile(path)
      do {
        try write(into: replacement.file, parameters)
      } catch {
        replacement.cancel()
        throw error
      }
      try replacement.publish()
    } catch {
      throw DatasetError.unwritable(path, error)
    }
  }

  private func write(into file: HDF5.File, _ parameters: String) throws(HDF5Error) {
    try file.setAttribute("kind", Self.kind)
    try file.setAttribute("parameters_sha256", parameters)
    try file.write(steps, to: "steps", fletcher32: true)
    for (name, tensor) in state.named {
      try file.write(
        tensor.array, to: "\(Self.group)/\(name)", shape: tensor.shape, fletcher32: true)
    }
  }
}
