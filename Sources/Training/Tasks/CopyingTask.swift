import Datasets
import Models

/// Symbols to be given back after a wait, generated, or from a file that `prepare copying` made.
struct CopyingTask: SequenceTask {
  private let settings: TrainingConfiguration.Dataset

  init(_ configuration: TrainingConfiguration.Dataset) {
    settings = configuration
  }

  var loss: LossKind { .crossEntropy }
  var lossName: String { "cross-entropy per step" }

  func chance(on source: any SequenceSource) -> (loss: Double, meaning: String)? {
    recallChance(on: source)
  }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    try recallSource(.copying, part, settings)
  }
}

/// The sequences of the copying and the denoise task.
func recallSource(
  _ placement: RecallProblem.Placement, _ part: DatasetFile.Part,
  _ settings: TrainingConfiguration.Dataset
) throws(DatasetError) -> any SequenceSource {
  guard settings.file.isEmpty else {
    return try SequenceFileSource(
      settings.file, task: placement.rawValue, part: part,
      memoryLimit: settings.place.memoryLimit)
  }
  // The sequences do not depend on the run's seed, so that runs are comparable.
  return RecallProblem(
    placement, count: settings.count(of: part), delay: settings.steps, symbols: settings.symbols,
    alphabet: settings.alphabet, seed: 0, part: part)
}

/// The loss of a model without memory.
func recallChance(on source: any SequenceSource) -> (loss: Double, meaning: String)? {
  switch source {
  case let problem as RecallProblem: (problem.chanceLoss, RecallProblem.chanceMeaning)
  case let file as SequenceFileSource: file.chance
  default: nil
  }
}
