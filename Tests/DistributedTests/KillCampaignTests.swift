import Foundation
import TestSupport
import Testing

/// SIGKILL to one rank of a run at random instants, each time resumed on another number of ranks.
///
/// The environment variable MOMENTUM_DIST_KILLS sets how many kills there are (6 without it), and
/// MOMENTUM_DIST_SEED where they fall.
@Suite(.serialized) struct KillCampaignTests {
  static func number(_ name: String, _ usual: Int) -> Int {
    Int(ProcessInfo.processInfo.environment[name] ?? "") ?? usual
  }

  static let arguments = [
    "--set", "model.hidden_size=3", "--set", "dataset.steps=5", "--set", "batch_size=8",
    "--set", "dataset.train_count=88", "--set", "dataset.validation_count=24",
    "--set", "epochs=100", "--set", "checkpoint.every_steps=3", "--set", "checkpoint.keep_last=2",
    "--max-steps", "60",
  ]

  @Test func everyKillLosesNothing() throws {
    var random = Numbers(state: UInt64(Self.number("MOMENTUM_DIST_SEED", 1)))
    let kills = Self.number("MOMENTUM_DIST_KILLS", 6)
    try Places.withTemporaryFolder { folder in
      let whole = try Program.run(
        ["train", "--output", "whole"] + Self.arguments, ranks: 1, in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      let expected = try RankCountTests.digest("whole", in: folder)
      let metrics = try RankCountTests.metrics("whole", in: folder)
      var killed = 0
      var finished = 0
      while killed < kills || finished == 0 {
        let ranks = 1 + Int(random.next() % 8)
        let run = "run\(finished)"
        let isBegun = FileManager.default.fileExists(
          atPath: "\(folder)/\(run)/checkpoints/latest")
        // Slow steps, or a run would end before the kill.
        let delay = 0.3 + Double(random.next() % 1500) / 1000
        let victim = Int(random.next() % 8)
        let outcome = try Program.run(
          ["train", "--output", run] + (isBegun ? ["--resume"] : []) + Self.arguments,
          ranks: ranks, in: folder,
          environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=delay:0.02@0"],
          killingAfter: killed < kills ? delay : 20) { victim % $0 }
        if outcome.status == 0 {
          finished += 1
          #expect(try RankCountTests.digest(run, in: folder) == expected, "\(run), kill \(killed)")
          #expect(try RankCountTests.metrics(run, in: folder) == metrics, "\(run), kill \(killed)")
          try FileManager.default.removeItem(atPath: "\(folder)/\(run)")
        } else {
          // Whatever it was killed in, nobody complains of what it left.
          #expect(
            outcome.errors.contains("signal 9") || outcome.message.isEmpty
              || outcome.message.contains("peer") || outcome.message.contains("lost"),
            "\(outcome.errors)")
          #expect(!outcome.message.contains("checkpoint"), "\(outcome.errors)")
          killed += 1
        }
      }
      print("\(killed) kills, \(finished) runs ended with the bits of the undisturbed run")
    }
  }
}

/// SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
private struct Numbers {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
