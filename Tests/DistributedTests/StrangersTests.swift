// SPDX-License-Identifier: Apache-2.0

import Datasets
import Files
import Foundation
import HDF5
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// The whole program with files that others made, unusual paths and user mistakes.
@Suite(.serialized) struct StrangersTests {
  private static let short = RankCountTests.arguments + ["--max-steps", "3"]

  private func run(_ arguments: [String], in folder: String) throws -> Program.Outcome {
    try Program.run(arguments, in: folder, deadline: 60)
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  // MARK: What a user has is not replaced

  @Test func aConfigurationOfThePersonInTheRunsFolderStays() throws {
    try Places.withTemporaryFolder { folder in
      try DurableFiles.createFolder("\(folder)/x")
      let own = "# what I tried on Monday\nepochs: 1\n"
      try own.write(toFile: "\(folder)/x/config.yaml", atomically: true, encoding: .utf8)
      let outcome = try run(
        ["train", "--config", "x/config.yaml", "--output", "x"] + Self.short, in: folder)
      #expect(outcome.status == 64)
      #expect(
        outcome.message.contains("x/config.yaml: already exists and was not written by a run"))
      #expect(try text("\(folder)/x/config.yaml") == own)
    }
  }

  /// A resumed run writes its config.yaml again. One that a person wrote is kept next to it.
  @Test func aCommentedConfigurationIsKeptAtAResume() throws {
    try Places.withTemporaryFolder { folder in
      #expect(try run(["train", "--output", "x"] + Self.short, in: folder).status == 0)
      let config = "\(folder)/x/config.yaml"
      let resolved = try text(config)
      let resume = ["train", "--resume", "--output", "x", "--max-steps"]
      let silent = try run(resume + ["4"], in: folder)
      #expect(silent.status == 0 && !silent.errors.contains("is kept as"), "\(silent.errors)")
      #expect(FileStamp("\(config).kept") == nil, "a run's own file is replaced")
      for (step, name, own) in [
        ("5", "config.yaml.kept", "# what I tried on Monday\n" + resolved),
        ("6", "config.yaml.kept-2", resolved.replacing("size: 21\n", with: "size: 21  # 32\n")),
      ] {
        try own.write(toFile: config, atomically: true, encoding: .utf8)
        let outcome = try run(resume + [step, "--config", "x/config.yaml"], in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("it is kept as x/\(name)\n"), "\(outcome.errors)")
        #expect(try text("\(folder)/x/\(name)") == own)
        #expect(try text(config) != own)
      }
    }
  }

