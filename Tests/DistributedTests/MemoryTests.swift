// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A run that does not fit into memory is refused before it allocates any. The message has its size
/// and the keys to lower.
@Suite(.serialized) struct MemoryTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let settings: [String]
    /// The texts of the line, in order.
    let words: [String]
    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "activations",
      settings: [
        "dataset.steps=1000000", "batch_size=100000", "dataset.train_count=100000",
        "model.hidden_size=512",
      ],
      words: [
        "the activations of T=1000000 steps and N=100000 sequences",
        "lower batch_size or model.hidden_size, or set model.recompute_every=1000",
      ]),
    Case(
      name: "activations that are kept by the thousand",
      settings: [
        "dataset.steps=1000000", "batch_size=100000", "dataset.train_count=100000",
        "model.hidden_size=512", "model.recompute_every=1000",
      ], words: ["the activations of", "lower batch_size or model.hidden_size"]),
    Case(
      name: "matrices", settings: ["model.hidden_size=65536", "model.layers=64"],
      words: ["the recurrent matrices", "lower model.hidden_size or model.layers"]),
    Case(
      name: "orthogonal matrices",
      settings: ["model.hidden_size=65536", "model.cell=momentum_dtriv"],
      words: ["the bases of orthogonal matrices", "lower model.hidden_size"]),
    Case(
      name: "gradients of many shards",
      settings: ["model.hidden_size=1024", "shards=4096", "batch_size=4096", "dataset.steps=2"],
      words: ["the parameters and the gradients of", "or shards"]),
    Case(
      name: "both directions of long sequences",
      settings: [
        "dataset.steps=500000", "batch_size=50000", "dataset.train_count=50000",
        "model.bidirectional=true", "model.pooling=mean",
      ], words: ["the activations of T=500000", "lower batch_size"]),
  ]

  @Test(arguments: cases, [1, 2]) func isRefusedWithItsSize(_ item: Case, ranks: Int) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run"] + item.settings.flatMap { ["--set", $0] }, ranks: ranks,
        in: folder, deadline: 60)
      #expect(outcome.status == 78, "\(outcome.errors)")
      #expect(outcome.ownErrors.count == 1, "\(outcome.errors)")
      for word in item.words { #expect(outcome.message.contains(word), "\(outcome.errors)") }
      #expect(outcome.message.contains("this run needs"), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
    }
  }

  @Test func absurdSizesAreNoValues() throws {
    try Places.withTemporaryFolder { folder in
      for setting in [
        "model.hidden_size=10000000000", "model.hidden_size=99999999999999999999",
        "batch_size=9223372036854775807", "model.layers=9223372036854775807",
        "dataset.steps=9223372036854775807", "shards=9223372036854775807",
      ] {
        let outcome = try Program.run(["train", "--set", setting], in: folder, deadline: 20)
        #expect(outcome.status == 78, "\(setting): \(outcome.errors)")
        #expect(outcome.ownErrors.count == 1, "\(setting): \(outcome.errors)")
        #expect(outcome.message.contains("expected a whole number"), "\(outcome.errors)")
      }
    }
  }

  /// The smallest limit counts for one process.
  @Test func theLimitOfAProcessCounts() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.bash(
        "ulimit -v 4000000; exec $PROGRAM \"$@\"",
        ["train", "--set", "model.hidden_size=4000", "--set", "model.layers=8"], in: folder)
      #expect(outcome.status == 78 && outcome.ownErrors.count == 1, "\(outcome.errors)")
      #expect(outcome.message.contains("ulimit -v on"), "\(outcome.errors)")
    }
  }

  /// The estimate is a lower bound. If an allocation still fails, the program reports it and ends
  /// all ranks. Here the limit is set after the run has started.
  @Test(arguments: [[0], [1], [0, 1]]) func anAllocationThatFailsEndsInOneLine(
    limited: [Int]
  ) throws {
    try Places.withTemporaryFolder { folder in
      let log = "\(folder)/errors"
      func errors() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
      let outcome = try Program.run(
        [
          "train", "--set", "model.hidden_size=256", "--set", "dataset.steps=1000", "--set",
          "epochs=1", "--output", "run",
        ], ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=delay:3@0#1,train.step=delay:3@1#1"],
        errorsFile: log
      ) {
        #expect(
          Waiting.until {
            errors().contains("holds rank 0") && errors().contains("holds rank 1")
          })
        for process in RunningProcess.all(in: folder)
        where process.rank.map(limited.contains) == true && process.name == "momentum-dist" {
          try Self.limit(process.number)
        }
      }
      // A rank that has memory may also report that the other one is gone.
      let lines = errors().split(separator: "\n").filter { $0.contains("more bytes of memory") }
      #expect(outcome.status == 78 && lines.count == 1, "\(errors())")
      #expect(!errors().contains("Fatal error"), "\(errors())")
    }
  }

  /// Leaves a process some megabytes more than it has.
  private static func limit(_ process: Int32) throws {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmSize:") })
    let kilobytes = try #require(line.split(separator: " ").compactMap { Int($0) }.first)
    let prlimit = Process()
    prlimit.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    prlimit.arguments = ["prlimit", "--pid", "\(process)", "--as=\((kilobytes + 60_000) * 1024)"]
    try prlimit.run()
    prlimit.waitUntilExit()
    #expect(prlimit.terminationStatus == 0)
  }
}
