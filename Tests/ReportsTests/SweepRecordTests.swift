import Reports
import Testing

@Suite struct SweepRecordTests {
  private func record(_ scores: [[Double]], rungs: [Int], factor: Int) -> SweepRecord {
    var record = SweepRecord(
      metric: "loss", isLargerBetter: false, rungs: rungs, factor: factor,
      trials: scores.indices.map { [.init(key: "k", value: "\($0)")] })
    for index in scores.indices { record.trials[index].scores = scores[index] }
    return record
  }

  /// The best half of each rung continues; trials without a score, which diverged, do not.
  @Test func theBestContinue() {
    let sweep = record([[3], [1, 0.5], [], [2, 0.9], [4], [5]], rungs: [1, 2, 4], factor: 2)
    #expect(sweep.entrants(of: 0) == [0, 1, 2, 3, 4, 5])
    #expect(sweep.entrants(of: 1) == [0, 1, 3])
    #expect(sweep.entrants(of: 2) == [1, 3])
    #expect(sweep.ranking == [1, 3, 0, 4, 5, 2])
  }

  @Test func theTableNamesTheBestFirst() throws {
    var sweep = record([[0.75], [0.5]], rungs: [3], factor: 1)
    sweep.trials[1].state = .finished
    sweep.trials[1].step = 12
    sweep.trials[1].values = ["validation_loss": 0.5]
    #expect(
      sweep.table == """
        trial      state     step  best loss  validation loss  k
        trial-002  finished  12    0.5000     0.5000           1
        trial-001  waiting   -     0.7500     -                0
        """)
  }
}
