// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Kernels
import Models

/// Masked modelling of spike counts (Ye and Pandarinath, 2021): whole steps of a trial are hidden,
/// and their rates are predicted from the rest. The body is any layer.
///
/// An evaluation hides each step in one of several passes over a trial, and scores held-out neurons
/// in a pass that hides nothing; see `FoldedSpikes`. In training, held-out neurons are predicted at
/// every step, because no model sees them.
final class MaskedSpikesTask: SequenceTask {
  private let settings: TrainingConfiguration.Dataset
  private let masking: MaskingSettings
  private let parts: HeldOutPart
  private var statistics: (means: [Double], largest: Int) = ([], 0)
  /// The last of the neurons, which no model sees.
  private var heldOutNeurons = 0

  init(_ configuration: TrainingConfiguration) {
    settings = configuration.dataset
    parts = HeldOutPart(configuration.dataset)
    masking = configuration.masking
  }

  /// Known once a part is open.
  var objective: any Objective {
    SpikeRates(meanRates: statistics.means, heldOut: heldOutNeurons)
  }
  var elementName: String? { "counts" }
  var heldOut: Int? { parts.count }
  var validationSummary: String? { parts.summary }
  /// The authors' starting weights of the decoder. Their biases are zeros; ours are those of the
  /// mean rates, which saves the thousands of steps from one spike per bin to the neurons' rates.
  var readOutStart: ReadOutStart? {
    ReadOutStart(
      weightBound: 0.1,
      bias: masking.startAtMeanRates ? SpikeRates(meanRates: statistics.means).logMeanRates : [])
  }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    guard settings.measured == nil else { return folded(try openMeasured(part)) }
    // An evaluation of the test part also uses the mean rates of the training part.
    let train = try parts.openTrain(open)
    if statistics.means.isEmpty, let train = train as? SpikeSource {
      statistics = try Self.statistics(train, holdingOut: parts.count)
    }
    let source = try parts.source(part, open: open)
    return part == .train ? source : folded(source)
  }

  /// A part to evaluate on.
  private func folded(_ source: any SequenceSource) -> any SequenceSource {
    let folds = masking.evaluationFolds
    guard folds > 0 else { return source }
    return FoldedSpikes(base: source, folds: folds, hasHeldOutPass: heldOutNeurons > 0)
  }

  func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration {
    parts.resolved(configuration)
  }

  func mask(
    _ batch: inout SequenceBatch<Float>, sequences: ArraySlice<Int>, epoch: Int, seed: UInt64
  ) {
    SpikeMask(masking, largestCount: statistics.largest, seed: seed, epoch: epoch)
      .apply(to: &batch, sequences)
  }

  private func open(_ part: DatasetFile.Part) throws -> SpikeSource {
    let source = try SpikeSource(settings.place, part: part)
    heldOutNeurons = source.targetKind.outputs - source.features
    return source
  }

  /// The statistics of the training trials.
  private static func statistics(
    _ train: SpikeSource, holdingOut heldOut: Int?
  ) throws -> (means: [Double], largest: Int) {
    try train.statistics(
      of: heldOut.map { SubsetSource.split(train, holdingOut: $0).rest.indices })
  }

  /// Only this part. The mean rates are those of the training part of its file, or, if it has none,
  /// those of the part itself.
  private func openMeasured(_ part: DatasetFile.Part) throws -> SpikeSource {
    let source = try open(part)
    if statistics.means.isEmpty {
      guard try part != .train && settings.place.holds(.train) else {
        statistics = try source.statistics()
        return source
      }
      let train = try open(.train)
      let heldOut = try settings.heldOut(
        of: train.count, hasOwnPart: settings.place.holds(.validation))
      statistics = try Self.statistics(train, holdingOut: heldOut)
    }
    return source
  }
}
