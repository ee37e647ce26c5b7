// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Models
import Reports
import Tensors

/// Numbers about each sequence (`regression`), labels of each sequence (`multilabel`), or a class
/// at each step (`tagging`), from a file that `prepare` made or the user's own.
///
/// Validation uses sequences held out of the training part, or the file's own validation part; see
/// `HeldOutCount`.
final class OwnSequencesTask: SequenceTask {
  private let settings: TrainingConfiguration.Dataset
  private let normalisation: InputNormalisation
  private let parts: HeldOutPart
  private let weighting: ClassWeighting
  private var kind: TargetKind?
  private(set) var scale: [Double] = []

  var heldOut: Int? { parts.count }
  var validationSummary: String? { parts.summary }
  var statistics: DataMeaning.Statistics? { normalisation.statistics }
  var notes: [String] { normalisation.notes }

  init(_ configuration: TrainingConfiguration.Dataset) {
    settings = configuration
    parts = HeldOutPart(configuration)
    normalisation = InputNormalisation(configuration)
    weighting = ClassWeighting(configuration)
  }

  /// Known once a part is open.
  var objective: any Objective {
    guard let kind else {
      return switch wanted.answer {
      case .oneClass: CrossEntropy()
      case .labels: BinaryCrossEntropy()
      default: SquaredError()
      }
    }
    return switch wanted.answer {
    case .oneClass: TagScores(classes: kind.outputs, classWeights: weighting.weights)
    case .labels: LabelScores(labels: kind.outputs)
    default: ValueErrors(scale: scale)
    }
  }

  /// The kind of the targets, a description of those that it needs, and the best constant answer.
  private var wanted: (answer: TargetKind.Answer, cure: String, constant: String) {
    switch settings.task {
    case .tagging:
      (
        .oneClass, "tagging needs a whole number for each step, [N, T], or [F] with offsets",
        "always the most frequent class"
      )
    case .multilabel:
      (
        .labels, "multilabel needs 1 or 0 for each label of each sequence, [N, K]",
        "always the labels of more than half of the sequences"
      )
    default:
      (
        .numbers, "regression needs numbers for each sequence: store floats [N] or [N, K]",
        "always the mean"
      )
    }
  }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    let source = try parts.source(part, open: open)
    if settings.task == .tagging { try weighting.find(in: source, part) }
    return source
  }

  func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration {
    weighting.resolved(parts.resolved(configuration))
  }

  private func open(_ part: DatasetFile.Part) throws -> any SequenceSource {
    let source = try stored(part)
    let (answer, cure, _) = wanted
    guard source.targetKind.answer == answer, source.targetKind.isEveryStep == (answer == .oneClass)
    else {
      throw DatasetError(
        settings.file, "has targets of \(source.targetKind.name)", cure: cure)
    }
    kind = source.targetKind
    scale = try settings.place.targetStatistics()?.deviation ?? []
    if scale.count != source.targetKind.outputs {
      scale = Array(repeating: 1, count: source.targetKind.outputs)
    }
    return try normalisation.applied(to: source) { try part == .train ? source : stored(.train) }
  }

  /// A part with its inputs as they are stored.
  private func stored(_ part: DatasetFile.Part) throws -> any SequenceSource {
    let place = settings.place
    let (meaning, declared) = try normalisation.meaning()
    if settings.task != .regression {
      let numbering = try settings.learned?.numbering(
        of: meaning, declared: declared, settings.file)
      if let numbering, numbering.numbers != numbering.numbers.indices.map({ Int32($0) }) {
        throw DatasetError(
          settings.file, "numbers its classes in another order than the run",
          cure: "prepare it in one command with the run's own data")
      }
    }
    return try SequenceFileSource(
      place, task: settings.task.rawValue, part: part,
      classes: parts.train?.targetKind.outputs ?? settings.learned?.outputs)
  }

  /// The loss of the best constant answer, with its metrics.
  func chance(on source: any SequenceSource) -> ChanceLoss? {
    guard let targets = try? Self.targets(of: source), targets.rowCount > 0 else { return nil }
    let row = objective.bestConstant(for: targets)
    let y = Tensor<Double>(shape: [targets.rowCount, row.count])
    for index in 0..<targets.rowCount { y.row(index).copy(from: row) }
    let totals = objective.totals(of: y, targets, gradient: nil)
    let metrics = objective.metrics(totals).filter(\.value.isFinite).map { metric in
      // The R2 of the mean is 0 except for rounding.
      Metric(metric.key, abs(metric.value) < 1e-12 ? 0 : metric.value, metric.form).text
    }
    return ChanceLoss(totals.meanLoss, "\(wanted.constant): \(metrics.joined(separator: ", "))")
  }

  /// Those of the numbers of a regression.
  func valueErrors(_ totals: Totals) throws -> [EvaluationRecord.ValueError]? {
    let errors = (objective as? ValueErrors)?.absoluteErrors(totals) ?? []
    guard errors.count > 1 else { return nil }
    return errors.enumerated().map { EvaluationRecord.ValueError(name: "value \($0)", mae: $1) }
  }

  private static func targets(of source: any SequenceSource) throws -> SequenceTargets {
    var (whole, numbers) = ([Int32](), [Float]())
    for index in 0..<source.count {
      let x = Tensor<Float>(shape: [source.length(of: index), 1, source.features])
      let own = try source.read([index], into: x)
      whole += own.whole
      numbers += own.numbers
    }
    return source.targetKind.answer == .numbers
      ? SequenceTargets(source.targetKind, numbers: numbers)
      : SequenceTargets(source.targetKind, whole: whole)
  }
}
