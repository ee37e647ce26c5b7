// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernels
import TestSupport
import Testing

/// Bad input ends every rank soon, with one line and the documented status.
@Suite(.serialized) struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let arguments: [String]
    let status: Int32
    let message: String
    var testDescription: String { name }

    init(_ name: String, _ arguments: [String], _ status: Int32, _ message: String) {
      self.name = name
      self.arguments = arguments
      self.status = status
      self.message = message
    }
  }

  static let classification = [
    "train", "--set", "dataset.task=classification", "--set", "dataset.validation_count=0",
  ]

  static let cases = [
    Case(
      "missing dataset", classification + ["--set", "dataset.file=none.h5"], 65,
      "momentum-dist: none.h5: cannot open: no such file"),
    Case(
      "truncated dataset", classification + ["--set", "dataset.file=truncated.h5"], 65,
      "truncated.h5: "),
    Case("no HDF5 file", classification + ["--set", "dataset.file=text.h5"], 65, "text.h5: "),
    Case(
      "unknown key", ["train", "--set", "model.hiden_size=3"], 78,
      "the nearest known key is model.hidden_size"),
    Case("unfit value", ["train", "--set", "epochs=none"], 78, "expected a whole number"),
    Case(
      "batch smaller than the shards", ["train", "--set", "batch_size=4"], 78,
      "raise batch_size or set shards=4"),
    Case(
      "a constant of another cell",
      ["train", "--set", "model.cell=lstm", "--set", "model.mu=0.6"], 78,
      "--set: model.mu is not used by model.cell=lstm; remove it"),
    Case(
      "more ranks than shards", ["train", "--set", "shards=1"], 78, "there are 2 ranks"),
    Case(
      "missing configuration", ["train", "--config", "none.yaml"], 78,
      "none.yaml: no such file"),
    Case(
      "unwritable output", ["train", "--output", "text.h5/run", "--max-steps", "1"], 74,
      "cannot make the folder"),
    Case(
      "resume from a folder that is not a checkpoint", ["train", "--resume", "empty"], 65,
      "empty: holds no checkpoint"),
    Case(
      "model larger than memory",
      ["train", "--set", "model.hidden_size=65536", "--set", "model.layers=64"], 78,
      "lower model.hidden_size or model.layers"),
    Case("evaluate nothing", ["evaluate", "empty"], 65, "empty: holds no checkpoint"),
    Case("inspect nothing", ["inspect", "none"], 65, "none: does not exist"),
  ]

  @Test(arguments: cases) func isOneLineAndAStatusOnEveryRank(_ item: Case) throws {
    try Places.withTemporaryFolder { folder in
      try Data("no HDF5".utf8).write(to: URL(fileURLWithPath: "\(folder)/text.h5"))
      try Data([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]).write(
        to: URL(fileURLWithPath: "\(folder)/truncated.h5"))
      try FileManager.default.createDirectory(
        atPath: "\(folder)/empty", withIntermediateDirectories: true)
      let before = try FileManager.default.subpathsOfDirectory(atPath: folder)
      let outcome = try Program.run(item.arguments, ranks: 2, in: folder, deadline: 20)
      #expect(outcome.status == item.status, "\(outcome.errors)")
      #expect(outcome.message.contains(item.message), "\(outcome.errors)")
      #expect(outcome.ownErrors.count == 1, "\(outcome.errors)")
      let after = try FileManager.default.subpathsOfDirectory(atPath: folder)
        .filter { !$0.contains(".outcome-") }
      #expect(after == before, "nothing half-written")
    }
  }

  /// An error on one rank ends the others too.
  @Test func oneRanksComplaintEndsAll() throws {
    try Places.withTemporaryFolder { folder in
      let train = ["train", "--max-steps", "1", "--set", "model.hidden_size=2"]
      let outcome = try Program.run(
        train, ranks: 1, and: ["-np", "1", "-x", "MOMENTUM_DIST_KERNELS=none"], in: folder,
        deadline: 20)
      #expect(outcome.status == 78, "\(outcome.errors)")
      #expect(outcome.message.contains("rank 1: MOMENTUM_DIST_KERNELS is \"none\""))
      let unequal = try Program.run(
        train, ranks: 1, and: ["-np", "1", "-x", "MOMENTUM_DIST_KERNELS=reference"], in: folder,
        deadline: 20)
      #expect(unequal.status == 78 && unequal.message.contains("their results would differ"))
    }
  }

  /// Ranks with vectors of different widths train together, to the bits of either.
  @Test(
    .enabled(
      if: KernelBackend.avx512.obstacle == nil, "this processor has one width of fused products"))
  func ranksOfUnlikeProcessorsTrainTogether() throws {
    try Places.withTemporaryFolder { folder in
      func digest(_ run: String, _ second: String) throws -> String {
        let outcome = try Program.run(
          ["train", "--max-steps", "4", "--set", "model.hidden_size=40", "--output", run],
          ranks: 1, and: ["-np", "1", "-x", "\(KernelBackend.variable)=\(second)"], in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try RankCountTests.digest(run, in: folder)
      }
      let unlike = try digest("unlike", "avx2")
      #expect(try unlike == digest("alike", "avx512"))
    }
  }

  @Test func prepareNamesWhatIsWrong() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["prepare", "mnist", "--from", folder, "--to", "out.h5"], in: folder)
      #expect(outcome.status == 65)
      #expect(outcome.message.contains("has no train-images-idx3-ubyte"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/out.h5"))
    }
  }

  static let prepareCases = [
    Case("ts of nothing", ["prepare", "ts", "--from", "none"], 65, "has 0 files *_TRAIN.ts"),
    Case(
      "ts of an empty folder", ["prepare", "ts", "--from", "empty"], 65,
      "name their folder, or both files, with --from"),
    Case(
      "ts that is damaged", ["prepare", "ts", "--from", "a_TRAIN.ts", "a_TEST.ts"], 65,
      "a_TRAIN.ts:3: has a missing value (\"?\"); fill it in"),
    Case(
      "csv of nothing", ["prepare", "csv", "--from", "none.csv"], 65,
      "momentum-dist: none.csv: no such file; name a file that can be read with --from"),
    Case(
      "csv of other width", ["prepare", "csv", "--from", "t.csv", "--features", "2"], 65,
      "t.csv:2: has 3 numbers besides the class, with 2 per step; set --features"),
    Case(
      "csv with words", ["prepare", "csv", "--from", "t.csv"], 65, "t.csv:3: \"x\" is not a number"),
    Case("text over a file", ["prepare", "copying"], 65, "exists and is not a momentum-dist"),
    Case(
      "adding of one step", ["prepare", "adding", "--steps", "1"], 64, "--steps is 1; expected"),
    Case(
      "denoise of no symbol", ["prepare", "denoise", "--symbols", "0"], 64,
      "--symbols is 0; expected"),
    Case("speech of nothing", ["prepare", "speech", "--from", "none"], 65, "none: "),
    Case("mnist of nothing", ["prepare", "mnist", "--from", "none"], 65, "none: "),
    Case(
      "images of nothing", ["prepare", "images", "--from", "none"], 65,
      "none: cannot open: no such file"),
    Case(
      "images of an empty folder", ["prepare", "images", "--from", "empty"], 65,
      "empty: has no folder for a class"),
    Case(
      "images of two channels", ["prepare", "images", "--from", "empty", "--channels", "2"], 64,
      "--channels is 2; expected 1 or 3"),
    Case(
      "spikes of nothing", ["prepare", "spikes", "--from", "none.h5"], 65,
      "none.h5: cannot open: no such file"),
    Case(
      "spikes of a text", ["prepare", "spikes", "--from", "t.csv"], 65,
      "t.csv: cannot open: this is not an HDF5 file"),
    Case(
      "spikes of other axes", ["prepare", "spikes", "--from", "t.csv", "--axes", "a,b,c"], 64,
      "--axes is a,b,c; expected trials, steps and neurons"),
    Case(
      "lorenz of no neuron", ["prepare", "lorenz", "--neurons", "0"], 64,
      "--neurons is 0; expected"),
    Case(
      "lorenz of one trial", ["prepare", "lorenz", "--trials", "1"], 65,
      "prepare lorenz: 1 trials of a condition are too few"),
    Case(
      "a folder that is none", ["prepare", "adding", "--train", "2"], 74, "cannot be written"),
  ]

  /// Each `prepare` names what is wrong, and leaves no file behind.
  @Test(arguments: prepareCases) func prepareIsOneLineAndAStatus(_ item: Case) throws {
    try Places.withTemporaryFolder { folder in
      let files = [
        "a_TRAIN.ts": "@classLabel true x y\n@data\n1,?:2,3:x\n", "a_TEST.ts": "@data\n1:x\n",
        "t.csv": "1,2,a\n1,2,3,a\nx,y,a\n", "text": "words",
      ]
      for (name, text) in files {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
      }
      try FileManager.default.createDirectory(
        atPath: "\(folder)/empty", withIntermediateDirectories: true)
      let target =
        item.status == 74 ? "text/out.h5" : item.message.hasPrefix("exists") ? "text" : "out.h5"
      let outcome = try Program.run(item.arguments + ["--to", target], in: folder, deadline: 20)
      #expect(outcome.status == item.status, "\(outcome.errors)")
      #expect(outcome.errors.contains(item.message), "\(outcome.errors)")
      if item.status != 64 { #expect(outcome.ownErrors.count == 1, "\(outcome.errors)") }
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { !$0.hasPrefix(".outcome-") }
      #expect(Set(names) == Set(files.keys).union(["empty"]), "nothing half-written")
    }
  }

  @Test func aWrongCommandLineIsReportedOnce() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(["train", "--no-such-option"], ranks: 3, in: folder)
      #expect(outcome.status == 64)
      #expect(outcome.errors.components(separatedBy: "--no-such-option").count == 2)
      #expect(
        outcome.message
          == "momentum-dist: Unknown option '--no-such-option'; see momentum-dist train --help")
      let alone = try Program.run(["prepare", "adding", "--to"], in: folder)
      #expect(alone.status == 64 && alone.ownErrors.count == 1, "\(alone.errors)")
      #expect(
        alone.message.hasSuffix("; see momentum-dist prepare adding --help"), "\(alone.errors)")
    }
  }

  /// `doctor` prints its findings on standard output, without usage text, and exits with 1.
  @Test(arguments: [nil, 2]) func findingsAreNoUsageError(ranks: Int?) throws {
    try Places.withTemporaryFolder { folder in
      try Data().write(to: URL(fileURLWithPath: "\(folder)/file"))
      let outcome = try Program.run(
        ["doctor", "--output", "file/runs"], ranks: ranks, in: folder, deadline: 30)
      #expect(outcome.status == 1, "\(outcome.output)")
      #expect(outcome.message.isEmpty, "\(outcome.errors)")
    }
  }

  /// Rank 0 prepares; the other ranks have nothing to do.
  @Test func preparingUnderMPIIsDoneOnce() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["prepare", "adding", "--train", "20", "--validation", "5", "--test", "5", "--to", "a.h5"],
        ranks: 3, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.components(separatedBy: "a.h5").count == 2, "\(outcome.output)")
    }
  }

  /// Ctrl-C leaves no half-written file.
  @Test func interruptedPreparingLeavesNothing() throws {
    try Places.withTemporaryFolder { folder in
      var begun = false
      let outcome = try Program.run(
        ["prepare", "adding", "--steps", "1000", "--train", "10000000", "--to", "a.h5"],
        in: folder, deadline: 8, signal: "INT"
      ) {
        let end = ContinuousClock().now + .seconds(7)
        while !begun, ContinuousClock().now < end {
          let names = try FileManager.default.contentsOfDirectory(atPath: folder)
          begun = names.contains { $0.hasPrefix("a.h5.partial") }
          Thread.sleep(forTimeInterval: 0.05)
        }
      }
      #expect(begun && outcome.status == 130, "\(outcome.errors)")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(!names.contains { $0.hasPrefix("a.h5") }, "\(names)")
    }
  }

  @Test func aRunIsNotOverwritten() throws {
    try Places.withTemporaryFolder { folder in
      let arguments = [
        "train", "--max-steps", "1", "--set", "dataset.train_count=100",
        "--set", "batch_size=10", "--set", "model.hidden_size=2", "--output", "run",
      ]
      #expect(try Program.run(arguments, in: folder).status == 0)
      let again = try Program.run(arguments, in: folder)
      #expect(again.status == 64 && again.message.contains("add --resume"))
      let other = try Program.run(
        ["train", "--resume", "run", "--set", "model.hidden_size=3"], in: folder)
      #expect(other.status == 78 && other.message.contains("model.hidden_size"))
    }
  }
}
