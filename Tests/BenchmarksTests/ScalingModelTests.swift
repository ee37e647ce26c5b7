// SPDX-License-Identifier: Apache-2.0

import Benchmarks
import Testing

@Suite struct ScalingModelTests {
  /// P = 1000 bytes in K buckets.
  private func model(
    buckets: Int = 1, add: Double = 0, ranksPerHost: Int = 4, inside: (Double, Double) = (0, 0),
    between: (Double, Double) = (0, 0)
  ) -> ScalingModel {
    ScalingModel(
      gradientBytes: 1000, buckets: buckets, addSecondsPerByte: add, ranksPerHost: ranksPerHost,
      inside: LinkSpeed(latency: inside.0, secondsPerByte: inside.1),
      between: LinkSpeed(latency: between.0, secondsPerByte: between.1))
  }

  @Test func oneRankSumsNothing() {
    let model = model(add: 1, inside: (1, 1), between: (1, 1))
    #expect(model.reductionSeconds(ranks: 1) == 0)
  }

  /// 2 (n-1)/n P bytes. Those of the steps inside a host use its link.
  @Test(arguments: [2, 4, 8, 64]) func bytesAreThoseOfHalvingAndDoubling(n: Int) {
    let all = model(inside: (0, 1), between: (0, 1)).reductionSeconds(ranks: n)
    #expect(abs(all - 2 * 1000 * Double(n - 1) / Double(n)) < 1e-9)
    let outside = model(between: (0, 1)).reductionSeconds(ranks: n)
    #expect(abs(outside - (n > 4 ? 2 * 1000 * (0.25 - 1 / Double(n)) : 0)) < 1e-9)
  }

  @Test func everyBucketTakesEveryStepTwice() {
    let model = model(buckets: 3, inside: (1, 0), between: (10, 0))
    #expect(model.reductionSeconds(ranks: 2) == 7)
    #expect(model.reductionSeconds(ranks: 16) == 2 * 7 + 2 * 70)
  }

  @Test func whatArrivesOnTheWayUpIsAdded() {
    #expect(model(add: 1).reductionSeconds(ranks: 8) == 500 + 250 + 125)
  }

  @Test func hostsAreFilled() {
    let model = model()
    #expect([1, 4, 5, 512].map { model.hosts(ranks: $0) } == [1, 1, 2, 128])
  }
}
