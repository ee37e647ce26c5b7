// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Runs of the program at several rank counts, which must agree to the last bit.
@Suite(.serialized) struct RankCountTests {
  /// Small, but with a ragged last batch (3 of 8 shards empty) and validation.
  static let arguments =
    anyTask + [
      "--set", "dataset.steps=7", "--set", "dataset.train_count=215",
    ]

  /// Those that a run on a file has as well.
  private static let anyTask = [
    "--set", "model.hidden_size=5", "--set", "batch_size=21",
    "--set", "dataset.validation_count=30", "--set", "epochs=10", "--set", "log.every_steps=4",
  ]

  static func train(
    _ run: String, ranks: Int?, in folder: String, _ more: [String],
    environment: [String: String] = [:]
  ) throws -> Program.Outcome {
    let own = more.contains { $0.hasPrefix("dataset.file=") } ? anyTask : arguments
    return try Program.run(
      ["train", "--output", run] + own + more, ranks: ranks, in: folder, environment: environment)
  }

  static func digest(_ run: String, in folder: String) throws -> String {
    let outcome = try Program.run(["inspect", run, "--json", "--verify"], in: folder)
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return try #require((object as? [String: Any])?["parameters_sha256"] as? String)
  }

  /// The losses and norms of a run's metrics, which must not depend on the rank count; times do.
  static func metrics(_ run: String, in folder: String) throws -> [String] {
    try String(contentsOfFile: "\(folder)/\(run)/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").map { line in
        let end = line.range(of: ", \"sequences_per_second\"")?.lowerBound ?? line.endIndex
        return String(line[..<end])
      }
  }

