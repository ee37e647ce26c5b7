// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Exports
import Foundation
import Training

/// The files that `export` writes.
enum ExportFormat: CaseIterable {
  case onnx, card
  /// The format of .safetensors, and of any other ending.
  case safetensors

  var ending: String {
    switch self {
    case .safetensors: ".safetensors"
    case .onnx: ".onnx"
    case .card: ".md"
    }
  }

  /// The format of a file with this name.
  init(_ path: String) {
    self = Self.allCases.first { path.lowercased().hasSuffix($0.ending) } ?? .safetensors
  }

  /// Refuses to replace a file of another kind.
  func refuseOverwriting(_ path: String) throws(RunFailure) {
    try momentum_dist.refuseOverwriting(path, unlessNamed: ending)
  }

  /// Writes a file.
  ///
  /// - Parameters:
  ///   - tensors: the tensors to write, under the names in the file
  ///   - metadata: texts about the model, by key
  /// - Returns: a line for the user
  func write(
    _ tensors: [CheckpointTensor], _ metadata: ExportMetadata, to path: String
  ) throws -> String {
    let step = metadata.checkpoint.manifest.step
    switch self {
    case .safetensors:
      try SafetensorsFile.write(tensors, metadata: try metadata.texts, to: path)
      return "\(path): \(tensors.count) tensors of step \(step)"
    case .onnx:
      let model = ModelExport(
        metadata.configuration, data: metadata.checkpoint.manifest.data, tensors: tensors,
        metadata: try metadata.texts)
      return try reporting(.configuration) {
        "\(path): step \(step), \(try model.writeONNX(to: path, program: programVersion))"
      }
    case .card:
      let checkpoint = metadata.checkpoint
      return try reporting(.usage) {
        try ModelCard(
          metadata.configuration, checkpoint.manifest, folder: checkpoint.folder
        ).write(to: path)
        return "\(path): the model card of step \(step)"
      }
    }
  }

  /// Ends the command with a status if a format cannot hold the model.
  private func reporting(_ status: ExitStatus, _ body: () throws -> String) throws -> String {
    do {
      return try body()
    } catch let error as ExportError {
      throw RunFailure(status, error.description)
    }
  }
}
