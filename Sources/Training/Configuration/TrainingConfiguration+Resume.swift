import Checkpoints

extension TrainingConfiguration {
  /// Refuses to go on from a checkpoint of another model, by the name of the key.
  ///
  /// - Returns: a line for each other difference that changes the numbers from here on
  func refuseAnotherModel(than reader: CheckpointReader) throws -> [String] {
    let old: TrainingConfiguration
    do {
      old = try TrainingConfiguration(
        yaml: reader.manifest.configuration,
        path: "\(reader.folder)/\(CheckpointManifest.fileName)")
    } catch {
      throw RunFailure(.unusableData, error.description)
    }
    var notes: [String] = []
    for (key, other) in differences(to: old) {
      let change = "\(key.path) is \(key.value), the checkpoint \(reader.folder) has \(other)"
      switch effect(of: key) {
      case .model:
        throw RunFailure(
          .configuration, "\(change): that is another model; set it back, or start a new run")
      case .numbers:
        notes.append("note: \(change); the run goes on with other numbers than it would have")
      case .nothing: break
      }
    }
    return notes
  }

  /// What a key changes under this configuration: the end of a cosine is the end of the run,
  /// and MPI adds the numbers of a bucket in an order of its own.
  private func effect(of key: ConfigurationKey) -> KeyEffect {
    switch key.path {
    case "epochs" where optimizer.schedule == .cosine: .numbers
    case "bucket_bytes" where reduction == .mpi: .numbers
    default: key.effect
    }
  }
}
