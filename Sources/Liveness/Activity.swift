// SPDX-License-Identifier: Apache-2.0

/// What a rank is doing, as other ranks see it.
public enum Phase: UInt8, Sendable, CaseIterable {
  /// Before the first step, including opening the data set.
  case starting
  /// Reading the next batch.
  case readingData
  /// Forward and backward pass, and the optimizer.
  case computing
  /// Summing gradients over the ranks.
  case reducing
  /// Comparing the parameters of the ranks.
  case comparingReplicas
  /// Measuring a whole part of the data, such as validation.
  case validating
  /// Writing a checkpoint.
  case saving
  /// Leaving MPI: the command is done.
  case ending
  /// Computing a step of another rank again.
  case auditing
  /// Without work, until the ranks of other trials are done.
  case awaitingTrials

  /// The phase in a report, as in "rank 2 is reading data".
  public var text: String {
    switch self {
    case .starting: "starting"
    case .readingData: "reading data"
    case .computing: "computing"
    case .reducing: "reducing"
    case .comparingReplicas: "comparing replicas"
    case .validating: "validating"
    case .saving: "saving"
    case .ending: "ending"
    case .auditing: "auditing"
    case .awaitingTrials: "waiting for other trials"
    }
  }
}

/// A phase, and the optimizer step that it belongs to.
struct Activity: Hashable, Sendable, CustomStringConvertible {
  var phase: Phase
  var step: Int

  /// "reducing step 41"
  var description: String { step > 0 ? "\(phase.text), step \(step)" : phase.text }

  /// The phase and the step in one word, so that threads can share it without a lock.
  var packed: UInt64 { UInt64(phase.rawValue) << 56 | UInt64(step) & (1 << 56 - 1) }

  init(_ phase: Phase, step: Int) {
    self.phase = phase
    self.step = step
  }

  init(packed: UInt64) {
    phase = Phase(rawValue: UInt8(packed >> 56)) ?? .starting
    step = Int(packed & (1 << 56 - 1))
  }
}
