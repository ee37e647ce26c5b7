// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Reports

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

  /// Records of older versions do not say what all trials share.
  @Test func anOldRecordIsRead() throws {
    try Places.withTemporaryFolder { folder in
      var sweep = record([[3], [1]], rungs: [2], factor: 1)
      try sweep.write(to: folder)
      #expect(SweepRecord(at: folder)?.trials.count == 2)
      sweep.base = "epochs: 3"
      let old = try #require(SweepRecord(at: folder))
      #expect(sweep.isOfSameTrials(as: old) && old.isOfSameTrials(as: sweep))
      var other = sweep
      other.base = "epochs: 4"
      #expect(!other.isOfSameTrials(as: sweep))
    }
  }

  @Test func theTableNamesTheBestFirst() throws {
    var sweep = record([[0.75], [0.5]], rungs: [3], factor: 1)
    sweep.trials[1].state = .finished
    sweep.trials[1].step = 12
    sweep.trials[1].values = ["validation_loss": 0.5, "validation_balanced_accuracy": 0.25]
    #expect(
      sweep.table() == """
        trial      state     step  k  best loss  validation balanced accuracy
        trial-002  finished  12    1  0.5000     0.2500
        trial-001  waiting   –     0  0.7500     –
        """)
    #expect(
      sweep.table(columns: 60) == """
        trial      state     step  k  best loss
        trial-002  finished  12    1  0.5000
        trial-001  waiting   –     0  0.7500
        no room for: validation balanced accuracy
        """)
  }

  /// Of labels that would overlap only one is drawn; the ends of an axis come first.
  @Test func labelsOfTheFigureDoNotOverlap() throws {
    var sweep = record([[1], [1.001], [2], [3]], rungs: [3], factor: 1)
    for index in sweep.trials.indices { sweep.trials[index].state = .finished }
    let html = ParallelCoordinates(sweep).html
    for label in ["1", "2", "3"] { #expect(html.contains(">\(label)</text>"), "\(label)") }
    #expect(!html.contains(">1.001</text>"))
  }

  /// A line for each finished trial, an axis for each key and one for the result; names of strangers
  /// are text.
  @Test func theFigureShowsTheFinishedTrials() throws {
    var sweep = SweepRecord(
      metric: "accuracy", isLargerBetter: true, rungs: [3], factor: 1,
      trials: [("a", "<b>"), ("1e-2", "c"), ("3", "c")].map {
        [.init(key: "x", value: $0.0), .init(key: "y", value: $0.1)]
      })
    #expect(ParallelCoordinates(sweep).html.isEmpty, "nothing has finished")
    for index in 0..<2 {
      sweep.trials[index].state = .finished
      sweep.trials[index].scores = [-0.25 * Double(index + 1)]
    }
    let html = ParallelCoordinates(sweep).html
    #expect(html.components(separatedBy: "<path").count == 1 + 2)
    #expect(html.components(separatedBy: "class=\"axis\"").count == 1 + 3)
    #expect(html.contains("&lt;b&gt;") && !html.contains("<b>") && html.contains(">0.5</text>"))
    let page = ReportPage([], defaults: [], version: "0", sweeps: [("runs/s", sweep)]).html
    #expect(page.contains("Sweep s") && page.contains("best accuracy"))
  }
}
