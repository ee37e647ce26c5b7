import Configuration
import Datasets
import Models
import Tensors

/// The next H values of a series from the preceding T, from a file that `prepare series` made. The
/// parts follow one another in time; none is drawn at random.
final class ForecastTask: SequenceTask {
  private let settings: TrainingConfiguration.Dataset
  private var scale: [Double] = []

  init(_ configuration: TrainingConfiguration.Dataset) { settings = configuration }

  /// Reports errors in the unit of the series; known once a part is open.
  var objective: any Objective {
    scale.isEmpty ? SquaredError() : ValueErrors(scale: scale)
  }
  var validationSummary: String? { "validation on the steps after those that are trained on" }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    let source = try ForecastSource(settings.place, part: part, settings.forecast)
    let meaning = try settings.place.meaning().meaning
    let own = meaning.statistics?.deviation ?? Array(repeating: 1, count: source.features)
    scale = (0..<settings.forecast.horizon).flatMap { _ in own }
    return source
  }

  func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration {
    var configuration = configuration
    if settings.measured == nil { configuration.dataset.heldOut = .ownPart }
    return configuration
  }

  /// The loss of repeating the last value, with its metrics.
  func chance(on source: any SequenceSource) -> ChanceLoss? {
    let (C, H) = (source.features, settings.forecast.horizon)
    var totals = objective.noTotals
    for index in 0..<source.count {
      let T = source.length(of: index)
      let x = Tensor<Float>(shape: [T, 1, C])
      guard let targets = try? source.read([index], into: x) else { return nil }
      let last = x.row(T - 1).array
      let y = Tensor<Float>((0..<H).flatMap { _ in last }, shape: [1, H * C])
      totals = totals + objective.totals(of: y, targets, gradient: nil)
    }
    let metrics = objective.metrics(totals).filter(\.value.isFinite).map(\.text)
    return ChanceLoss(
      totals.meanLoss, "repeating the last value: \(metrics.joined(separator: ", "))")
  }
}
