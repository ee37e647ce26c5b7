import Tensors

/// What is to be predicted for a sequence.
public enum TargetKind: Sendable, Hashable {
  /// One of so many classes.
  case classes(Int)
  /// So many numbers.
  case values(Int)

  /// The width of a read-out for it.
  public var outputs: Int {
    switch self {
    case .classes(let count), .values(let count): count
    }
  }
}

/// The targets of some sequences.
public enum SourceTargets: Sendable {
  case classes([Int32])
  case values([Float])
}

/// A set of sequences of equal length that can be read by their global index.
///
/// Readers on different ranks are independent of each other: the same index gives the same
/// numbers everywhere.
public protocol SequenceSource {
  /// How many sequences there are.
  var count: Int { get }
  /// T, time steps per sequence.
  var steps: Int { get }
  /// C, features per step.
  var features: Int { get }
  /// What is to be predicted.
  var targetKind: TargetKind { get }

  /// Reads the sequences of these indices into `x` [T, N, C], time first.
  ///
  /// - Returns: their targets, in the same order
  func read(_ indices: ArraySlice<Int>, into x: Tensor<Float>) throws(DatasetError)
    -> SourceTargets
}
