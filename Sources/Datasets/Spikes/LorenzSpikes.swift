// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomNumbers

/// Spike counts of neurons whose rates follow the Lorenz system, like the data of the first papers
/// on LFADS and the Neural Data Transformer (Sussillo et al. 2016, arXiv:1608.06315; Pandarinath et
/// al. 2018, doi:10.1038/s41592-018-0109-9; Ye and Pandarinath 2021,
/// doi:10.1101/2021.01.16.426955).
///
/// Each condition is one initial state (x, y, z), drawn from N(0, 1), N(0, 1) and 25 + N(0, 1).
/// From it the system takes Euler steps of `timeStep`, one per bin:
///
///     x' = σ (y - x)      y' = x (ρ - z) - y      z' = x y - β z
///
/// After `transient` steps the trial begins. Each coordinate is normalised over all conditions and
/// bins to mean 0 and deviation 1, z̃. Neuron n has weights w from U(-1, 1) and the rate
///
///     r_n(t) = rate · exp(w · z̃(t)) / mean over conditions and bins of exp(w · z̃)
///
/// per second. Trials of one condition have the same rates. A count is drawn from the Poisson
/// distribution of the rate times the length of a bin.
///
/// Every random number depends only on the seed and its index: initial states on the condition,
/// weights on the neuron, counts on the trial and the neuron. More trials or neurons do not change
/// the numbers of the others.
public struct LorenzSpikes: Sendable {
  /// The number of initial states.
  public var conditions = 20
  /// The number of trials of each condition.
  public var trials = 40
  /// T, bins of a trial.
  public var steps = 100
  /// C.
  public var neurons = 60
  /// The length of a bin.
  public var binSeconds = 0.01
  /// The mean rate of each neuron in Hz.
  public var rate = 5.0
  /// σ.
  public var sigma = 10.0
  /// ρ.
  public var rho = 28.0
  /// β.
  public var beta = 8.0 / 3
  /// The system's time between two bins.
  public var timeStep = 0.006
  /// The number of steps before a trial begins.
  public var transient = 500
  /// Chooses initial states, weights and counts.
  public var seed: UInt64 = 1

  public init() {}

  private enum Site {
    static let state = 1
    static let weights = 2
    static let counts = 3
  }

  /// Generates the trials of all conditions, one condition after the other.
  ///
  /// - Throws: if the system or the rates diverge with these parameters
  func generate() throws(DatasetError) -> SpikeTrials {
    let latents = (0..<conditions).flatMap { states(of: $0) }
    guard latents.allSatisfy(\.isFinite) else { throw unbounded("the system leaves all bounds") }
    let expected = rates(standardised(latents))
    guard let largest = expected.max(), largest.isFinite, largest < 10_000 else {
      throw unbounded("rates leave all bounds")
    }
    let size = steps * neurons
    var counts: [UInt16] = []
    var rates: [Float] = []
    for trial in 0..<conditions * trials {
      let start = trial / trials * size
      var own = [UInt16](repeating: 0, count: size)
      for neuron in 0..<neurons {
        var stream = RandomStream(
          seed: seed, purpose: .generatedData, site: Site.counts, step: trial, index: neuron)
        for step in 0..<steps {
          let place = step * neurons + neuron
          own[place] = UInt16(clamping: poisson(expected[start + place], &stream))
        }
      }
      counts += own
      rates += expected[start..<start + size].map { Float($0) }
    }
    return SpikeTrials(
      trials: conditions * trials, steps: steps, neurons: neurons, counts: counts, rates: rates)
  }

  /// The states of a condition, [T, 3].
  func states(of condition: Int) -> [Double] {
    var stream = RandomStream(
      seed: seed, purpose: .generatedData, site: Site.state, index: condition)
    var (x, y, z) = (stream.normal(), stream.normal(), 25 + stream.normal())
    var states: [Double] = []
    for step in 0..<transient + steps {
      if step >= transient { states += [x, y, z] }
      let (dx, dy, dz) = (sigma * (y - x), x * (rho - z) - y, x * y - beta * z)
      (x, y, z) = (x + timeStep * dx, y + timeStep * dy, z + timeStep * dz)
    }
    return states
  }