  /// Links and pipes instead of a rank's log: nothing is written through them, and no rank waits.
  @Test func plantedLogsAreRefused() throws {
    try Places.withTemporaryFolder { folder in
      #expect(try run(["train", "--output", "x"] + Self.short, in: folder).status == 0)
      let (logs, victim) = ("\(folder)/x/logs", "\(folder)/theirs/rank-00000.log")
      let log = "\(logs)/rank-00000.log"
      try DurableFiles.createFolder("\(folder)/theirs")
      try "precious\n".write(toFile: victim, atomically: true, encoding: .utf8)
      let resume = ["train", "--resume", "--output", "x", "--max-steps", "4"]
      func expectRefusal(_ message: String) throws {
        let outcome = try run(resume, in: folder)
        #expect(outcome.status == 65, "\(outcome.errors)")
        #expect(outcome.message.contains(message), "\(outcome.errors)")
        #expect(outcome.ownErrors.filter { $0.hasPrefix("momentum-dist: ") }.count == 1)
        #expect(try text(victim) == "precious\n")
      }
      DurableFiles.remove(log)
      #expect(symlink(victim, log) == 0)
      try expectRefusal("x/logs/rank-00000.log: is a symbolic link")
      DurableFiles.remove(log)
      #expect(mkfifo(log, 0o600) == 0)
      try expectRefusal("x/logs/rank-00000.log: is not a regular file")
      DurableFiles.remove(logs)
      #expect(symlink("\(folder)/theirs", logs) == 0)
      try expectRefusal("x/logs: is a symbolic link")
      DurableFiles.remove(logs)
      let outcome = try run(resume, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(FileStamp(log)?.isRegular == true)
    }
  }

  /// A run whose checkpoints are those of another run does not save into them or remove them.
  @Test func aLinkToTheCheckpointsOfAnotherRunIsRefused() throws {
    try Places.withTemporaryFolder { folder in
      for name in ["x", "y"] {
        #expect(try run(["train", "--output", name] + Self.short, in: folder).status == 0)
      }
      let (theirs, planted) = ("\(folder)/y/checkpoints", "\(folder)/x/checkpoints")
      let before = try FileManager.default.contentsOfDirectory(atPath: theirs).sorted()
      DurableFiles.remove(planted)
      #expect(symlink(theirs, planted) == 0)
      for resume in [["--resume"], []] {
        let outcome = try run(
          ["train", "--output", "x", "--max-steps", "5"] + resume, in: folder)
        #expect([64, 65].contains(outcome.status), "\(outcome.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: theirs).sorted() == before)
        if resume.isEmpty { continue }
        #expect(outcome.message.contains("x/checkpoints: is a symbolic link"), "\(outcome.errors)")
      }
    }
  }

  @Test(arguments: ["metrics.jsonl", "data.json", "vocabulary.h5"])
  func filesOfOthersInTheOutputStay(name: String) throws {
    try Places.withTemporaryFolder { folder in
      try DurableFiles.createFolder("\(folder)/x")
      try "{\"loss\": 1}\n".write(
        toFile: "\(folder)/x/\(name)", atomically: true, encoding: .utf8)
      let outcome = try run(["train", "--output", "x"] + Self.short, in: folder)
      #expect(outcome.status == 64 && outcome.message.contains("x/\(name): already exists"))
      #expect(try text("\(folder)/x/\(name)") == "{\"loss\": 1}\n")
      #expect(FileStamp("\(folder)/x/config.yaml") == nil)
    }
  }

  /// A run that was killed before its first checkpoint is started again in its folder.
  @Test func whatARunHasLeftIsTakenOver() throws {
    try Places.withTemporaryFolder { folder in
      #expect(try run(["train", "--output", "x"] + Self.short, in: folder).status == 0)
      DurableFiles.remove("\(folder)/x/checkpoints")
      let again = try run(["train", "--output", "x"] + Self.short, in: folder)
      #expect(again.status == 0, "\(again.errors)")
    }
  }

  @Test func prepareWritesOverNoFileOfARun() throws {
    try Places.withTemporaryFolder { folder in
      #expect(try run(["train", "--output", "x"] + Self.short, in: folder).status == 0)
      let shard = "x/checkpoints/step-00000003/shard-00000-of-00001.h5"
      let before = FileStamp("\(folder)/\(shard)")
      let small = ["--steps", "5", "--train", "20", "--validation", "5", "--test", "5"]
      let outcome = try run(["prepare", "adding", "--to", shard] + small, in: folder)
      #expect(outcome.status == 65, "\(outcome.errors)")
      #expect(outcome.message.contains("exists and is not a momentum-dist data set"))
      #expect(FileStamp("\(folder)/\(shard)") == before)
      for _ in 0..<2 {
        let data = try run(["prepare", "adding", "--to", "a.h5"] + small, in: folder)
        #expect(data.status == 0, "a data set may be replaced: \(data.errors)")
      }
    }
  }

  /// Two runs start in one folder. When the slower one gets the lock, it finds that the other has
  /// finished.
  @Test func aRunThatWaitedDoesNotGoOverAnother() throws {
    try Places.withTemporaryFolder { folder in
      let command = ["train", "--output", "x"] + Self.short
      let slow = try Program.run(
        command, in: folder, environment: ["MOMENTUM_DIST_FAILPOINTS": "start.data=delay:8"],
        deadline: 60
      ) {
        let quick = try run(command, in: folder)
        #expect(quick.status == 0, "\(quick.errors)")
      }
      #expect(slow.status == 64, "\(slow.errors)")
      #expect(slow.message.contains("x: holds a run already (step 3)"))
    }
  }

  // MARK: Odd paths

  @Test func oddPathsAreRefused() throws {
    try Places.withTemporaryFolder { folder in
      try "epochs: 1\n".write(toFile: "\(folder)/...yaml", atomically: true, encoding: .utf8)
      try "".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
      for (arguments, status, message) in [
        (["train", "--output", "~/run"], 64, "--output begins with ~"),
        (["train", "--config", "~/a.yaml"], 64, "--config begins with ~"),
        (["train", "--config", "...yaml"], 64, "gives the run no name"),
        (["train", "--output", "file"], 64, "file: is not a folder"),
        (["train", "--resume", "."], 65, ".: holds no checkpoint"),
        (["train", "--resume", "a"], 65, "a: does not exist"),
        (["train", "--resume", "/"], 65, "/: holds no checkpoint"),
        (["train", "--seeds", "2", "--resume", "none"], 65, "none: does not exist"),
        (["train", "--config", "none.yaml"], 78, "no such file"),
        (["evaluate", "a"], 65, "a: does not exist"), (["inspect", "a"], 65, "a: does not exist"),
        (["report", "a"], 65, "a: does not exist"),
        (["export", "a", "--to", "b"], 65, "a: "),
        (["generate", "a", "--prompt", "b"], 65, "a: does not exist"),
        (["verify", "a"], 65, "a: cannot open: no such file"),
        (["prepare", "csv", "--from", "a", "--to", "b.h5"], 65, "a: no such file"),
        (["prepare", "text", "--from", "a", "--to", "b.h5"], 65, "a: does not exist"),
      ] {
        let outcome = try run(arguments, in: folder)
        #expect(outcome.status == Int32(status), "\(arguments): \(outcome.errors)")
        #expect(outcome.message.contains(message), "\(arguments): \(outcome.errors)")
        #expect(outcome.ownErrors.count == 1, "\(arguments): \(outcome.errors)")
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(
        left.filter { !$0.hasSuffix(".out") && !$0.hasSuffix(".err") } == ["...yaml", "file"])
    }
  }

  /// A name of other bytes than UTF-8 would become the name of another file.
  @Test func namesThatAreNoTextAreRefused() throws {
    try Places.withTemporaryFolder { folder in
      let small = "--steps 5 --train 20 --validation 5 --test 5"
      let outcome = try Program.shell(
        #""$PROGRAM" prepare adding --to "$(printf 'a\377.h5')" "# + small, in: folder)
      #expect(outcome.status == 64, "\(outcome.errors)")
      #expect(outcome.message.contains("argument 4, a\u{fffd}.h5, is not UTF-8; rename that file"))
      #expect(FileStamp("\(folder)/a\u{fffd}.h5") == nil)
    }
  }

  // MARK: Terminals

  /// Names of files, datasets and keys do not control the terminal or make a second line.
  @Test func namesAreShownAndNotObeyed() throws {
    try Places.withTemporaryFolder { folder in
      let evil = "a\u{1b}[2J\u{202e}\n\u{9b}31m"
      let shown = #"a\u{1b}[2J\u{202e}\n\u{9b}31m"#
      try #""a\e[2J\u202e\n\x9b31m": 1"#.write(
        toFile: "\(folder)/key.yaml", atomically: true, encoding: .utf8)
      let file = try HDF5.File.create("\(folder)/evil.h5")
      try file.setAttribute("format_version", 1)
      try file.setAttribute("task", evil)
      try file.write([1, 2, 3, 4] as [Float], to: "train/inputs", shape: [2, 2, 1])
      try file.close()
      try "1,2,x\n".write(toFile: "\(folder)/\(evil)", atomically: true, encoding: .utf8)
      for arguments in [
        ["train", "--config", "key.yaml"], ["train", "--set", "\(evil)=1"], ["inspect", evil],
        ["inspect", "evil.h5"], ["inspect", "evil.h5", "--json"],
        ["train", "--set", "dataset.task=classification", "--set", "dataset.file=evil.h5"],
        ["prepare", "csv", "--from", evil, "--to", "b.h5"], ["report", evil], ["evaluate", evil],
      ] {
        let outcome = try run(arguments, in: folder)
        let said = outcome.errors + outcome.output
        #expect(!said.unicodeScalars.contains { $0.isHiddenOrActive && $0 != "\n" }, "\(arguments)")
        if !arguments.contains("--json") {
          #expect(said.contains(shown), "\(arguments): \(said)")
        } else {
          let object = try? JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
          #expect((object as? [String: Any])?["task"] as? String == evil)
        }
        if outcome.status != 0 { #expect(outcome.ownErrors.count == 1, "\(said)") }
      }
    }
  }

  /// The notes of `prepare series` begin with the name of the file.
  @Test func notesOnSeriesAreShownAndNotObeyed() throws {
    try Places.withTemporaryFolder { folder in
      let name = "s\u{1b}[2J.csv"
      let rows = (0..<40).map { "\($0),\($0 == 5 ? "" : "\($0 % 7)")\n" }
      try ("step,value\n" + rows.joined()).write(
        toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
      let outcome = try run(
        [
          "prepare", "series", "--time", "step", "--missing", "carry", "--from", name,
          "--to", "s.h5",
        ], in: folder)
      let said = outcome.errors + outcome.output
      #expect(outcome.status == 0, "\(said)")
      #expect(!said.unicodeScalars.contains { $0.isHiddenOrActive && $0 != "\n" })
      #expect(outcome.output.contains(#"s\u{1b}[2J.csv: "#), "\(said)")
    }
  }

  /// Names of classes in an array of text make no line of their own.
  @Test func namesOfClassesAreShownAndNotObeyed() throws {
    try Places.withTemporaryFolder { folder in
      var arrays = NumPyArchiveWriter()
      arrays.add("x", [Float](repeating: 1, count: 24), shape: [4, 3, 2])
      arrays.add("y", ["a", "b\nmomentum-dist: lost", "\u{1b}[2J", "a"])
      try Data(arrays.archive).write(to: URL(fileURLWithPath: "\(folder)/x.npz"))
      let outcome = try run(["prepare", "arrays", "--from", "x.npz", "--to", "a.h5"], in: folder)
      let said = outcome.errors + outcome.output
      #expect(outcome.status == 0, "\(said)")
      #expect(said.contains(#"b\nmomentum-dist: lost"#), "\(said)")
      #expect(!said.split(separator: "\n").contains { $0.hasPrefix("momentum-dist: ") }, "\(said)")
      #expect(!said.unicodeScalars.contains { $0.isHiddenOrActive && $0 != "\n" })
    }
  }

  /// The path that a command names in its result makes no line of its own.
  @Test func pathsOfResultsAreShownAndNotObeyed() throws {
    try Places.withTemporaryFolder { folder in
      #expect(try run(["train", "--output", "x"] + Self.short, in: folder).status == 0)
      for (command, name) in [
        ("export", "a\nlost.safetensors"), ("export", "a\nlost.onnx"), ("report", "a\nlost.html"),
      ] {
        let outcome = try run([command, "x", "--to", name], in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.hasPrefix(#"a\nlost."#), "\(outcome.output)")
      }
    }
  }

  // MARK: Files that lead elsewhere

  /// A reader that follows a link to a pipe without a writer would wait forever.
  @Test func linksToPipesKeepNobodyWaiting() throws {
    try Places.withTemporaryFolder { folder in
      mkfifo("\(folder)/pipe", 0o600)
      let file = try HDF5.File.create("\(folder)/a.h5")
      try file.createLink("train/x", toFile: "pipe", "/x")
      try file.write([0, 1] as [Int32], to: "train/y")
      try file.createLink("test", toFile: "pipe", "/test")
      try file.createEndlessView("validation/x", ofFile: "pipe", "/x")
      try file.close()
      let own = [
        "train", "--set", "dataset.task=classification", "--set", "dataset.file=a.h5",
        "--set", "dataset.inputs={part}/x", "--set", "dataset.targets={part}/y",
      ]
      for (arguments, status) in [
        (["inspect", "a.h5"], 0), (["inspect", "a.h5", "--verify"], 65), (own, 65),
        (["prepare", "spikes", "--from", "pipe", "--to", "b.h5"], 65),
        (["prepare", "series", "--from", "pipe", "--to", "b.h5"], 65),
        (["inspect", "pipe"], 65), (["prepare", "csv", "--from", "pipe", "--to", "b.h5"], 65),
        (["prepare", "text", "--from", "pipe", "--to", "b.h5"], 65),
        (["train", "--config", "pipe"], 78),
      ] {
        let outcome = try run(arguments, in: folder)
        #expect(outcome.status == Int32(status), "\(arguments): \(outcome.errors)")
        #expect(outcome.seconds < 50 * Waiting.patience, "\(arguments)")
      }
      let run = "\(folder)/run"
      try DurableFiles.createFolder("\(run)/checkpoints/step-00000001")
      for name in ["metrics.jsonl", "config.yaml", "checkpoints/step-00000001/manifest.json"] {
        mkfifo("\(run)/\(name)", 0o600)
      }
      for command in [["report", "run"], ["inspect", "run"], ["evaluate", "run"]] {
        let outcome = try self.run(command, in: folder)
        #expect([0, 65].contains(outcome.status), "\(command): \(outcome.errors)")
      }
    }
  }

  @Test func linksThatLeadToNothingDoNotVerify() throws {
    try Places.withTemporaryFolder { folder in
      let file = try HDF5.File.create("\(folder)/a.h5")
      try file.setAttribute("format_version", 1)
      try file.setAttribute("task", "classification")
      try file.setAttribute("classes", 2)
      for part in ["train", "test"] {
        try file.write([1, 2, 3, 4] as [Float], to: "\(part)/inputs", shape: [2, 2, 1])
        try file.write([0, 1] as [Int32], to: "\(part)/targets")
      }
      try file.close()
      #expect(try run(["inspect", "a.h5", "--verify"], in: folder).status == 0)
      let open = try HDF5.File.open("\(folder)/a.h5", .readWrite)
      try open.createLink("validation", to: "/none")
      try open.close()
      let outcome = try run(["inspect", "a.h5", "--verify"], in: folder)
      #expect(outcome.status == 65)
      #expect(outcome.message.contains("validation cannot be used: it leads to nothing"))
    }
  }
}
