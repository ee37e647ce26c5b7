// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// SIGKILL at random instants, to one rank or to all, each time resumed on another number of ranks,
/// until the run ends with the bits of the undisturbed one.
///
/// A kill counts if it happened after the first complete checkpoint, in a run that had resumed
/// after the kill before. A run has resumed when a later start names the checkpoint that it
/// continues from. Kills before the first checkpoint and during the start of a resumed run are
/// counted separately, and drawn again.
///
/// The environment variable MOMENTUM_DIST_KILLS sets how many kills count (6 without it), and
/// MOMENTUM_DIST_SEED where they fall.
@Suite(.serialized) struct KillCampaignTests {
  static func number(_ name: String, _ usual: Int) -> Int {
    Int(ProcessInfo.processInfo.environment[name] ?? "") ?? usual
  }

  /// The runs: shuffled batches with a ragged last one; orthogonal matrices on streamed data; a
  /// language model with dropout, random chunks, carried state and averages.
  enum Kind: String, CaseIterable {
    case generated, streamed, language

    var settings: [String] {
      let own =
        switch self {
        case .generated:
          [
            "model.hidden_size=3", "dataset.steps=5", "batch_size=8", "dataset.train_count=91",
            "dataset.validation_count=24",
          ]
        case .streamed:
          [
            "model.cell=momentum_dtriv", "model.hidden_size=4", "model.rebase_every=3",
            "batch_size=9", "dataset.file=adding.h5", "dataset.memory=0",
          ]
        case .language:
          [
            "dataset.task=language_model", "dataset.file=text.h5", "batch_size=9",
            "model.cell=adam_lstm", "model.layers=2", "model.hidden_size=6",
            "language_model.embedding_size=5", "language_model.chunk_length=12",
            "language_model.random_chunks=true", "language_model.evaluation_columns=3",
            "optimizer.name=sgd", "optimizer.learning_rate=1", "optimizer.clip_norm=0.25",
            "optimizer.averaging_window=1", "dataset.memory=0",
          ]
        }
      let common = ["epochs=100", "checkpoint.every_steps=3", "checkpoint.keep_last=2"]
      return (own + common).flatMap { ["--set", $0] } + ["--max-steps", "60"]
    }
  }

  /// The result of the campaign.
  struct Tally {
    var kills = 0
    var resumed = 0
    var beforeFirstCheckpoint = 0
    var inStart = 0
    var runs: [Kind: Int] = [:]
    var ranks: [Int: Int] = [:]

    var text: String {
      let kinds = Kind.allCases.map { "\($0.rawValue) \(runs[$0] ?? 0)" }.joined(separator: ", ")
      let resumes = ranks.keys.sorted().map { "\($0): \(ranks[$0]!)" }.joined(separator: ", ")
      return "\(resumed) of \(kills) kills resumed from a checkpoint; counted apart:"
        + " \(beforeFirstCheckpoint) before the first checkpoint, \(inStart) in the start of a"
        + " resumed run; runs that ended with the bits of the undisturbed one: \(kinds);"
        + " resumes by ranks: \(resumes)"
    }
  }

  static func prepare(in folder: String) throws {
    let sizes = ["--steps", "5", "--train", "95", "--test", "8", "--validation", "20"]
    let adding = try Program.run(["prepare", "adding", "--to", "adding.h5"] + sizes, in: folder)
    #expect(adding.status == 0, "\(adding.errors)")
    try LanguageModelTests.prepare(in: folder)
  }

  @Test func everyKillLosesNothing() throws {
    var random = Numbers(state: UInt64(Self.number("MOMENTUM_DIST_SEED", 1)))
    let kills = Self.number("MOMENTUM_DIST_KILLS", 6)
    var tally = Tally()
    try Places.withTemporaryFolder { folder in
      try Self.prepare(in: folder)
      var expected: [Kind: (digest: String, metrics: [String])] = [:]
      var number = 0
      while tally.kills < kills || number % Kind.allCases.count != 0 {
        let kind = Kind.allCases[number % Kind.allCases.count]
        if expected[kind] == nil {
          let whole = try Program.run(
            ["train", "--output", "whole-\(kind)"] + kind.settings, ranks: 1, in: folder)
          try #require(whole.status == 0, "\(whole.errors)")
          expected[kind] = (
            try RankCountTests.digest("whole-\(kind)", in: folder),
            try RankCountTests.metrics("whole-\(kind)", in: folder)
          )
        }
        let run = "run\(number)"
        // Runs take turns even in a short campaign.
        let share = min(kills - tally.kills, max(2, kills / 20))
        try Self.disturb(run, kind, kills: share, &random, &tally, in: folder)
        #expect(try RankCountTests.digest(run, in: folder) == expected[kind]?.digest, "\(run)")
        #expect(try RankCountTests.metrics(run, in: folder) == expected[kind]?.metrics, "\(run)")
        tally.runs[kind, default: 0] += 1
        number += 1
        try FileManager.default.removeItem(atPath: "\(folder)/\(run)")
      }
    }
    print(tally.text)
    #expect(tally.resumed == tally.kills && tally.kills >= kills, "\(tally.text)")
  }

