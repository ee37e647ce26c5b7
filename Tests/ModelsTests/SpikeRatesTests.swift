// SPDX-License-Identifier: Apache-2.0

import Foundation
import Models
import Tensors
import TestSupport
import Testing

/// Bits per spike and R² against their definitions.
@Suite struct SpikeRatesTests {
  private let objective = SpikeRates(meanRates: [0.5, 2])
  private let counts: [Int32] = [1, 3, 0, -1, 2, 1]
  private let rates: [Float] = [0.75, 2.5, 0.25, 1.5, 1, 2]
  private let predicted = [0.7, 2.6, 0.3, 1.4, 1.1, 1.9]

  private func totals(_ rows: Range<Int>, rates: [Float]) -> Totals {
    let all = SequenceTargets(.stepCounts(2), whole: counts, rates: rates)
    return objective.totals(
      of: Tensor(
        predicted[rows.lowerBound * 2..<rows.upperBound * 2].map { log($0) },
        shape: [rows.count, 2]),
      all.rows(rows), gradient: nil)
  }

  @Test func metricsFollowTheirDefinitions() {
    let known = counts.indices.filter { counts[$0] >= 0 }
    func likelihood(_ rate: (Int) -> Double) -> Double {
      known.reduce(0) { $0 + Double(counts[$1]) * log(rate($1)) - rate($1) }
    }
    let spikes = known.reduce(0) { $0 + Int(counts[$1]) }
    let bits =
      (likelihood { predicted[$0] } - likelihood { [0.5, 2][$0 % 2] }) / (Double(spikes) * log(2))
    let (error, variation) = (0..<2).reduce(into: ([Double](), [Double]())) { sums, c in
      let own = [c, c + 2, c + 4].filter { counts[$0] >= 0 }
      let mean = own.reduce(0) { $0 + Double(rates[$1]) } / Double(own.count)
      sums.0.append(own.reduce(0) { $0 + pow(Double(rates[$1]) - predicted[$1], 2) })
      sums.1.append(own.reduce(0) { $0 + pow(Double(rates[$1]) - mean, 2) })
    }
    let each = zip(error, variation).map { 1 - $0 / $1 }
    let expected = [
      bits, 1 - (error[0] + error[1]) / (variation[0] + variation[1]), (each[0] + each[1]) / 2,
    ]
    let metrics = objective.metrics(totals(0..<3, rates: rates))
    #expect(metrics.map(\.key) == ["bits_per_spike", "pooled_r2", "median_r2"])
    expectClose(metrics.map(\.value), expected, absolute: 1e-12)
    // In pieces, and without true rates.
    let pieces = totals(0..<1, rates: rates) + totals(1..<3, rates: rates)
    expectClose(objective.metrics(pieces).map(\.value), expected, absolute: 1e-12)
    #expect(objective.metrics(totals(0..<3, rates: [])).map(\.key) == ["bits_per_spike"])
  }

  /// Mean rates have no bits, and a silent neuron no infinity.
  @Test func meanRatesAreTheBaseline() {
    let objective = SpikeRates(meanRates: [0.5, 0])
    let logRates = Tensor([log(0.5), log(1e-9), log(0.5), log(1e-9)], shape: [2, 2])
    let targets = SequenceTargets(.stepCounts(2), whole: [1, 0, 2, 0])
    let metrics = objective.metrics(objective.totals(of: logRates, targets, gradient: nil))
    expectClose(metrics.map(\.value), [0], absolute: 1e-12)
  }

  /// Held-out neurons are judged by themselves: the bits of each kind are those of its columns alone.
  @Test func heldOutNeuronsAreCoSmoothing() {
    let logRates = predicted.map { log($0) }
    let targets = SequenceTargets(.stepCounts(2), whole: counts)
    let split = SpikeRates(meanRates: [0.5, 2], heldOut: 1)
    let metrics = split.metrics(
      split.totals(of: Tensor(logRates, shape: [3, 2]), targets, gradient: nil))
    #expect(metrics.map(\.key) == ["bits_per_spike", "co_smoothing"])
    let expected = (0..<2).map { c -> Double in
      let one = SpikeRates(meanRates: [[0.5, 2][c]])
      let column = stride(from: c, to: 6, by: 2)
      let totals = one.totals(
        of: Tensor(column.map { logRates[$0] }, shape: [3, 1]),
        SequenceTargets(.stepCounts(1), whole: column.map { counts[$0] }), gradient: nil)
      return one.metrics(totals)[0].value
    }
    expectClose(metrics.map(\.value), expected, absolute: 1e-12)
  }
}
