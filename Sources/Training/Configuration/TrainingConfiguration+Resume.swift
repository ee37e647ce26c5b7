// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints

extension TrainingConfiguration {
  /// Refuses to resume from a checkpoint of another model; the error names the key.
  ///
  /// - Parameter hasSameData: whether the data are known to be those of the checkpoint, regardless
  ///   of their path
  /// - Returns: a line for each other difference that changes the numbers from here on
  func refuseAnotherModel(
    than reader: CheckpointReader, hasSameData: Bool = false
  ) throws -> [String] {
    var notes: [String] = []
    for (key, other) in differences(to: try TrainingConfiguration(of: reader)) {
      if hasSameData, key.path == "dataset.file" { continue }
      let change = "\(key.path) is \(key.value), the checkpoint \(reader.folder) has \(other)"
      switch effect(of: key, was: other) {
      case .model:
        throw RunFailure(
          .configuration,
          "\(change): its state does not fit; set it back, or start a new run")
      case .numbers:
        notes.append("note: \(change); the run's numbers differ from here on")
      case .nothing: break
      }
    }
    return notes
  }

  /// What a changed key affects under this configuration: a cosine ends with the run, MPI adds the
  /// numbers of a bucket in its own order, an optimizer without momentum has no momentum state, and
  /// a number of classes that was counted may be set.
  private func effect(of key: ConfigurationKey, was other: String) -> KeyEffect {
    switch key.path {
    case "optimizer.momentum" where (Double(key.value) == 0) != (Double(other) == 0): .model
    case "epochs" where [.cosine, .warmupCosine].contains(optimizer.schedule): .numbers
    // 0 counts them, and the same number may be set. Another does not fit the parameters' shapes.
    case "dataset.classes" where key.value == "0" || other == "0": .nothing
    case "bucket_bytes" where reduction == .mpi, "sparse_rows" where reduction == .mpi: .numbers
    default: key.effect
    }
  }
}
