// SPDX-License-Identifier: Apache-2.0

/// Spike counts of the trials of one part, and the rates that they were drawn from if those are known.
public struct SpikeTrials: Sendable, Equatable {
  /// N.
  public internal(set) var trials: Int
  /// T, bins of a trial.
  public internal(set) var steps: Int
  /// C.
  public internal(set) var neurons: Int
  /// Counts [N, T, C].
  public internal(set) var counts: [UInt16]
  /// Expected counts per bin [N, T, C].
  public internal(set) var rates: [Float]?

  init(trials: Int, steps: Int, neurons: Int, counts: [UInt16], rates: [Float]? = nil) {
    precondition(counts.count == trials * steps * neurons, "\(counts.count) counts")
    (self.trials, self.steps, self.neurons) = (trials, steps, neurons)
    (self.counts, self.rates) = (counts, rates)
  }

  /// The number of spikes.
  public var spikes: Int { counts.reduce(0) { $0 + Int($1) } }

  /// The number of spikes of each neuron.
  public var spikesOfNeurons: [Int] {
    var sums = [Int](repeating: 0, count: neurons)
    for (place, count) in counts.enumerated() { sums[place % neurons] += Int(count) }
    return sums
  }

  /// The bits per spike by which the rates are better than each neuron's mean count: Σ (k log₂(r /
  /// m) - (r - m) / ln 2) / Σ k, over all bins. Nil without rates or spikes.
  public var bitsPerSpikeOfRates: Double? {
    guard let rates, spikes > 0 else { return nil }
    let means = spikesOfNeurons.map { Double($0) / Double(trials * steps) }
    var nats = 0.0
    for (place, count) in counts.enumerated() {
      let (rate, mean) = (Double(rates[place]), means[place % neurons])
      guard mean > 0 else {
        nats -= rate
        continue
      }
      nats += Double(count) * natural(rate / mean) - (rate - mean)
    }
    return nats / natural(2) / Double(spikes)
  }

  /// Only these trials, in this order.
  func chosen(_ indices: [Int]) -> SpikeTrials {
    func rows<Number>(_ all: [Number]) -> [Number] {
      indices.flatMap { all[$0 * steps * neurons..<($0 + 1) * steps * neurons] }
    }
    return SpikeTrials(
      trials: indices.count, steps: steps, neurons: neurons, counts: rows(counts),
      rates: rates.map(rows))
  }

  /// The neurons in another order.
  func reordered(_ order: [Int]) -> SpikeTrials {
    func columns<Number>(_ all: [Number]) -> [Number] {
      (0..<all.count).map { all[$0 / neurons * neurons + order[$0 % neurons]] }
    }
    var result = self
    result.counts = columns(counts)
    result.rates = rates.map(columns)
    return result
  }

  /// The sums of `factor` bins each. A remainder at the end of a trial is cut off.
  ///
  /// - Returns: nil if a sum does not fit in 16 bits
  func summed(_ factor: Int) -> SpikeTrials? {
    guard factor > 1 else { return self }
    let bins = steps / factor
    var sums = [Int](repeating: 0, count: trials * bins * neurons)
    var rateSums = rates.map { _ in [Float](repeating: 0, count: sums.count) }
    for trial in 0..<trials {
      for step in 0..<bins * factor {
        let from = (trial * steps + step) * neurons
        let to = (trial * bins + step / factor) * neurons
        for neuron in 0..<neurons {
          sums[to + neuron] += Int(counts[from + neuron])
          if let rates { rateSums![to + neuron] += rates[from + neuron] }
        }
      }
    }
    guard sums.allSatisfy({ $0 <= UInt16.max }) else { return nil }
    return SpikeTrials(
      trials: trials, steps: bins, neurons: neurons, counts: sums.map { UInt16($0) },
      rates: rateSums)
  }

  /// The trials cut into shorter ones of `length` bins each. A remainder at the end is cut off.
  func cut(_ length: Int) -> SpikeTrials {
    let pieces = steps / length
    func rows<Number>(_ all: [Number]) -> [Number] {
      (0..<trials).flatMap { trial in
        let start = trial * steps * neurons
        return all[start..<start + pieces * length * neurons]
      }
    }
    return SpikeTrials(
      trials: trials * pieces, steps: length, neurons: neurons, counts: rows(counts),
      rates: rates.map(rows))
  }
}