  @Test(arguments: [1, 2, 3, 4, 8]) func collectives(ranks: Int) throws {
    try Places.withTemporaryFolder { folder in
      // Its own alarm ends it first, which allows for a loaded machine.
      let outcome = try Program.run(
        [], of: "mpi-checks", ranks: ranks, in: folder, deadline: 1000)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("checks passed on \(ranks) ranks"))
    }
  }

  @Test func theBitsAreTheSameAtAnyRankCountAndAfterAnyResume() throws {
    try Places.withTemporaryFolder { folder in
      let steps = ["--max-steps", "50"]
      #expect(try Self.train("alone", ranks: nil, in: folder, steps).status == 0)
      let expected = try Self.digest("alone", in: folder)
      let expectedMetrics = try Self.metrics("alone", in: folder)
      // Every fourth step, the ends of epochs between two of them, and four validations.
      #expect(expectedMetrics.count == 12 + 3 + 4)
      for ranks in [1, 2, 3, 4, 5, 6, 7, 8] {
        let outcome = try Self.train("r\(ranks)", ranks: ranks, in: folder, steps)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try Self.digest("r\(ranks)", in: folder) == expected, "\(ranks) ranks")
        #expect(try Self.metrics("r\(ranks)", in: folder) == expectedMetrics, "\(ranks) ranks")
      }
      // In the middle of an epoch, and of an interval of the log.
      for (before, after) in [(3, 1), (1, 4), (8, 2)] {
        let run = "resumed\(before)-\(after)"
        #expect(
          try Self.train(run, ranks: before, in: folder, ["--max-steps", "23"]).status == 0)
        #expect(try Self.digest(run, in: folder) != expected, "23 steps are not 50")
        let outcome = try Self.train(run, ranks: after, in: folder, steps + ["--resume"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try Self.digest(run, in: folder) == expected, "\(run)")
        #expect(try Self.metrics(run, in: folder) == expectedMetrics, "\(run)")
      }
    }
  }

  /// Threads within ranks, with and without a thread that sums, and a resume with other numbers.
  @Test func theBitsAreTheSameAtAnyThreadCount() throws {
    try Places.withTemporaryFolder { folder in
      let settings = ["--max-steps", "30", "--set", "model.layers=2"]
      #expect(try Self.train("alone", ranks: nil, in: folder, settings).status == 0)
      let expected = try Self.digest("alone", in: folder)
      let metrics = try Self.metrics("alone", in: folder)
      for (ranks, threads) in [(1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 2)] {
        let run = "r\(ranks)-\(threads)"
        let more = ["--threads", "\(threads)", "--set", "overlap=\(threads == 2 ? "on" : "off")"]
        let outcome = try Self.train(run, ranks: ranks, in: folder, settings + more)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let ranksText = ranks == 1 ? "1 rank" : "\(ranks) ranks"
        let threadsText = threads == 1 ? "1 thread" : "\(threads) threads"
        #expect(outcome.errors.contains("; \(ranksText) x \(threadsText),"), "\(outcome.errors)")
        #expect(try Self.digest(run, in: folder) == expected, "\(run)")
        #expect(try Self.metrics(run, in: folder) == metrics, "\(run)")
      }
      let start = try Self.train(
        "resumed", ranks: 2, in: folder,
        ["--max-steps", "11", "--set", "model.layers=2", "--threads", "2"])
      #expect(start.status == 0, "\(start.errors)")
      let end = try Self.train("resumed", ranks: 1, in: folder, settings + ["--resume"])
      #expect(end.status == 0, "\(end.errors)")
      #expect(!end.errors.contains("note: threads"), "threads change no numbers")
      #expect(try Self.digest("resumed", in: folder) == expected)
    }
  }

  /// The last batch of the epoch has one sequence, so that a rank has none, with any tasks' targets
  /// and any number of threads.
  @Test(arguments: ["adding", "copying"], [1, 2, 3]) func aRankMayHaveNoRows(
    task: String, threads: Int
  ) throws {
    try Places.withTemporaryFolder { folder in
      let arguments =
        [
          "train", "--set", "dataset.task=\(task)", "--set", "dataset.steps=10", "--set",
          "dataset.train_count=65", "--set",
          "dataset.validation_count=0", "--set", "model.hidden_size=8", "--set", "batch_size=16",
          "--set", "shards=4", "--set", "epochs=1", "--threads", "\(threads)",
        ] + (task == "adding" ? [] : ["--set", "dataset.symbols=2"])
      for (run, ranks) in [("alone", 1), ("apart", 2)] {
        let outcome = try Program.run(arguments + ["--output", run], ranks: ranks, in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      #expect(try Self.digest("alone", in: folder) == Self.digest("apart", in: folder))
    }
  }

  /// Two ranks, or two threads of one, on a single core cause a warning; one alone does not.
  @Test func ranksThatShareACoreAreWarned() throws {
    try Places.withTemporaryFolder { folder in
      let steps = ["--max-steps", "1", "--set", "epochs=1"]
      for (ranks, threads) in [(1, 1), (2, 1), (1, 2)] {
        let arguments = Self.arguments + steps + ["--threads", "\(threads)"]
        let outcome = try Program.run(
          ["train", "--output", "r\(ranks)\(threads)"] + arguments, ranks: ranks, in: folder,
          onCore: 0)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let isTold = outcome.errors.contains(": 2 threads share core 0;")
        #expect(isTold == (ranks * threads > 1), "\(outcome.errors)")
      }
    }
  }

  /// Two layers and a read-out, so that a thread sums some while others are in backward, and
  /// gradients of 14 KB: several buckets, or a part of one. The six settings take turns over the
  /// rank counts.
  @Test func rankCountsBucketsAndOverlapLeaveTheBitsAlone() throws {
    try Places.withTemporaryFolder { folder in
      let settings = [
        "--max-steps", "60", "--set", "model.layers=2", "--set", "model.hidden_size=16",
      ]
      #expect(try Self.train("alone", ranks: nil, in: folder, settings).status == 0)
      let expected = try Self.digest("alone", in: folder)
      let sizes = [4 << 10, 1 << 20, 1 << 40]
      var cases = (1...8).map { (ranks: $0, overlap: $0 % 2 == 0, bytes: sizes[$0 / 2 % 3]) }
      cases += [(3, true, 1000), (4, false, 260), (2, false, 1 << 20)]
      for (ranks, overlap, bytes) in cases {
        let run = "r\(ranks)-\(overlap)-\(bytes)"
        let outcome = try Self.train(
          run, ranks: ranks, in: folder,
          settings
            + ["--set", "overlap=\(overlap ? "on" : "off")", "--set", "bucket_bytes=\(bytes)"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try Self.digest(run, in: folder) == expected, "\(run)")
      }
    }
  }

  /// An orthogonal layer: its base and counters are part of the checkpoint, and rebases and
  /// projections are the same on every rank.
  @Test func orthogonalMatricesAreTheSameEverywhere() throws {
    try Places.withTemporaryFolder { folder in
      let settings = [
        "--set", "model.cell=momentum_dtriv", "--set", "model.rebase_every=3",
        "--set", "model.project_every=2", "--set", "model.layers=2",
      ]
      #expect(
        try Self.train("one", ranks: nil, in: folder, settings + ["--max-steps", "20"]).status == 0)
      let expected = try Self.digest("one", in: folder)
      #expect(
        try Self.train("two", ranks: 3, in: folder, settings + ["--max-steps", "7"]).status == 0)
      let resumed = try Program.run(
        ["train", "--resume", "two", "--max-steps", "20"], ranks: 2, in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(try Self.digest("two", in: folder) == expected)
    }
  }

  /// A class at every step, and sequences of unequal lengths read from a file, in both poolings.
  @Test func generatedTasksAreTheSameEverywhereAndFromFiles() throws {
    try Places.withTemporaryFolder { folder in
      let small = ["--steps", "7", "--train", "215", "--validation", "30", "--test", "20"]
      for task in ["adding", "copying", "denoise"] {
        let settings = ["--set", "dataset.task=\(task)"]
        let steps = ["--max-steps", "15"]
        let symbols = task == "adding" ? [] : ["--set", "dataset.symbols=3"]
        #expect(
          try Self.train(task, ranks: nil, in: folder, settings + symbols + steps).status == 0)
        let expected = try Self.digest(task, in: folder)
        let prepared = try Program.run(
          ["prepare", task, "--to", "\(task).h5"] + small
            + (task == "adding" ? [] : ["--symbols", "3"]), in: folder)
        #expect(prepared.status == 0, "\(prepared.errors)")
        let outcome = try Self.train(
          "\(task)-file", ranks: 3, in: folder,
          settings + steps + ["--set", "dataset.file=\(task).h5"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try Self.digest("\(task)-file", in: folder) == expected, "\(task)")
        #expect(
          try Self.metrics("\(task)-file", in: folder) == Self.metrics(task, in: folder), "\(task)")
      }
    }
  }

  @Test func raggedSequencesAreTheSameEverywhere() throws {
    try Places.withTemporaryFolder { folder in
      // Line i has 1 + i % 5 steps; the class is whether the first number is large.
      let lines = (0..<90).map { i in
        (0..<2 * (1 + i % 5)).map { "\((i * 7 + $0 * 3) % 11)" }.joined(separator: ",")
          + (i * 7 % 11 > 5 ? ",large" : ",small")
      }
      try lines.joined(separator: "\n").write(
        toFile: "\(folder)/t.csv", atomically: true, encoding: .utf8)
      let prepared = try Program.run(
        ["prepare", "csv", "--features", "2", "--from", "t.csv", "--to", "t.h5"], in: folder)
      #expect(prepared.output.contains("72 training and 18 test sequences of 1 to 5 steps, C=2"))
      for pooling in ["last", "mean"] {
        let settings = [
          "--set", "dataset.task=classification", "--set", "dataset.file=t.h5",
          "--set", "dataset.validation_count=20", "--set", "model.pooling=\(pooling)",
          "--max-steps", "15",
        ]
        #expect(try Self.train("\(pooling)1", ranks: nil, in: folder, settings).status == 0)
        #expect(try Self.train("\(pooling)4", ranks: 4, in: folder, settings).status == 0)
        #expect(
          try Self.digest("\(pooling)1", in: folder) == Self.digest("\(pooling)4", in: folder))
        #expect(
          try Self.metrics("\(pooling)1", in: folder) == Self.metrics("\(pooling)4", in: folder))
      }
      #expect(try Self.digest("mean1", in: folder) != Self.digest("last1", in: folder))
    }
  }

  /// Counts over all ranks, with the names of the file.
  @Test func confusionMatricesAreThoseOfAllRanks() throws {
    try Places.withTemporaryFolder { folder in
      let lines = (0..<60).map { "\($0 % 7),\($0 * 3 % 5),\($0 % 3 == 0 ? "yes" : "no")" }
      try lines.joined(separator: "\n").write(
        toFile: "\(folder)/t.csv", atomically: true, encoding: .utf8)
      _ = try Program.run(["prepare", "csv", "--from", "t.csv", "--to", "t.h5"], in: folder)
      _ = try Self.train(
        "run", ranks: 2, in: folder,
        [
          "--set", "dataset.task=classification", "--set", "dataset.file=t.h5", "--set",
          "dataset.validation_count=10", "--max-steps", "4",
        ])
      let outputs = try [1, 3].map { ranks in
        try Program.run(["evaluate", "run", "--json"], ranks: ranks, in: folder).output
      }
      #expect(outputs[0] == outputs[1])
      let object = try JSONSerialization.jsonObject(with: Data(outputs[0].utf8)) as? [String: Any]
      let confusion = try #require(object?["confusion"] as? [[Int]])
      #expect(object?["class_names"] as? [String] == ["no", "yes"])
      #expect(confusion.joined().reduce(0, +) == 12)
      let right = Double(confusion[0][0] + confusion[1][1]) / 12
      #expect(abs((object?["accuracy"] as? Double ?? -1) - right) < 1e-12)
    }
  }

  @Test func anotherSeedMakesAnotherRun() throws {
    try Places.withTemporaryFolder { folder in
      for seed in [1, 2] {
        _ = try Self.train(
          "s\(seed)", ranks: nil, in: folder, ["--max-steps", "2", "--set", "seed=\(seed)"])
      }
      #expect(try Self.digest("s1", in: folder) != Self.digest("s2", in: folder))
    }
  }

  /// A build of HDF5 that is not thread-safe is called by one thread alone: a second one would trap.
  @Test func anHDF5OfOneThreadIsUsedByOneThread() throws {
    try Places.withTemporaryFolder { folder in
      let prepared = try Program.run(
        ["prepare", "adding", "--to", "set.h5", "--steps", "7", "--train", "215", "--test", "8"],
        in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      let streamed = [
        "--set", "dataset.file=set.h5", "--set", "dataset.memory=0", "--max-steps", "30",
        "--set", "checkpoint.every_steps=5",
      ]
      #expect(try Self.train("threads", ranks: 2, in: folder, streamed).status == 0)
      let outcome = try Program.run(
        ["train", "--output", "one"] + Self.anyTask + streamed, ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_HDF5_THREADS": "one"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("was built without thread safety"), "\(outcome.errors)")
      #expect(try Self.digest("one", in: folder) == Self.digest("threads", in: folder))
    }
  }

  /// The ranks compare what they read of the first batch, sequence by sequence.
  @Test func ranksThatReadOtherNumbersAreRefused() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run"] + Self.arguments, ranks: 3, in: folder,
        environment: ["MOMENTUM_DIST_SPOIL_DATA": "1"])
      #expect(outcome.status == 65, "\(outcome.errors)")
      #expect(
        outcome.message.hasPrefix(
          "momentum-dist: rank 1 reads other numbers than rank 0 in sequence "),
        "\(outcome.errors)")
      #expect(outcome.message.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
  }

  @Test func theVendorsReductionLearnsToo() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Self.train(
        "mpi", ranks: 3, in: folder, ["--max-steps", "20", "--set", "reduction=mpi"])
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  @Test func aSignalSavesAndARunGoesOn() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run"] + Self.arguments + ["--set", "epochs=100000"], ranks: 2,
        in: folder, deadline: 4, signal: "USR2")
      #expect(outcome.status == 75)
      #expect(outcome.errors.contains("interrupted by a signal"), "\(outcome.errors)")
      let latest = try FileManager.default.destinationOfSymbolicLink(
        atPath: "\(folder)/run/checkpoints/latest")
      let end = ["--max-steps", String(try #require(Int(latest.dropFirst(5))) + 20)]
      let resumed = try Program.run(
        ["train", "--output", "run", "--resume"] + end, ranks: 3, in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      let whole = try Self.train("whole", ranks: nil, in: folder, ["--set", "epochs=100000"] + end)
      #expect(whole.status == 0, "\(whole.errors)")
      #expect(try Self.digest("run", in: folder) == Self.digest("whole", in: folder))
      #expect(try Self.metrics("run", in: folder) == Self.metrics("whole", in: folder))
    }
  }

  /// An epoch of eleven steps ends between two reports. The run ends after the last of them and
  /// before the epoch's record, in the validation, and by a kill in the validation after a
  /// checkpoint that a signal had asked for.
  @Test(arguments: [
    ("train.step=usr2#11", Int32(75)), ("evaluate.batch=usr2#1", 75),
    ("train.step=usr1#11,evaluate.batch=kill#2", SIGKILL),
  ])
  func aRunThatEndsAtTheEndOfAnEpochGoesOn(failpoints: String, status: Int32) throws {
    try Places.withTemporaryFolder { folder in
      let more = ["--max-steps", "30", "--set", "checkpoint.background=false"]
      let outcome = try Self.train(
        "run", ranks: nil, in: folder, more,
        environment: ["MOMENTUM_DIST_FAILPOINTS": failpoints])
      #expect(outcome.status == status, "\(outcome.errors)")
      let resumed = try Self.train("run", ranks: 2, in: folder, more + ["--resume"])
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(
        resumed.errors.contains("resuming from run/checkpoints/step-00000011: step 11, epoch 1"))
      #expect(try Self.train("whole", ranks: nil, in: folder, more).status == 0)
      #expect(try Self.digest("run", in: folder) == Self.digest("whole", in: folder))
      #expect(try Self.metrics("run", in: folder) == Self.metrics("whole", in: folder))
    }
  }
}
