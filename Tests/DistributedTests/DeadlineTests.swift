// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Lost and late peers: every rank ends in bounded time and reports who is missing, and no process
/// remains.
@Suite(.serialized) struct DeadlineTests {
  /// A long run, with a wait of at most 2 s for a peer.
  static let arguments = [
    "train", "--output", "run", "--set", "model.hidden_size=5", "--set", "dataset.steps=7",
    "--set", "batch_size=21", "--set", "dataset.train_count=215",
    "--set", "dataset.validation_count=30", "--set", "epochs=1000000",
    "--set", "log.every_steps=1", "--set", "peer_timeout=2",
  ]

  /// Runs on 3 ranks. A hang is ended after 60 s and fails.
  static func run(
    failpoints: String = "", _ more: [String] = [],
    errorsFile: String? = nil, meanwhile: (String) throws -> Void = { _ in },
    _ check: (Program.Outcome) throws -> Void
  ) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        arguments + more, ranks: 3, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": failpoints], deadline: 60,
        errorsFile: errorsFile
      ) { try meanwhile(folder) }
      try check(outcome)
      expectNoProcess(in: folder)
    }
  }

  /// Processes that mpirun ends may take a moment to disappear.
  static func expectNoProcess(
    in folder: String, but others: Set<String> = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    func left() -> [RunningProcess] {
      RunningProcess.all(in: folder).filter { !others.contains($0.name) }
    }
    for _ in 0..<100 where !left().isEmpty { Thread.sleep(forTimeInterval: 0.1) }
    let left = left()
    #expect(left.isEmpty, "processes stay", sourceLocation: sourceLocation)
    for process in left { process.signal(SIGKILL) }
  }

  /// Waits until a run has made some steps.
  static func waitForSteps(in folder: String) throws {
    let hasSteps = Waiting.until {
      let text = FileManager.default.contents(atPath: "\(folder)/run/metrics.jsonl") ?? Data()
      return text.split(separator: 10).count > 20
    }
    #expect(hasSteps, "the run made no steps")
  }

  /// Signals a rank, or mpirun if it is nil, once the run has made some steps.
  static func signal(_ signal: Int32, rank: Int?, in folder: String) throws {
    try waitForSteps(in: folder)
    // mpirun is called orterun in Open MPI 4, prterun in 5.
    let names = rank == nil ? ["orterun", "prterun", "prte"] : ["momentum-dist"]
    let process = RunningProcess.all(in: folder).first {
      $0.rank == rank && names.contains($0.name)
    }
    try #require(process, "\(RunningProcess.all(in: folder))").signal(signal)
  }

  /// The lines of the ranks, by rank.
  static func lines(_ outcome: Program.Outcome) -> [Int: String] {
    let lines = outcome.message.split(separator: "\n").compactMap { line -> (Int, String)? in
      let text = line.dropFirst("momentum-dist: rank ".count)
      return Int(text.prefix { $0.isNumber }).map { ($0, String(line)) }
    }
    return Dictionary(lines) { first, _ in first }
  }

  static let host = ProcessInfo.processInfo.hostName

  @Test func aRankStuckInReadingDataIsNamedByAll() throws {
    try Self.run(failpoints: "data.read=delay:100@1#30") { outcome in
      #expect(outcome.status == 76, "\(outcome.errors)")
      let lines = Self.lines(outcome)
      for rank in [0, 2] {
        let line = try #require(lines[rank], "\(outcome.errors)")
        #expect(line.contains("waited 2 s"), "\(line)")
        #expect(line.contains("rank 1 on \(Self.host) is stuck in reading data, step "), "\(line)")
      }
      #expect(lines[1]?.contains("kept the others waiting (reading data, step ") == true)
    }
  }

  @Test func aRankStuckInSavingIsNamed() throws {
    try Self.run(
      failpoints: "checkpoint.shard.write=delay:100@2#1",
      ["--set", "checkpoint.every_steps=5", "--set", "checkpoint.timeout=3"]
    ) { outcome in
      #expect(outcome.status == 76, "\(outcome.errors)")
      #expect(
        outcome.message.contains("rank 2 on \(Self.host) is stuck in saving, step "),
        "\(outcome.errors)")
    }
  }

  /// Rank 0 commits and prunes alone while the others wait; a slow disk is not a lost peer.
  @Test(arguments: ["checkpoint.prune", "checkpoint.manifest", "checkpoint.shard.sync"])
  func aSaveLongerThanThePeerTimeoutIsWaitedFor(point: String) throws {
    try Self.run(
      failpoints: "\(point)=delay:5#2",
      [
        "--set", "checkpoint.every_steps=5", "--set", "checkpoint.background=false",
        "--set", "checkpoint.keep_last=1", "--max-steps", "20",
      ]
    ) { outcome in
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  @Test func aStoppedRankIsNamed() throws {
    try Self.run(meanwhile: { try Self.signal(SIGSTOP, rank: 1, in: $0) }) { outcome in
      #expect(outcome.status == 76, "\(outcome.errors)")
      let lines = Self.lines(outcome)
      for rank in [0, 2] {
        let line = try #require(lines[rank], "\(outcome.errors)")
        #expect(line.contains("rank 1 on \(Self.host) has been silent for "), "\(line)")
        #expect(line.contains("(last seen "), "\(line)")
      }
      // mpirun wakes it up to end it, and it knows that the others were not late. Open MPI 5 kills
      // it before it can say so.
      #expect(
        lines[1]?.contains("rank 1 on \(Self.host) was stopped for ") ?? !OtherMPI.mpirunWaits,
        "\(outcome.errors)")
    }
  }

  @Test func aKilledRankIsNamed() throws {
    try Self.run(meanwhile: { try Self.signal(SIGKILL, rank: 2, in: $0) }) { outcome in
      #expect(outcome.status == 128 + SIGKILL, "mpirun's own: \(outcome.errors)")
      #expect(
        outcome.message.contains("the process of rank 2 on \(Self.host) is gone"),
        "\(outcome.errors)")
    }
  }

  /// Each rank detects by itself that mpirun is gone. Their output goes to a file. A line to
  /// mpirun, which no longer reads, would also end a rank, and the others with it.
  @Test func withoutMpirunNoRankStays() throws {
    var said = ""
    try Self.run(
      errorsFile: "errors",
      meanwhile: { folder in
        try Self.signal(SIGKILL, rank: nil, in: folder)
        Self.expectNoProcess(in: folder, but: ["timeout"])
        said = try String(contentsOfFile: "\(folder)/errors", encoding: .utf8)
      }
    ) { outcome in
      #expect(outcome.status != 0)
      for rank in 0..<3 {
        #expect(
          said.contains("rank \(rank) on \(Self.host): its launcher, such as mpirun, is gone"))
      }
    }
  }

  /// Neither a wait below the limit nor a stop of the whole run ends a rank.
  @Test func whoIsSlowButComesBackIsWaitedFor() throws {
    try Self.run(
      failpoints: "data.read=delay:1@1#20", ["--max-steps", "40"],
      meanwhile: { folder in
        try Self.signal(0, rank: 0, in: folder)
        let ranks = RunningProcess.all(in: folder).filter { $0.rank != nil }
        for rank in ranks { rank.signal(SIGSTOP) }
        Thread.sleep(forTimeInterval: 3)
        for rank in ranks { rank.signal(SIGCONT) }
      }
    ) { outcome in
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }
}
