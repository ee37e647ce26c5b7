// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Datasets
import Tensors

// Trying the parts of a run before it starts; see `train --fast-dev-run`.
extension TrainingSession {
  /// Whether the data have a test part. All ranks call this and get the same.
  public var hasTestPart: Bool {
    get throws(RunFailure) {
      let dataset = configuration.dataset
      return try agreement.together { try dataset.file.isEmpty || dataset.place.holds(.test) }
    }
  }

  /// Runs the first batch of a part forward. All ranks call this.
  public func tryBatch(of part: DatasetFile.Part) throws(RunFailure) {
    let evaluation = try agreement.together { try workload.evaluation(of: part) }
    let loss = try evaluate(evaluation, atMost: 1).meanLoss
    guard loss.isFinite else {
      throw RunFailure(
        .diverged,
        "the loss of the first \(part.rawValue) batch is \(loss); lower optimizer.learning_rate, or"
          + " check the \(part.rawValue) part")
    }
  }

  /// The checksum of the parameters and buffers; see `ParametersDigest`.
  public var parametersDigest: String {
    let whole = parameters.layout.entries.map {
      CheckpointTensor(path: $0.name, shape: $0.shape, values: parameters[$0].array)
    }
    let buffers = workload.model.buffers.map {
      CheckpointTensor(path: $0.name, shape: $0.tensor.shape, values: $0.tensor.array)
    }
    return ParametersDigest.sha256(whole + buffers)
  }
}
