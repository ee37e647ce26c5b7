// SPDX-License-Identifier: Apache-2.0

import Configuration
import DataParallel
import Datasets
import Models
import Reports

/// The next word or character of a text, by an AWD-LSTM stack: the paper's Penn TreeBank task.
///
/// The batch is columns of the text, whose state is carried from chunk to chunk. Reports have only
/// the cross-entropy, without the penalties, and its exponential: the perplexity.
struct LanguageModelTask: TrainingTask {
  private let settings: TrainingConfiguration.Dataset

  init(_ configuration: TrainingConfiguration.Dataset) {
    settings = configuration
  }

  var objective: any Objective { CrossEntropy.perToken }
  var lossName: String { "cross-entropy per token" }
  var elementName: String? { "tokens" }

  func workload(
    _ configuration: TrainingConfiguration, plan: ShardPlan, rank: Int
  ) throws -> Workload {
    let stream = try ColumnStream(
      configuration, text: TextFile(settings.place), plan: plan, rank: rank)
    let model = LanguageModel<Float>(
      configuration.languageModel(vocabulary: stream.vocabulary.count))
    return Workload(
      ColumnModel(model, columns: stream.ownColumns, seed: configuration.seed), on: stream)
  }
}
