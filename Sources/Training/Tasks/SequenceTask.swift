// SPDX-License-Identifier: Apache-2.0

import Configuration
import DataParallel
import Datasets
import Kernels
import Models
import Tensors

/// A task that learns from whole sequences, by a stack of recurrent layers and a linear read-out.
public protocol SequenceTask: TrainingTask {
  /// The baseline loss on some sequences; nil if unknown.
  func chance(on source: any SequenceSource) -> ChanceLoss?
  /// The sequences of a part. The validation part is never taken from the test part.
  func source(_ part: DatasetFile.Part) throws -> any SequenceSource
  /// The settings that generated sequences follow from, other than their number: "steps=10". Nil if
  /// the task does not generate any.
  var generatedSettings: String? { get }
  /// The validation data in a few words, if they were found in the data: "12 held out".
  var validationSummary: String? { get }
  /// How classes were matched that are numbered differently from the learned ones.
  var mapping: String? { get }
  /// How many sequences of the training part are held out, once that is open; nil if validation has
  /// its own part.
  var heldOut: Int? { get }
  /// The statistics that normalise the inputs of a user's own file on reading; nil if none do.
  var statistics: DataMeaning.Statistics? { get }
  /// Notes about the data, in addition to those of their source.
  var notes: [String] { get }
  /// Where the read-out starts; see `SequenceModel`.
  var readOutStart: ReadOutStart? { get }

  /// Hides a part of a training batch that is to be predicted.
  ///
  /// - Parameters:
  ///   - batch: the batch to mask
  ///   - sequences: the index of each row's sequence
  ///   - epoch: from 0
  ///   - seed: the seed of the run
  func mask(
    _ batch: inout SequenceBatch<Float>, sequences: ArraySlice<Int>, epoch: Int, seed: UInt64)
}

extension SequenceTask {
  public func chance(on source: any SequenceSource) -> ChanceLoss? {
    objective.chance(source.targetKind)
  }
  public var generatedSettings: String? { nil }
  public var validationSummary: String? { nil }
  public var mapping: String? { nil }
  public var heldOut: Int? { nil }
  public var statistics: DataMeaning.Statistics? { nil }
  public var notes: [String] { [] }
  public var readOutStart: ReadOutStart? { nil }
  public func mask(
    _ batch: inout SequenceBatch<Float>, sequences: ArraySlice<Int>, epoch: Int, seed: UInt64
  ) {}

  /// Refuses targets that the objective does not accept.
  func requireComparable(
    _ kind: TargetKind, _ settings: TrainingConfiguration.Dataset
  ) throws(RunFailure) {
    guard !objective.accepts(kind) else { return }
    throw RunFailure(
      .unusableData,
      "\(settings.file): the targets are \(kind.name), which \(objective.name) does not accept;"
        + " set another dataset.task, or store other targets")
  }

  /// The model for sequences of C features; a step may be a map.
  func model(
    _ configuration: TrainingConfiguration, features C: Int, map: [Int]?, _ kind: TargetKind
  ) throws(ConfigurationError) -> SequenceModel<Float> {
    SequenceModel(
      try configuration.stack(on: map), inputs: C, outputs: kind.outputs, objective: objective,
      pooling: configuration.model.pooling, readOutStart: readOutStart)
  }

  public func workload(
    _ configuration: TrainingConfiguration, plan: ShardPlan, rank: Int
  ) throws -> Workload {
    let stream = try SequenceStream(configuration, task: self, plan: plan, rank: rank)
    try requireComparable(stream.targetKind, configuration.dataset)
    try configuration.checkEncoder(
      features: stream.features, steps: stream.extent(isTraining: true).steps)
    let model = try model(
      configuration, features: stream.features, map: stream.map, stream.targetKind)
    try stream.openTimes(model.readsTimes, by: configuration.model.cell.system.name)
    return Workload(model, on: stream)
  }
}
