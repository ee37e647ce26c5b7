// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Reports

/// The output of `watch` for a run's folder.
@Suite struct RunWatchTests {
  private static let now = ISO8601DateFormatter().date(from: "2026-01-02T03:10:05Z")!

  private func log(_ rank: Int, of ranks: Int, reduction: Double) -> [String] {
    [
      "2026-01-02T03:04:00Z  rank \(rank) of \(ranks), process 7 on node\(rank); virtual shards 0 to 3,"
        + " avx2 kernels, OpenBLAS for Zen, overlap off; from step 0",
      "2026-01-02T03:05:00Z  step 40: 1.25 s, data 1.0 %, compute 80.0 %, reduction \(reduction) %,"
        + " checkpoint 0.5 %, memory 31.0 MB",
      "2026-01-02T03:05:01Z  epoch 3 validated in .2 s",
    ]
  }

  private func write(
    _ folder: String, logs: [[String]], metrics: [String] = [], saved: [Int] = []
  ) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: "\(folder)/logs", withIntermediateDirectories: true)
    for (rank, lines) in logs.enumerated() {
      try (lines.joined(separator: "\n") + "\n").write(
        toFile: "\(folder)/logs/rank-0000\(rank).log", atomically: true, encoding: .utf8)
    }
    try metrics.joined(separator: "\n").write(
      toFile: "\(folder)/metrics.jsonl", atomically: true, encoding: .utf8)
    for step in saved {
      let path = "\(folder)/checkpoints/step-000000\(step)"
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
      try "{}".write(toFile: "\(path)/manifest.json", atomically: true, encoding: .utf8)
    }
  }

  private let metrics = [
    #"{"step": 30, "epoch": 3, "split": "validation", "loss": 0.75, "accuracy": 0.5, "chance_loss": 2}"#,
    #"{"step": 40, "epoch": 4, "split": "train", "loss": 0.5, "gradient_norm": 3, "learning_rate": 0.25, "sequences_per_second": 125.0, "seconds": 9, "share_data": 0.1}"#,
    #"{"step": 44, "ep"#,
  ]

  @Test func aRunInProgress() throws {
    try Places.withTemporaryFolder { folder in
      try write(
        folder, logs: [log(0, of: 2, reduction: 17.5), log(1, of: 2, reduction: 3)],
        metrics: metrics, saved: [20, 40])
      let watch = try RunWatch(folder)
      #expect(watch.ending == nil && watch.slowest == 1)
      let lines = watch.text(at: Self.now).split(separator: "\n").map(String.init)
      try #require(lines.count == 6)
      #expect(lines[0] == "\(folder)  last line of a rank 5 min ago")
      #expect(
        lines[1] == "train       step 40  epoch 4  loss 0.5000  gradient norm 3.000"
          + "  learning rate 0.2500  speed 125.0 sequences/s")
      #expect(lines[2] == "validation  step 30  epoch 3  loss 0.7500  accuracy 0.5000")
      #expect(lines[3].hasPrefix("checkpoint  step 40, "))
      #expect(
        lines[4]
          == "rank 0      step 40  data 1.00 %  compute 80.0 %  reduction 17.5 %"
          + "  checkpoint 0.500 %  on node0")
      #expect(lines[5].hasSuffix("on node1  <- the others wait for this rank"))
    }
  }

  /// The page that is served marks the slowest rank as the terminal does; ranks that wait equally long
  /// have no mark.
  @Test func thePageMarksTheSlowestRank() throws {
    try Places.withTemporaryFolder { folder in
      func page(_ reductions: [Double]) throws -> String {
        try write(
          folder,
          logs: reductions.enumerated().map { log($0, of: reductions.count, reduction: $1) })
        return LiveState(try RunWatch(folder).text(at: Self.now), every: 2).html
      }
      let marked = try page([17.5, 3])
      let lines = marked.split(separator: "\n")
      #expect(lines.count { $0.contains("<strong>") } == 1, "\(marked)")
      #expect(
        lines.last?.contains(
          /^<strong>rank 1 .*on node1  &lt;- the others wait for this rank<\/strong><\/pre>$/)
          == true, "\(marked)")
      let equal = try page([3.5, 3])
      #expect(!equal.contains("<strong>") && !equal.contains("wait for this rank"), "\(equal)")
    }
  }

  /// Only rank 0's last line counts, and only what follows the last start.
  @Test(arguments: [
    ("finished at step 90", true), ("stopped early at step 90", true),
    ("stopped by a signal at step 90", true), ("failed at step 90: x: y; z", true),
    ("the checkpoint of step 90 is whole", false),
  ])
  func theEndIsWhatRankZeroSays(line: String, isEnding: Bool) throws {
    try Places.withTemporaryFolder { folder in
      let end = ["2026-01-02T03:06:00Z  \(line)"]
      try write(folder, logs: [log(0, of: 1, reduction: 0) + end])
      #expect(try RunWatch(folder).ending == (isEnding ? line : nil))
      try write(folder, logs: [log(0, of: 1, reduction: 0) + end + log(0, of: 1, reduction: 0)])
      #expect(try RunWatch(folder).ending == nil)
    }
  }

  /// A run that resumed on one rank, and one with many ranks, which shows the slowest.
  @Test func ranksOfTheLastStart() throws {
    try Places.withTemporaryFolder { folder in
      try write(folder, logs: [log(0, of: 1, reduction: 0), log(1, of: 2, reduction: 3)])
      #expect(try RunWatch(folder).ranks.map(\.number) == [0])
      try write(folder, logs: (0..<6).map { log($0, of: 6, reduction: Double(20 - $0)) })
      let lines = try RunWatch(folder).text(at: Self.now, ranks: 2).split(separator: "\n")
      #expect(lines.suffix(3).map { $0.prefix(6) } == ["rank 5", "rank 4", "and 4 "])
    }
  }

  @Test func longFilesAreReadFromTheirEnd() throws {
    try Places.withTemporaryFolder { folder in
      let many = (1...20_000).map {
        #"{"step": \#($0), "epoch": 1, "split": "train", "loss": 0.125}"#
      }
      let steps = (1...5000).map { "2026-01-02T03:05:00Z  step \($0): 1 s, data 1.0 %" }
      try write(
        folder, logs: [log(0, of: 1, reduction: 0) + steps], metrics: many + ["{\"step\": 2"])
      let watch = try RunWatch(folder)
      #expect(watch.training?.step == 20_000)
      #expect(watch.ranks.first?.step == 5000)
    }
  }

  @Test func whatIsNoRun() throws {
    try Places.withTemporaryFolder { folder in
      #expect(throws: ReportError.self) { try RunWatch("\(folder)/nothing") }
      #expect(throws: ReportError.self) { try RunWatch(folder) }
      // A pipe instead of a file is not waited for.
      try FileManager.default.createDirectory(
        atPath: "\(folder)/logs", withIntermediateDirectories: false)
      try #require(mkfifo("\(folder)/metrics.jsonl", 0o600) == 0)
      try #require(mkfifo("\(folder)/logs/rank-00000.log", 0o600) == 0)
      let watch = try RunWatch(folder)
      #expect(watch.text(at: Self.now).contains("nothing recorded yet"))
    }
  }
}
