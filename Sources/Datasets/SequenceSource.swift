// SPDX-License-Identifier: Apache-2.0

import Tensors

/// A set of sequences that are read by their global index.
///
/// Readers on different ranks are independent. The same index gives the same numbers on every rank.
public protocol SequenceSource {
  /// The number of sequences.
  var count: Int { get }
  /// T, the time steps of the longest sequence.
  var steps: Int { get }
  /// C, features per step.
  var features: Int { get }
  /// The kind of the targets.
  var targetKind: TargetKind { get }

  /// The names of the classes, if the data have them.
  var classNames: [String]? { get }

  /// Notes for the user about the data, one per line.
  var notes: [String] { get }

  /// The time steps of one sequence.
  func length(of index: Int) -> Int

  /// Reads the sequences of these indices into `x` [T, N, C], time first, with zeros beyond the
  /// end of a sequence. T is at least the length of each.
  ///
  /// - Returns: their targets, in the same order
  func read(_ indices: ArraySlice<Int>, into x: Tensor<Float>) throws(DatasetError)
    -> SequenceTargets

  /// The shape [Y, X, C] of a step that is a map; nil if it is not a map.
  var map: [Int]? { get }

  /// Sets the epoch of the next batches, for a source that changes from epoch to epoch; nil means
  /// an evaluation.
  func enter(epoch: Int?)

  /// Whether the data have the time of each step.
  var hasTimes: Bool { get }

  /// Opens the times. From now on they are read, prefetched and part of the identity. Call it only
  /// if there are any.
  func openTimes() throws(DatasetError)

  /// Reads the times of the steps of these sequences into `times` [T, N]. A step beyond the end of
  /// a sequence gets the time of its last step. The times must be open.
  func readTimes(_ indices: ArraySlice<Int>, into times: Tensor<Double>) throws(DatasetError)

  /// Starts to read the sequences that are needed next, if reading takes time.
  ///
  /// - Throws: an error of the previous read
  func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError)

  /// Whether the started read is complete, so that taking it does not wait.
  var isReady: Bool { get }

  /// The identity of the sequences. Call it before any are prefetched.
  func identity() throws(DatasetError) -> DataIdentity.Part
}

extension SequenceSource {
  public var map: [Int]? { nil }
  public func enter(epoch: Int?) {}

  /// By default all sequences have one length.
  public func length(of index: Int) -> Int { steps }

  /// By default steps are at 0, 1, 2 ...
  public var hasTimes: Bool { false }

  public func openTimes() throws(DatasetError) {}

  public func readTimes(
    _ indices: ArraySlice<Int>, into times: Tensor<Double>
  ) throws(DatasetError) {
    preconditionFailure("the data have no times")
  }

  /// Data that are in memory or computed need no thread.
  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {}

  public var isReady: Bool { true }

  public var classNames: [String]? { nil }

  public var notes: [String] { [] }

  /// Only the sizes, because generated data follow from their settings.
  public func identity() throws(DatasetError) -> DataIdentity.Part { DataIdentity.Part(of: self) }
}
