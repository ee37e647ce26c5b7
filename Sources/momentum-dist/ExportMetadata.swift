// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Configuration
import Datasets
import Foundation
import Layers
import Training

/// The metadata of an export: what another program needs to compute the model again.
/// A text with several parts is JSON.
struct ExportMetadata {
  let checkpoint: TrainedCheckpoint
  let configuration: TrainingConfiguration
  private let learned: LearnedData

  init(_ checkpoint: TrainedCheckpoint) throws(RunFailure) {
    self.checkpoint = checkpoint
    configuration = try TrainingConfiguration(of: checkpoint.reader)
    learned = LearnedData(of: checkpoint.reader, .measuring)
  }

  private var manifest: CheckpointManifest { checkpoint.manifest }
  private var train: DataIdentity.Part? {
    manifest.data?.parts[DatasetFile.Part.train.rawValue]
  }

  /// The texts by their keys.
  var texts: [String: String] {
    get throws {
      let system = configuration.model.system
      let values = Dictionary(configuration.keys.map { ($0.path, $0.value) }) { $1 }
      let constants = system.hyperparameters.map { "model.\($0.rawValue)" }
      var texts = [
        "step": "\(manifest.step)", "parameters_sha256": manifest.parametersSHA256,
        "parameters_from": checkpoint.parametersGroup, "program": manifest.machine.program,
        "configuration": try Self.json(values), "cell": system.name,
        "constants": try Self.json(values.filter { constants.contains($0.key) }),
        "equations": "\(system.source); as in the article CellEquations of momentum-dist",
        "shapes": try Self.json(shapes),
      ]
      // What inputs and outputs mean: class names, statistics, the hash of the vocabulary.
      texts["data"] = try manifest.data?.json
      texts["vocabulary"] = try learned.vocabulary.map { try Self.json($0.tokens) }
      texts["vocabulary_level"] = learned.vocabulary?.level.rawValue
      texts["pixel_order"] = try pixelOrder.map { try Self.json($0) }
      return texts
    }
  }

  /// The shapes of inputs, [N, T, C] or for maps [N, T, Y, X, C], and of outputs, [N, K] or [N, T,
  /// K]. The number of sequences is free, and so is the number of steps if the data do not
  /// determine it.
  private var shapes: [String: [String]] {
    func size(_ number: Int?, _ letter: String) -> String { number.map { "\($0)" } ?? letter }
    func rows(_ path: String) -> Int? {
      manifest.tensors.first { $0.path == "parameters/\(path)" }?.shape.first
    }
    let task = configuration.dataset.task
    if task == .languageModel {
      return ["inputs": ["N", "T"], "outputs": ["N", "T", size(rows("decoder.bias"), "K")]]
    }
    var (steps, step) = (train?.steps, [size(train?.features ?? learned.features, "C")])
    if task == .classification, configuration.dataset.view == .image, let inputs = train?.inputs {
      steps = configuration.dataset.imageShow.steps
      step = inputs.shape.dropFirst().map { "\($0)" } + (inputs.shape.count == 3 ? ["1"] : [])
    }
    let everyStep: [TaskName] = [.copying, .denoise, .nextFrame, .maskedSpikes, .tagging]
    return [
      "inputs": ["N", size(steps, "T")] + step,
      "outputs": (everyStep.contains(task) ? ["N", "T"] : ["N"])
        + [size(rows("readout.bias"), "K")],
    ]
  }

  /// The pixel of an image that each step shows in the permuted view; nil for other views, and if
  /// the file with the order no longer exists.
  private var pixelOrder: [Int]? {
    let dataset = configuration.dataset
    guard dataset.task == .classification, dataset.view == .permuted, let steps = train?.steps
    else { return nil }
    return try? dataset.pixelOrder.indices(of: steps)
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
