// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomNumbers
import TestSupport
import Testing

/// A seeded random search over configurations. None may trap, and its distribution over ranks and
/// threads may not change a bit.
///
/// `MOMENTUM_DIST_SEARCH=600` searches for ten minutes instead of one, `MOMENTUM_DIST_SEED` chooses
/// the configurations.
@Suite(.serialized) struct RandomSearchTests {
  @Test func noConfigurationTrapsOrChangesABit() throws {
    let environment = ProcessInfo.processInfo.environment
    let seconds = Double(environment["MOMENTUM_DIST_SEARCH"] ?? "") ?? 60
    let seed = UInt64(environment["MOMENTUM_DIST_SEED"] ?? "") ?? 1
    let end = ContinuousClock().now + .seconds(seconds)
    var (tried, refused) = (0, 0)
    try Places.withTemporaryFolder { folder in
      try SearchCase.prepare(in: folder)
      while ContinuousClock().now < end {
        var stream = RandomStream(seed: seed, purpose: .testing, index: tried)
        let search = SearchCase(&stream)
        tried += 1
        let outcome = try search.run(in: folder, tried)
        if outcome == .refused { refused += 1 }
      }
    }
    print("random search, seed \(seed): \(tried) configurations, \(refused) of them refused")
    #expect(tried > refused, "nothing was trained")
  }
}

/// One configuration, and one way to distribute it.
private struct SearchCase {
  enum Outcome { case trained, refused }

  /// Settings that decide the bits.
  var settings: [String] = []
  /// Settings that must not change them.
  var spread: [String] = []
  var ranks: Int

  private static let tasks = ["adding", "copying", "ragged", "language_model"]
  private static let cells = [
    "rnn_tanh", "lstm", "gru", "momentum_rnn", "momentum_lstm", "momentum_gru", "adam_lstm",
    "rmsprop_lstm", "nag_lstm", "srlstm", "dtriv", "momentum_dtriv", "srdtriv",
  ]

  init(_ stream: inout RandomStream) {
    func one<T>(of choices: [T]) -> T { choices[stream.below(choices.count)] }
    func within(_ range: ClosedRange<Int>) -> Int {
      range.lowerBound + stream.below(range.count)
    }
    var own: [(String, String)] = []
    var free: [(String, String)] = []
    let task = one(of: Self.tasks)
    let shards = within(1...8)
    ranks = within(min(shards, 2)...min(shards, 4))
    // Each shard has a row in a whole batch; the last one of an epoch is often too short for that.
    let batch = within(shards...shards + 6)
    own += [
      ("shards", "\(shards)"), ("batch_size", "\(batch)"), ("epochs", "\(within(1...2))"),
      ("model.cell", one(of: Self.cells)), ("model.hidden_size", "\(within(1...9))"),
      ("model.layers", "\(within(1...3))"), ("optimizer.name", one(of: ["adam", "sgd"])),
      ("optimizer.clip_norm", one(of: ["0", "0.5"])), ("seed", "\(within(1...5))"),
    ]
    switch task {
    case "ragged":
      own += [
        ("dataset.task", "classification"), ("dataset.file", "ragged.h5"),
        ("dataset.validation_count", "\(within(0...5))"),
        ("model.bidirectional", one(of: ["true", "false"])),
        ("model.pooling", one(of: ["last", "mean"])),
      ]
    case "language_model":
      own += [
        ("dataset.task", task), ("dataset.file", "text.h5"),
        ("language_model.embedding_size", "\(within(1...9))"),
        ("language_model.chunk_length", "\(within(2...9))"),
        ("language_model.random_chunks", one(of: ["true", "false"])),
        ("language_model.tied", "false"),
      ]
      free += [("sparse_rows", one(of: ["auto", "on", "off"]))]
    default:
      own += [
        ("dataset.task", task), ("dataset.steps", "\(within(2...9))"),
        ("dataset.train_count", "\(batch * within(1...3) + within(0...2))"),
        ("dataset.validation_count", "\(within(0...9))"),
      ]
      if task == "copying" { own += [("dataset.symbols", "\(within(1...3))")] }
    }
    free += [
      ("threads", "\(within(1...3))"), ("overlap", one(of: ["on", "off", "auto"])),
      ("audit", one(of: ["0", "0.5", "1"])),
      ("dataset.memory", one(of: ["0", "1024"])),
      ("bucket_bytes", one(of: ["4", "100", "1048576"])),
      ("model.recompute_every", "\(within(0...3))"),
      ("optimizer.split_state", one(of: ["true", "false"])),
      ("checkpoint.every_steps", "\(within(0...4))"),
      ("checkpoint.background", one(of: ["true", "false"])),
    ]
    func arguments(_ keys: [(String, String)]) -> [String] {
      keys.flatMap { ["--set", "\($0)=\($1)"] }
    }
    (settings, spread) = (arguments(own), arguments(free))
  }

  /// Makes the files that some configurations read.
  static func prepare(in folder: String) throws {
    var (archive, text) = ("@problemName r\n@univariate false\n@classLabel true a b c\n@data\n", "")
    var stream = RandomStream(seed: 1, purpose: .testing)
    for row in 0..<23 {
      let length = 1 + stream.below(7)
      let values = (0..<2).map { _ in
        (0..<length).map { _ in "\(stream.below(100))" }.joined(separator: ",")
      }
      archive += values.joined(separator: ":") + ":" + ["a", "b", "c"][row % 3] + "\n"
    }
    for _ in 0..<60 {
      text += (0..<4).map { _ in "w\(stream.below(20))" }.joined(separator: " ") + "\n"
    }
    for (name, content) in [("r/r_TRAIN.ts", archive), ("r/r_TEST.ts", archive), ("t.txt", text)] {
      let path = "\(folder)/\(name)"
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try content.write(toFile: path, atomically: true, encoding: .utf8)
    }
    for arguments in [
      ["ts", "--from", "r", "--to", "ragged.h5"], ["text", "--from", "t.txt", "--to", "text.h5"],
    ] {
      let outcome = try Program.run(["prepare"] + arguments, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  /// Trains on one rank and distributed, and compares.
  func run(in folder: String, _ number: Int) throws -> Outcome {
    let (alone, apart) = ("alone\(number)", "apart\(number)")
    defer {
      for run in [alone, apart] { try? FileManager.default.removeItem(atPath: "\(folder)/\(run)") }
    }
    let train = ["train", "--set", "log.every_steps=1", "--max-steps", "6"] + settings
    let first = try Program.run(train + ["--output", alone], in: folder, deadline: 60)
    let second = try Program.run(
      train + ["--output", apart] + spread, ranks: ranks, in: folder, deadline: 60)
    let what =
      "\(settings.joined(separator: " ")); \(ranks) ranks, \(spread.joined(separator: " "))"
    #expect(first.status == second.status, "\(what): \(first.errors) \(second.errors)")
    guard first.status == 0, second.status == 0 else {
      #expect([65, 78].contains(first.status), "\(what): \(first.errors)")
      #expect(first.message.split(separator: "\n").count == 1, "\(what): \(first.errors)")
      return .refused
    }
    #expect(
      try RankCountTests.digest(alone, in: folder) == RankCountTests.digest(apart, in: folder),
      "\(what)")
    #expect(
      try RankCountTests.metrics(alone, in: folder) == RankCountTests.metrics(apart, in: folder),
      "\(what)")
    return .trained
  }
}
