// SPDX-License-Identifier: Apache-2.0

/// The targets of a batch: a row of W numbers for each sequence, [N, W], or for each time step of
/// each sequence, [T, N, W].
///
/// Classes, labels and counts are whole numbers. Rows after the end of a sequence are ignored. W is
/// the kind's `width`.
public struct SequenceTargets: Sendable, Equatable {
  /// The kind of the targets.
  public let kind: TargetKind
  /// Classes, labels or counts, row-major; empty if the targets are real numbers.
  public let whole: [Int32]
  /// Real numbers, row-major; empty for classes and labels. For counts, the true rates that they
  /// were drawn from, or empty if these are unknown.
  public let numbers: [Float]

  /// Classes, labels or counts.
  public init(_ kind: TargetKind, whole: [Int32]) {
    precondition(kind.answer != .numbers, "whole numbers for \(kind.name)")
    self.init(kind, whole: whole, numbers: [])
  }

  /// Counts and the rates that they were drawn from, in counts per step; empty if unknown.
  public init(_ kind: TargetKind, whole: [Int32], rates: [Float]) {
    precondition(
      kind.answer == .counts && (rates.isEmpty || rates.count == whole.count),
      "\(rates.count) rates for \(whole.count) numbers of \(kind.name)")
    self.init(kind, whole: whole, numbers: rates)
  }

  /// Real numbers.
  public init(_ kind: TargetKind, numbers: [Float]) {
    precondition(kind.answer == .numbers, "real numbers for \(kind.name)")
    self.init(kind, whole: [], numbers: numbers)
  }

  private init(_ kind: TargetKind, whole: [Int32], numbers: [Float]) {
    let count = whole.count + numbers.count
    precondition(
      kind.width > 0 ? count % kind.width == 0 : count == 0,
      "\(count) numbers for rows of \(kind.width)")
    self.kind = kind
    self.whole = whole
    self.numbers = numbers
  }

  /// One class per sequence, [N].
  public static func classes(_ classes: [Int32], of count: Int) -> SequenceTargets {
    SequenceTargets(.classes(count), whole: classes)
  }

  /// A class at every step, [T, N].
  public static func stepClasses(_ classes: [Int32], of count: Int) -> SequenceTargets {
    SequenceTargets(.stepClasses(count), whole: classes)
  }

  /// K numbers per sequence, [N, K].
  public static func values(_ numbers: [Float], of count: Int) -> SequenceTargets {
    SequenceTargets(.values(count), numbers: numbers)
  }

  /// K numbers at every step, [T, N, K].
  public static func frames(_ numbers: [Float], of count: Int) -> SequenceTargets {
    SequenceTargets(.frames(count), numbers: numbers)
  }

  /// Targets for no sequence.
  public static func none(of kind: TargetKind) -> SequenceTargets {
    SequenceTargets(kind, whole: [], numbers: [])
  }

  /// Zeros, for sequences whose targets are unknown.
  public static func zeros(_ kind: TargetKind, sequences N: Int, steps T: Int) -> SequenceTargets {
    let count = kind.width * N * (kind.isEveryStep ? T : 1)
    return kind.answer == .numbers
      ? SequenceTargets(kind, numbers: Array(repeating: 0, count: count))
      : SequenceTargets(kind, whole: Array(repeating: 0, count: count))
  }

  /// The number of rows: N, or T·N.
  public var rowCount: Int {
    (whole.isEmpty ? numbers.count : whole.count) / max(kind.width, 1)
  }

  /// Whether the read-out sees every time step.
  public var isEveryStep: Bool { kind.isEveryStep }

  /// The rows at the given places, in that order.
  public func rows(_ places: [Int]) -> SequenceTargets {
    rows(in: places.lazy.map { $0..<$0 + 1 })
  }

  /// Adjacent rows.
  public func rows(_ range: Range<Int>) -> SequenceTargets {
    rows(in: CollectionOfOne(range))
  }

  private func rows(in runs: some Collection<Range<Int>>) -> SequenceTargets {
    let W = kind.width
    func rows<Number>(of all: [Number]) -> [Number] {
      var result: [Number] = []
      guard !all.isEmpty else { return result }
      result.reserveCapacity(runs.count * W)
      for run in runs { result += all[run.lowerBound * W..<run.upperBound * W] }
      return result
    }
    return SequenceTargets(kind, whole: rows(of: whole), numbers: rows(of: numbers))
  }

  /// The targets that match the rows of a read-out over some of the sequences.
  ///
  /// - Parameters:
  ///   - sequences: the sequences, out of N
  ///   - steps: for targets at every step, the rows out of T·N of the valid steps of these
  ///     sequences
  public func seen(of sequences: Range<Int>, steps: [Int]) -> SequenceTargets {
    isEveryStep ? rows(steps) : rows(sequences)
  }

  /// The targets of the sequences `range` of N.
  public func sequences(_ range: Range<Int>, of N: Int) -> SequenceTargets {
    guard isEveryStep else { return rows(range) }
    let steps = N > 0 ? rowCount / N : 0
    return rows(
      in: (0..<steps).lazy.map { $0 * N + range.lowerBound..<$0 * N + range.upperBound })
  }

  /// The targets of the steps `range` of N sequences. Targets of whole sequences are unchanged.
  public func steps(_ range: Range<Int>, of N: Int) -> SequenceTargets {
    isEveryStep ? rows(range.lowerBound * N..<range.upperBound * N) : self
  }

  /// These rows followed by the rows of other targets of the same kind.
  public func appending(_ other: SequenceTargets) -> SequenceTargets {
    precondition(other.kind == kind, "\(other.kind.name) after \(kind.name)")
    return SequenceTargets(kind, whole: whole + other.whole, numbers: numbers + other.numbers)
  }

  /// The same targets with another number of outputs, such as more classes; the width must not
  /// change.
  public func with(outputs: Int) -> SequenceTargets {
    SequenceTargets(kind.with(outputs: outputs), whole: whole, numbers: numbers)
  }
}
