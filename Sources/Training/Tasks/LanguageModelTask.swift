import DataParallel
import Datasets
import Foundation
import Models
import Reports

/// The next word or character of a text, by an AWD-LSTM stack: the paper's Penn TreeBank task.
///
/// The batch is columns of the text, whose state goes on from chunk to chunk. What is reported is
/// the cross-entropy alone, without the penalties, and its exponential: the perplexity.
struct LanguageModelTask: TrainingTask {
  private let settings: TrainingConfiguration.Dataset

  init(_ configuration: TrainingConfiguration.Dataset) {
    settings = configuration
  }

  var lossName: String { "cross-entropy per token" }
  var elementName: String? { "tokens" }

  func metrics(_ totals: Totals) -> [TaskMetric] {
    let (loss, bits) = (totals.meanLoss, totals.meanLoss / log(2))
    return [
      TaskMetric("perplexity", exp(loss), text: "perplexity \(brief(exp(loss)))"),
      TaskMetric("bits_per_token", bits, text: "\(brief(bits)) bits"),
    ]
  }

  func workload(
    _ configuration: TrainingConfiguration, plan: ShardPlan, rank: Int
  ) throws -> any Workload {
    try LanguageModelWorkload(
      configuration, text: TextFile(settings.place), plan: plan, rank: rank)
  }
}
