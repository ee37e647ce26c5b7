// SPDX-License-Identifier: Apache-2.0

import Files

/// How missing values in a text file are treated.
public enum MissingValues: String, Sendable, CaseIterable {
  /// The first missing value is an error.
  case refuse
  /// A missing value becomes 0, before any normalisation.
  case zero
  /// A missing value becomes the feature's previous value or, before its first value, that first
  /// value.
  case carry
  /// Steps that lack a value are left out, and so are sequences without a complete step.
  case drop
}

/// Fills in missing values, which are NaN, and counts them.
struct MissingValueFiller {
  let policy: MissingValues
  /// C, numbers per step.
  let features: Int
  private(set) var values = 0
  private(set) var sequences = 0
  private(set) var emptied = 0
  /// The steps that remain of the sequence that was filled in last; nil means all.
  private(set) var kept: [Int]?

  init(_ policy: MissingValues, features: Int) {
    self.policy = policy
    self.features = features
  }

  /// Fills in a sequence [T, C].
  ///
  /// - Returns: nil if nothing remains
  /// - Throws: if a feature has no value to carry
  mutating func fill(_ sequence: [Float], at place: String) throws(DatasetError) -> [Float]? {
    kept = nil
    let count = sequence.count { $0.isNaN }
    guard count > 0 else { return sequence }
    values += count
    sequences += 1
    switch policy {
    case .refuse: preconditionFailure("a missing value was not refused")
    case .zero: return sequence.map { $0.isNaN ? 0 : $0 }
    case .carry: return try carry(sequence, place)
    case .drop:
      let steps = (0..<sequence.count / features).filter { step in
        sequence[step * features..<(step + 1) * features].allSatisfy { !$0.isNaN }
      }
      kept = steps
      if steps.isEmpty { emptied += 1 }
      return steps.isEmpty
        ? nil : steps.flatMap { sequence[$0 * features..<($0 + 1) * features] }
    }
  }

  private func carry(_ sequence: [Float], _ place: String) throws(DatasetError) -> [Float] {
    var filled = sequence
    for feature in 0..<features {
      let places = Swift.stride(from: feature, to: sequence.count, by: features)
      guard let first = places.first(where: { !sequence[$0].isNaN }) else {
        throw DatasetError(
          place, "feature \(feature + 1) has no value to carry forward",
          cure: "leave the sequence out, or choose --missing zero or drop")
      }
      var last = sequence[first]
      for place in places {
        if !sequence[place].isNaN { last = sequence[place] }
        filled[place] = last
      }
    }
    return filled
  }

  /// A line about what was done; nil if nothing was missing.
  var note: String? {
    guard values > 0 else { return nil }
    let what =
      switch policy {
      case .refuse: "refused"
      case .zero: "replaced with 0"
      case .carry: "filled from the previous step"
      case .drop: "left out with their steps"
      }
    let left = emptied > 0 ? "; \(counted(emptied, "sequence")) with no complete step left out" : ""
    return "\(counted(values, "missing value")) in \(counted(sequences, "sequence")) \(what)\(left)"
  }
}
