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
  /// Sequences have one length unless a source says otherwise.
  public func length(of index: Int) -> Int { steps }

  /// What is in memory, or computed, needs no thread.
  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {}

  public var isReady: Bool { true }

  public var classNames: [String]? { nil }

  public var notes: [String] { [] }

  /// The sizes: what is generated follows from its settings.
  public func identity() throws(DatasetError) -> DataIdentity.Part { DataIdentity.Part(of: self) }
}