  /// Runs to the end, with at most this many kills.
  static func disturb(
    _ run: String, _ kind: Kind, kills: Int, _ random: inout Numbers, _ tally: inout Tally,
    in folder: String
  ) throws {
    var left = kills
    var isOwed = false  // a resume after the last kill
    var tries = 0
    while true {
      tries += 1
      try #require(tries < 40 + 4 * kills, "\(run) gets nowhere")
      let saved = latest(run, in: folder)
      let ranks = 1 + Int(random.next() % 8)
      let delay = Double(random.next() % 1000) / 1000
      let takesAll = random.next() % 3 == 0
      let victim = Int(random.next() % 8)
      // One in eight may happen during the start, the others after it.
      let since = random.next() % 8 == 0 ? "" : saved == nil ? "train.step holds" : "resuming from"
      let outcome = try Program.run(
        ["train", "--output", run] + (saved == nil ? [] : ["--resume"]) + kind.settings,
        ranks: ranks, in: folder,
        // Slow steps, or a run would end before the kill.
        environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=delay:0.02@0"],
        killing: { left == 0 ? [] : takesAll ? Array(0..<$0) : [victim % $0] },
        after: left == 0 ? 0 : delay, since: left == 0 ? "" : since)
      if let saved {
        if let step = resumedStep(outcome.errors) {
          #expect(step >= saved, "\(run): \(outcome.errors)")
          if isOwed { tally.resumed += 1 }
          if isOwed { tally.ranks[ranks, default: 0] += 1 }
          isOwed = false
        } else {
          // It was killed before it said so. The other ranks may have reported the loss and nothing
          // else.
          let lines = outcome.message.split(separator: "\n")
          #expect(
            lines.allSatisfy { $0.hasSuffix("ended on every rank; start again with --resume") },
            "\(run): \(outcome.errors)")
          tally.inStart += 1
          continue
        }
      }
      if outcome.status == 0 {
        #expect(!isOwed)
        return
      }
      // Regardless of where it was killed, its leftovers cause no error. mpirun may or may not
      // report the signal: it is killed if it hangs, and on a busy machine the other ranks may have
      // ended before it noticed.
      #expect(
        outcome.errors.contains("signal 9") || outcome.status == 9
          || outcome.status == 76 && outcome.errors.contains("gone (last seen")
          || outcome.status == 76 && outcome.errors.contains("gave up on rank"),
        "\(run): \(outcome.errors)")
      #expect(!outcome.message.contains("checkpoint"), "\(outcome.errors)")
      if latest(run, in: folder) == nil {
        tally.beforeFirstCheckpoint += 1
        try? FileManager.default.removeItem(atPath: "\(folder)/\(run)")
      } else {
        tally.kills += 1
        left -= 1
        isOwed = true
      }
    }
  }

  /// The step of the checkpoint that `latest` points at.
  static func latest(_ run: String, in folder: String) -> Int? {
    let link = "\(folder)/\(run)/checkpoints/latest"
    guard FileManager.default.fileExists(atPath: "\(link)/manifest.json"),
      let name = try? FileManager.default.destinationOfSymbolicLink(atPath: link)
    else { return nil }
    return Int(name.dropFirst("step-".count))
  }

  /// The step that a run says it continues from.
  static func resumedStep(_ errors: String) -> Int? {
    errors.firstMatch(of: /resuming from [^\n]*: step ([0-9]+), epoch/).flatMap { Int($0.1) }
  }
}

/// SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
struct Numbers {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
