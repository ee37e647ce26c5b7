import Datasets
import Models

/// Symbols to be found among blanks and given back, generated, or from a file that
/// `prepare denoise` made.
struct DenoiseTask: SequenceTask {
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
    try recallSource(.denoise, part, settings)
  }
}
