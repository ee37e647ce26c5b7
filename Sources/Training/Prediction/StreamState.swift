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
  /// How many steps each sequence has had.
  var steps: [Int]
  var state: LayerState<Float>

  static let kind = "momentum-dist state"
  private static let group = "state"

  /// Reads a state.
  ///
  /// - Parameters:
  ///   - start: a state of the model for as many rows, whose names and shapes must be there
  ///   - parameters: the checksum of the model's parameters
  init(
    _ path: String, like start: LayerState<Float>, rows N: Int, parameters: String
  ) throws {
    func other(_ problem: String, cure: String) -> DatasetError {
      DatasetError(path, problem, cure: cure)
    }
    let file: HDF5.File
    do {
      file = try HDF5.File.open(path)
    } catch {
      throw other("cannot be read (\(error.detail))", cure: "name a file that --state-to wrote")
    }
    guard try file.stringAttribute("kind") == Self.kind else {
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
      let dataset = try file.dataset("\(Self.group)/\(name)")
      guard dataset.shape == tensor.shape else {
        throw other(
          "\(name) is \(dataset.shape), not \(tensor.shape)",
          cure: "use the checkpoint that wrote it, or start again without --state")
      }
      tensor.copy(from: try dataset.read(as: Float.self))
    }
    (self.steps, state) = (steps, start)
  }

  init(steps: [Int], state: LayerState<Float>) {
    (self.steps, self.state) = (steps, state)
  }

  /// Writes the state under a temporary name, and gives it its own when it is complete.
  func write(to path: String, parameters: String) throws {
    try PredictionFile.write(path) { file in
      try file.setAttribute("kind", Self.kind)
      try file.setAttribute("parameters_sha256", parameters)
      try file.write(steps, to: "steps", fletcher32: true)
      for (name, tensor) in state.named {
        try file.write(
          tensor.array, to: "\(Self.group)/\(name)", shape: tensor.shape, fletcher32: true)
      }
    }
  }
}

/// HDF5 files that appear whole or not at all.
enum PredictionFile {
  /// Refuses to write over the inputs, or over an HDF5 file that `predict` did not write: a slip in a
  /// name destroys nothing.
  static func refuseOverwriting(_ path: String, inputs: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    func resolved(_ path: String) -> String {
      URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }
    guard resolved(path) != resolved(inputs) else {
      throw RunFailure(.usage, "\(path): is the file of the inputs; name another file")
    }
    guard PredictionFormat(path) == .hdf5 else { return }
    let checksum = try? HDF5.File.open(path).stringAttribute("parameters_sha256")
    guard checksum == nil else { return }
    throw RunFailure(
      .usage, "\(path): exists and was not written by `predict`; name another file, or remove it")
  }

  static func write(_ path: String, _ body: (HDF5.File) throws -> Void) throws {
    let temporary = DurableFiles.temporaryName(for: path)
    do {
      let file = try HDF5.File.create(temporary)
      try body(file)
      try file.close()
      try DurableFiles.publish(temporary, as: path)
    } catch {
      DurableFiles.remove(temporary)
      throw unwritable(path, error)
    }
  }

  static func unwritable(_ path: String, _ error: any Error) -> DatasetError {
    DatasetError(
      path, "cannot be written (\(error))",
      cure: "check that its folder exists, is writable and has room", isDiskFailure: true)
  }
}
