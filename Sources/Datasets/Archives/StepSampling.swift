// SPDX-License-Identifier: Apache-2.0

import Files
import RandomNumbers

/// Which steps of a file's sequence were kept, and when they happened.
public struct SequenceSteps: Sendable, Equatable {
  /// Their numbers in the file, from 0; nil if all were kept.
  private(set) var numbers: [Int]?
  /// Their times from the file; nil if it has none.
  private(set) var stamps: [Double]?

  init(stamps: [Double]? = nil) {
    self.stamps = stamps
  }

  /// Keeps some of the steps, by their positions among those that were kept so far.
  mutating func keep(_ places: [Int]) {
    let (numbers, stamps) = (numbers, stamps)
    self.numbers = places.map { numbers?[$0] ?? $0 }
    self.stamps = stamps.map { stamps in places.map { stamps[$0] } }
  }

  /// The number in the file of the step at a position.
  func number(_ place: Int) -> Int { numbers?[place] ?? place }

  /// The time of each of `count` steps from the file or, without times, their numbers in the file.
  func times(_ count: Int) -> [Double] {
    stamps ?? (0..<count).map { Double(number($0)) }
  }
}

/// Selects the steps of sequences to keep, for training and evaluation at different rates or at
/// irregular times.
public struct StepSampling: Sendable {
  /// Keeps the steps 0, k, 2k ... of each training sequence, as the file numbers them.
  public var trainEvery = 1
  /// The same for test sequences.
  public var testEvery = 1
  /// The share of the remaining steps of each sequence that is left out at random. At least one
  /// step is kept.
  public var dropShare = 0.0
  /// Chooses the steps that are left out.
  public var seed: UInt64 = 1

  public init() {}

  /// The positions of the steps of a sequence to keep.
  ///
  /// - Parameter site: makes the random choices of the parts independent
  fileprivate func places(
    of steps: SequenceSteps, count: Int, every: Int, sequence: Int, site: Int
  ) -> [Int] {
    let places = (0..<count).filter { steps.number($0) % every == 0 }
    let dropped = min(Int(dropShare * Double(places.count)), places.count - 1)
    guard dropped > 0 else { return places }
    var stream = RandomStream(seed: seed, purpose: .dropout, site: site, index: sequence)
    return stream.permutation(places.count)[dropped...].sorted().map { places[$0] }
  }
}

extension SequenceArchive {
  /// The archive with some steps of its sequences. A sequence without a remaining step is left out.
  public func sampled(_ sampling: StepSampling) throws(DatasetError) -> SequenceArchive {
    let parts = [
      (part: train, name: "training", every: sampling.trainEvery),
      (part: test, name: "test", every: sampling.testEvery),
    ]
    var (sampled, notes): ([Part], [String]) = ([], notes)
    for (site, (part, name, every)) in parts.enumerated() {
      guard every > 1 || sampling.dropShare > 0 else {
        sampled.append(part)
        continue
      }
      let (kept, emptied) = self.sampled(part, sampling, every: every, site: site)
      sampled.append(kept)
      notes.append(
        "\(name) part: \(kept.stepCount(features)) of \(part.stepCount(features)) steps kept"
          + (every > 1 ? ", one in \(every)" : "")
          + (sampling.dropShare > 0
            ? ", a share of \(sampling.dropShare) left out at random (seed \(sampling.seed))" : "")
          + (emptied > 0 ? "; \(counted(emptied, "sequence")) without a step left out" : ""))
    }
    var archive = try SequenceArchive(
      path, features: features, classNames: classNames, target: target, train: sampled[0],
      test: sampled[1])
    (archive.notes, archive.hasUnknownDates) = (notes, hasUnknownDates)
    return archive
  }

  private func sampled(
    _ part: Part, _ sampling: StepSampling, every: Int, site: Int
  ) -> (part: Part, emptied: Int) {
    var kept = Part()
    for (index, sequence) in part.sequences.enumerated() {
      var steps = part.steps(of: index)
      let places = sampling.places(
        of: steps, count: sequence.count / features, every: every, sequence: index, site: site)
      guard !places.isEmpty else { continue }
      steps.keep(places)
      kept.sequences.append(
        places.flatMap { sequence[$0 * features..<($0 + 1) * features] })
      if !part.classes.isEmpty { kept.classes.append(part.classes[index]) }
      if !part.stepClasses.isEmpty {
        kept.stepClasses.append(places.map { part.stepClasses[index][$0] })
      }
      if !part.labels.isEmpty { kept.labels.append(part.labels[index]) }
      let K = part.values.count / part.sequences.count
      kept.values += part.values[index * K..<(index + 1) * K]
      kept.steps.append(steps)
    }
    return (kept, part.sequences.count - kept.sequences.count)
  }
}

extension SequenceArchive.Part {
  fileprivate func stepCount(_ features: Int) -> Int {
    sequences.reduce(0) { $0 + $1.count } / features
  }
}
