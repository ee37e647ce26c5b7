// SPDX-License-Identifier: Apache-2.0

import Tensors

/// A set of sequences that can be read by their global index.
///
/// Readers on different ranks are independent of each other: the same index gives the same
/// numbers everywhere.
public protocol SequenceSource {
  /// How many sequences there are.
  var count: Int { get }
  /// T, time steps of the longest sequence.
  var steps: Int { get }
  /// C, features per step.
  var features: Int { get }
  /// What is to be predicted.
  var targetKind: TargetKind { get }

  /// What the classes are called, where the data say.
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

  /// The shape [Y, X, C] of a step that is a map; nil where it is none.
  var map: [Int]? { get }

  /// Tells a source that reads otherwise in each epoch which one its next batches are of; nil is an
  /// evaluation.
  func enter(epoch: Int?)

  /// Whether the data say when each step happened.
  var hasTimes: Bool { get }

  /// Opens the times, which from now on are read, prefetched and part of the identity. Only where
  /// there are any.
  func openTimes() throws(DatasetError)

  /// Reads when the steps of these sequences happened into `times` [T, N]. A step beyond the end of
  /// a sequence gets the time of its last. The times must have been opened.
  func readTimes(_ indices: ArraySlice<Int>, into times: Tensor<Double>) throws(DatasetError)

  /// Starts to read the sequences that will be asked for next, where that takes time.
  ///
  /// - Throws: an error of what was started before
  func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError)

  /// Whether what was started is there, so that reading it does not wait.
  var isReady: Bool { get }

  /// The identity of the sequences. Call it before any are prefetched.
  func identity() throws(DatasetError) -> DataIdentity.Part
}

extension SequenceSource {
  public var map: [Int]? { nil }
  public func enter(epoch: Int?) {}

  /// Sequences have one length unless a source says otherwise.
  public func length(of index: Int) -> Int { steps }

  /// Steps are at 0, 1, 2 ... unless a source says otherwise.
  public var hasTimes: Bool { false }

  public func openTimes() throws(DatasetError) {}

  public func readTimes(
    _ indices: ArraySlice<Int>, into times: Tensor<Double>
  ) throws(DatasetError) {
    preconditionFailure("the data have no times")
  }

  /// What is in memory, or computed, needs no thread.
  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {}

  public var isReady: Bool { true }

  public var classNames: [String]? { nil }

  public var notes: [String] { [] }

  /// The sizes: what is generated follows from its settings.
  public func identity() throws(DatasetError) -> DataIdentity.Part { DataIdentity.Part(of: self) }
}
