// SPDX-License-Identifier: Apache-2.0

import RandomNumbers
import Foundation

/// The natural logarithm.
func natural(_ x: Double) -> Double { log(x) }

/// A user's spike data, with notes about how they were read.
public struct SpikeArchive: Sendable {
  /// The file, for messages.
  public let path: String
  /// The kind of file, for the user: "LFADS keys in HDF5".
  public internal(set) var kind: String
  /// A part that is absent has no trials.
  public internal(set) var parts: [DatasetFile.Part: SpikeTrials]
  /// The length of a bin; nil while it is unknown.
  public internal(set) var binSeconds: Double?
  /// The neurons that a model must predict without seeing them, by their numbers in the file.
  public internal(set) var heldOut: [Int] = []
  /// The neurons of the file in the order in which they are stored: those held out come last.
  public internal(set) var neuronOrder: [Int] = []
  /// Notes for the user.
  public internal(set) var notes: [String] = []

  init(_ path: String, kind: String, parts: [DatasetFile.Part: SpikeTrials]) {
    (self.path, self.kind, self.parts) = (path, kind, parts)
  }

  /// C, the neurons of every part.
  public var neurons: Int { parts.values.first?.neurons ?? 0 }

  /// The neurons without a spike in the training part, by their numbers in the file.
  public var silent: [Int] {
    guard let sums = parts[.train]?.spikesOfNeurons else { return [] }
    let order = neuronOrder.isEmpty ? Array(sums.indices) : neuronOrder
    return sums.indices.filter { sums[$0] == 0 }.map { order[$0] }.sorted()
  }
}

/// How spike data are read and cut.
public struct SpikeOptions: Sendable {
  /// Which neurons are held out.
  public enum HeldOut: Sendable, Equatable {
    /// Those that the file names, if any.
    case ofFile
    /// This many, drawn at random.
    case count(Int)
    /// Those of these numbers.
    case list([Int])
  }

  /// The unit of true rates.
  public enum RateUnit: String, Sendable, CaseIterable {
    case auto, hz, bin
  }

  /// The array to read, if the file has none of the known names.
  public var dataset: String?
  /// The order of trials, steps and neurons in arrays.
  public var axes = Self.axes
  /// The length of the bins of the result; nil means that of the file.
  public var binSeconds: Double?
  /// The length of the bins of the file, if the file does not have it.
  public var sourceBinSeconds: Double?
  /// The length of a trial; nil means that of the file.
  public var trialSeconds: Double?
  /// The unit of the file's true rates; `auto` decides by the file.
  public var rateUnit = RateUnit.auto
  /// Which neurons are held out.
  public var heldOut = HeldOut.ofFile
  /// The share of trials that becomes the validation part if the file has no parts.
  public var validationShare = 0.2
  /// The share of trials that becomes the test part if the file has no parts.
  public var testShare = 0.0
  /// Chooses what is drawn at random.
  public var seed: UInt64 = 1

  /// The order of LFADS and the Neural Data Transformer.
  public static let axes = ["trials", "steps", "neurons"]

  public init() {}
}

extension SpikeArchive {
  /// Draws the other parts from the training part, if it is the only one.
  mutating func split(_ options: SpikeOptions) throws(DatasetError) {
    guard parts.count == 1, let all = parts[.train] else { return }
    var stream = RandomStream(seed: options.seed, purpose: .validationSplit)
    let order = stream.permutation(all.trials)
    var start = 0
    for (part, share) in [
      (DatasetFile.Part.validation, options.validationShare), (.test, options.testShare),
    ] where share > 0 {
      let count = max(Int((share * Double(all.trials)).rounded()), 1)
      guard start + count < all.trials else {
        throw DatasetError(
          path, "has \(all.trials) trials, too few for its parts",
          cure: "add trials, shorten them with --trial-seconds, or set"
            + " --validation-share 0")
      }
      parts[part] = all.chosen(order[start..<start + count].sorted())
      start += count
    }
    parts[.train] = all.chosen(order[start...].sorted())
  }

  /// Sums bins to the requested length, and cuts trials.
  mutating func rebin(_ options: SpikeOptions) throws(DatasetError) {
    guard let bin = binSeconds else {
      throw DatasetError(
        path, "does not say how long its bins are", cure: "give it with --source-bin-ms")
    }
    var factor = 1
    if let wanted = options.binSeconds {
      factor = Int((wanted / bin).rounded())
      guard factor >= 1, abs(Double(factor) * bin - wanted) < 1e-6 * wanted else {
        throw DatasetError(
          path, "has bins of \(bin * 1000) ms, which do not add up to \(wanted * 1000) ms",
          cure: "choose a multiple for --bin-ms")
      }
    }
    binSeconds = bin * Double(factor)
    for (part, trials) in parts {
      guard let summed = trials.summed(factor), summed.steps > 0 else {
        throw DatasetError(
          path, "has \(trials.steps) bins a trial, which cannot be summed by \(factor)",
          cure: "choose shorter bins with --bin-ms")
      }
      parts[part] = summed
      guard let seconds = options.trialSeconds else { continue }
      let length = Int((seconds / binSeconds!).rounded())
      guard length >= 1, length <= summed.steps else {
        throw DatasetError(
          path, "has trials of \(summed.steps) bins, which cannot be cut to \(length)",
          cure: "choose other trials with --trial-seconds")
      }
      parts[part] = summed.cut(length)
    }
  }

  /// Moves the held-out neurons behind the others.
  mutating func holdOut(_ options: SpikeOptions) throws(DatasetError) {
    switch options.heldOut {
    case .ofFile: break
    case .count(let count):
      var stream = RandomStream(seed: options.seed, purpose: .sampling)
      heldOut = Array(stream.permutation(neurons).prefix(count)).sorted()
      guard heldOut.count == count else { throw tooMany("\(count) neurons cannot be held out") }
    case .list(let list):
      heldOut = Array(Set(list)).sorted()
      if let wrong = heldOut.first(where: { !(0..<neurons).contains($0) }) {
        throw tooMany("there is no neuron \(wrong) to hold out")
      }
    }
    guard heldOut.count < neurons else { throw tooMany("no neuron is left to see") }
    let isHeldOut = Set(heldOut)
    neuronOrder = (0..<neurons).filter { !isHeldOut.contains($0) } + heldOut
    guard neuronOrder != Array(0..<neurons) else { return }
    parts = parts.mapValues { $0.reordered(neuronOrder) }
  }

  private func tooMany(_ problem: String) -> DatasetError {
    DatasetError(
      path, "has \(neurons) neurons, numbered from 0: \(problem)",
      cure: "choose others with --held-out")
  }
}
