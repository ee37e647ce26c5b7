// SPDX-License-Identifier: Apache-2.0

import Reports
import Testing
import Training

@Suite struct SweepPlanTests {
  private func trials(
    _ axes: [String], count: Int? = nil, seed: UInt64 = 1
  ) throws -> [String] {
    let axes = try axes.map { text throws(RunFailure) in try SweepAxis(text) }
    return try SweepPlan.trials(axes, count: count, seed: seed).map { trial in
      trial.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }
  }

  @Test func listsGiveEveryCombination() throws {
    #expect(
      try trials(["a=1,2", "b=[3,4],5,x"]) == [
        "a=1 b=[3,4]", "a=1 b=5", "a=1 b=x", "a=2 b=[3,4]", "a=2 b=5", "a=2 b=x",
      ])
  }

  /// Drawn combinations differ from each other, and more trials begin with the same.
  @Test func listsAreDrawnWithoutRepetition() throws {
    let axes = ["a=1,2,3,4", "b=1,2,3"]
    let drawn = try trials(axes, count: 7)
    #expect(Set(drawn).count == 7)
    #expect(try drawn != Array(trials(axes).prefix(7)))
    #expect(Array(try trials(axes, count: 9).prefix(7)) == drawn)
    #expect(try trials(axes, count: 7, seed: 2) != drawn)
    #expect(try trials(axes, count: 100).count == 12)
  }

  @Test func rangesAreDrawnWithin() throws {
    let drawn = try trials(["rate=1e-4..1e-2:log", "size=2..4", "share=0.5..1"], count: 400)
    var (below, sizes) = (0, [0, 0, 0, 0, 0])
    for trial in drawn {
      let values = trial.split(separator: " ").map { $0.split(separator: "=")[1] }
      let (rate, share) = (try #require(Double(values[0])), try #require(Double(values[2])))
      #expect((1e-4...1e-2).contains(rate) && (0.5...1).contains(share))
      if rate < 1e-3 { below += 1 }
      sizes[try #require(Int(values[1]))] += 1
    }
    // Half of the logarithms, and a third of the numbers each, within five deviations.
    #expect((150...250).contains(below), "\(below)")
    #expect(sizes[2...4].allSatisfy { (85...181).contains($0) }, "\(sizes)")
  }

  /// A path with two dots in it is no range, and the ends of a range are within it.
  @Test func oddValues() throws {
    #expect(try trials(["file=../a.h5,../b.h5"]) == ["file=../a.h5", "file=../b.h5"])
    let large = "9007199254740990..9007199254740992"
    #expect(try trials(["seed=\(large)"], count: 20).count == 20)
    for trial in try trials(["mu=0.9..0.99999"], count: 200) {
      #expect(try #require(Double(trial.dropFirst(3))) <= 0.99999, "\(trial)")
    }
  }

  @Test(arguments: [
    (["a"], "give key=a,b,c"), (["a=1,"], "empty"), (["a=1,1"], "twice"), (["a=1..x"], "numbers"),
    (["a=2..1"], "lower one"), (["a=0..1:log"], "above 0"), (["a=1,2", "a=3"], "twice"),
    (["a=1..2"], "--trials"), (["seed=0..9223372036854775807"], "within"),
  ])
  func mistakesAreNamed(_ axes: [String], _ words: String) {
    #expect {
      try trials(axes)
    } throws: { error in
      guard let failure = error as? RunFailure else { return false }
      return failure.status == .usage && "\(failure)".contains(words)
    }
  }

  @Test func rungsEndWithAllEpochs() {
    #expect(SweepPlan.rungs(epochs: 27, trials: 9, factor: 3) == [3, 9, 27])
    #expect(SweepPlan.rungs(epochs: 2, trials: 9, factor: 3) == [2])
    #expect(SweepPlan.rungs(epochs: 10, trials: 4, factor: nil) == [10])
    #expect(SweepPlan.rungs(epochs: 100, trials: 2, factor: 2) == [50, 100])
  }
}
