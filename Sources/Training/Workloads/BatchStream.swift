// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Datasets
import Models

/// The position of a step in the run.
public struct StepPosition: Sendable, Hashable {
  /// Optimizer steps taken since the start of the run.
  public var step: Int
  /// The current epoch, from 0.
  public var epoch: Int
  /// Steps of the epoch that are done.
  public var index: Int

  public init(step: Int, epoch: Int, index: Int) {
    self.step = step
    self.epoch = epoch
    self.index = index
  }
}

/// The sizes of the batches of a stream.
public struct StreamExtent: Sendable {
  /// T, the most time steps of a batch.
  public var steps: Int
  /// The most sequences of a batch, over all ranks.
  public var rows: Int
  /// The most sequences of a batch on this rank.
  public var ownRows: Int
  /// The virtual shards of this rank.
  public var ownShards: Int
  /// Whether every time step has a target.
  public var isEveryStep: Bool
  /// Whether lengths differ.
  public var isRagged: Bool
}

/// The order of the sequences, as batches of this rank's rows.
///
/// A batch depends only on its position, so a resumed run reads the same batches. A stream knows
/// neither models nor MPI.
public protocol BatchStream<Batch>: AnyObject {
  /// The data of one batch.
  associatedtype Batch

  /// - Parameter isTraining: whether the batches are for training; those may be larger
  func extent(isTraining: Bool) -> StreamExtent

  /// How many batches an epoch has.
  func steps(inEpoch epoch: Int) -> Int
  /// Reads this rank's share of a batch.
  func load(_ position: StepPosition) throws -> Batch
  /// Reads one virtual shard of a batch, which may be another rank's. Its memory is separate from
  /// that of `load(_:)`. Call it before the data of the next step are prefetched.
  func load(_ position: StepPosition, shard: Int) throws -> Batch
  /// Starts to read the batch after this one, if reading takes time.
  func prefetch(after position: StepPosition) throws
  /// Whether the data that `prefetch` started to read are ready, so that `load` does not wait.
  var isReady: Bool { get }
  /// A factor on the learning rate of a batch, in addition to the schedule's.
  func rateFactor(of batch: Batch) -> Double

  /// The stream of another part of the data, in order, as one epoch.
  func part(_ part: DatasetFile.Part) throws -> Self

  /// The data in a few words, such as "classification T=28 C=28, 55000 sequences".
  var summary: String { get }
  /// Notes for the user about the data, one per line.
  var notes: [String] { get }
  /// How classes or words of the data were matched if they are numbered differently from those that
  /// the model learned.
  var mapping: String? { get }
  /// A note on the times of the steps; nil if they are used as the model learned them, or if there
  /// are none.
  var timesNote: String? { get }
  /// The names of the classes, if the data have them.
  var classNames: [String]? { get }
  /// The number of classes or labels to count answers by; nil if the answers are others, or if
  /// there are too many.
  var countedClasses: Int? { get }
  /// Which answers those are.
  var countedAnswers: CountedAnswers { get }
  /// The baseline loss on this part; nil if unknown.
  var chance: ChanceLoss? { get }

  /// The identity of the data of a run. Call it while no batch is being read.
  ///
  /// - Parameter validating: whether to include a validation part that would have to be opened
  ///   first
  func identity(validating: Bool) throws -> DataIdentity
  /// The identity of this part; nil if it has none.
  func partIdentity() throws -> DataIdentity.Part?
  /// The checksums of the first sequences of the first batch, which must agree on all ranks; empty
  /// if the identity is enough.
  func firstChecksums(_ limit: Int) throws -> [(sequence: Int, crc32: UInt32)]
  /// Writes what is needed to use the model without its data into the folder of a run.
  func describe(in run: RunFolder) throws
}

extension BatchStream {
  public func rateFactor(of batch: Batch) -> Double { 1 }
  public var notes: [String] { [] }
  public var timesNote: String? { nil }
  public var classNames: [String]? { nil }
  public var countedClasses: Int? { nil }
  public var countedAnswers: CountedAnswers { .classes }
  public func firstChecksums(_ limit: Int) throws -> [(sequence: Int, crc32: UInt32)] { [] }
  public func describe(in run: RunFolder) throws {}
}
