// SPDX-License-Identifier: Apache-2.0

/// The sums of a pass over some sequences. All members are plain sums, so a mean over shards, ranks
/// and batches is one sum divided by another, never a mean of means.
public struct Totals: Sendable, Equatable {
  /// The sum of the loss over the known elements.
  public var loss: Double
  /// The number of known elements.
  public var elements: Double
  /// The sum of their weights, which divides the loss: `elements` unless weights differ.
  public var weight: Double
  /// The number of sequences.
  public var sequences: Double
  /// The sums of the objective, in the order of its `sums`. Empty means zeros.
  public var own: [Double]

  /// - Parameters:
  ///   - loss: the sum of the losses
  ///   - elements: the number of elements
  ///   - weight: nil if every element weighs 1
  ///   - sequences: the number of sequences
  ///   - own: the sums of the objective
  public init(
    loss: Double = 0, elements: Double = 0, weight: Double? = nil, sequences: Double = 0,
    own: [Double] = []
  ) {
    self.loss = loss
    self.elements = elements
    self.weight = weight ?? elements
    self.sequences = sequences
    self.own = own
  }

  /// The members in order, for sending.
  public var values: [Double] { [loss, elements, weight, sequences] + own }

  /// The totals that `values` came from.
  public init(values: [Double]) {
    precondition(values.count >= 4, "totals have at least 4 members, not \(values.count)")
    self.init(
      loss: values[0], elements: values[1], weight: values[2], sequences: values[3],
      own: Array(values[4...]))
  }

  /// The sums over the rows of both.
  public static func + (a: Totals, b: Totals) -> Totals {
    Totals(
      loss: a.loss + b.loss, elements: a.elements + b.elements, weight: a.weight + b.weight,
      sequences: a.sequences + b.sequences, own: sum(a.own, b.own))
  }

  private static func sum(_ a: [Double], _ b: [Double]) -> [Double] {
    if a.isEmpty { return b }
    if b.isEmpty { return a }
    precondition(a.count == b.count, "totals of two objectives: \(a.count) and \(b.count) sums")
    return zip(a, b).map { $0 + $1 }
  }

  /// The mean loss; NaN without elements.
  public var meanLoss: Double { loss / weight }
}