  /// Normalises each coordinate to mean 0 and deviation 1. A coordinate that never changes becomes
  /// 0.
  private func standardised(_ states: [Double]) -> [Double] {
    let count = Double(states.count / 3)
    var result = states
    for axis in 0..<3 {
      let places = stride(from: axis, to: states.count, by: 3)
      let mean = places.reduce(0) { $0 + states[$1] } / count
      let variance = places.reduce(0) { $0 + (states[$1] - mean) * (states[$1] - mean) } / count
      let scale = variance > 0 ? 1 / variance.squareRoot() : 0
      for place in places { result[place] = (states[place] - mean) * scale }
    }
    return result
  }

  /// Expected counts per bin, [conditions, T, C].
  private func rates(_ latents: [Double]) -> [Double] {
    let bins = latents.count / 3
    var rates = [Double](repeating: 0, count: bins * neurons)
    for neuron in 0..<neurons {
      var stream = RandomStream(
        seed: seed, purpose: .generatedData, site: Site.weights, index: neuron)
      let weights = (0..<3).map { _ in stream.uniform(in: -1..<1) }
      var sum = 0.0
      for bin in 0..<bins {
        let drive = (0..<3).reduce(0) { $0 + weights[$1] * latents[bin * 3 + $1] }
        rates[bin * neurons + neuron] = exp(drive)
        sum += exp(drive)
      }
      let scale = rate * binSeconds * Double(bins) / sum
      for bin in 0..<bins { rates[bin * neurons + neuron] *= scale }
    }
    return rates
  }

  /// A Poisson number by inversion of its distribution function. Large means are split into pieces
  /// of at most 16.
  private func poisson(_ mean: Double, _ stream: inout RandomStream) -> Int {
    var count = 0
    var left = mean
    repeat {
      let piece = min(left, 16)
      left -= piece
      let chance = stream.uniform()
      var probability = exp(-piece)
      var sum = probability
      var own = 0
      // The sum may end just below 1, so the count is bounded.
      while chance >= sum, own < 200 {
        own += 1
        probability *= piece / Double(own)
        sum += probability
      }
      count += own
    } while left > 0
    return count
  }

  private func unbounded(_ problem: String) -> DatasetError {
    DatasetError(
      "prepare lorenz", problem,
      cure: "choose smaller --rho, --sigma, --dt, --rate or --bin-ms")
  }
}

extension SpikeArchive {
  /// Generates trials. The last ones of each condition become the validation and test parts.
  public static func lorenz(
    _ system: LorenzSpikes, _ options: SpikeOptions
  ) throws(DatasetError) -> SpikeArchive {
    let all = try system.generate()
    let counts = [options.validationShare, options.testShare].map { share in
      share > 0 ? max(Int((share * Double(system.trials)).rounded()), 1) : 0
    }
    guard counts[0] + counts[1] < system.trials else {
      throw DatasetError(
        "prepare lorenz", "\(system.trials) trials of a condition are too few for all parts",
        cure: "give more with --trials, or lower --validation-share")
    }
    func part(_ trials: Range<Int>) -> SpikeTrials {
      all.chosen(
        (0..<system.conditions).flatMap { condition in
          trials.map { condition * system.trials + $0 }
        })
    }
    let ends = [system.trials - counts[0] - counts[1], system.trials - counts[1], system.trials]
    var parts: [DatasetFile.Part: SpikeTrials] = [.train: part(0..<ends[0])]
    if counts[0] > 0 { parts[.validation] = part(ends[0]..<ends[1]) }
    if counts[1] > 0 { parts[.test] = part(ends[1]..<ends[2]) }
    var archive = SpikeArchive("prepare lorenz", kind: "Lorenz system", parts: parts)
    archive.binSeconds = system.binSeconds
    try archive.holdOut(options)
    return archive
  }
}
