// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The sources of a configuration: a file, a pipe, the folder of a resumed run.
@Suite(.serialized) struct ConfigurationSourceTests {
  @Test func aPipeIsReadOnce() throws {
    try Places.withTemporaryFolder { folder in
      let yaml = "epochs: 3\\nmodel: {hidden_size: 7}"
      for command in [
        "$PROGRAM train --config <(printf '\(yaml)') --dry-run",
        "printf '\(yaml)' | $PROGRAM train --config /dev/stdin --dry-run",
        "printf '\(yaml)' | mpirun --oversubscribe -np 2 $PROGRAM train --config /dev/stdin"
          + " --dry-run",
      ] {
        let outcome = try Program.bash(command, in: folder)
        #expect(outcome.status == 0, "\(command): \(outcome.errors)")
        #expect(
          outcome.output.contains("epochs: 3\n") && outcome.output.contains("hidden_size: 7\n"),
          "\(command): \(outcome.output)")
      }
      let closed = try Program.bash(
        "mpirun --oversubscribe -np 2 $PROGRAM train --config <(printf '\(yaml)') --dry-run",
        in: folder)
      // If mpirun closes a descriptor that the shell opened, the message says what to do.
      #expect(
        closed.status == 0 || closed.status == 78 && closed.message.contains("--config /dev/stdin"),
        "\(closed.errors)")
      let endless = try Program.bash(
        "$PROGRAM train --config <(cat /dev/zero) --dry-run", in: folder)
      #expect(
        endless.status == 78 && endless.message.contains("has more than"), "\(endless.errors)")
      let device = try Program.bash("$PROGRAM train --config /dev/zero --dry-run", in: folder)
      #expect(
        device.status == 78 && device.message.contains("cannot be read"), "\(device.errors)")
    }
  }

  /// A path with a comma, and a pattern below a folder whose name looks like one.
  @Test func pathsOfDataMayHaveAnyName() throws {
    try Places.withTemporaryFolder { folder in
      try FileManager.default.createDirectory(
        atPath: "\(folder)/d[1]", withIntermediateDirectories: true)
      for name in ["a,b.h5", "c.h5", "d[1]/p.h5"] {
        let prepared = try Program.run(
          [
            "prepare", "adding", "--train", "24", "--validation", "8", "--test", "8", "--to", name,
          ], in: folder)
        #expect(prepared.status == 0, "\(prepared.errors)")
      }
      for (files, count) in [
        ("a,b.h5", 24), ("d[1]/*.h5", 24), ("c.h5, a,b.h5", 48), ("a,b.h5,d[1]/p.h5,c.h5", 72),
      ] {
        let outcome = try Program.run(
          [
            "train", "--dry-run", "--set", "dataset.file=\(files)",
            "--set", "dataset.validation_count=8", "--set", "batch_size=8",
          ], in: folder)
        #expect(outcome.status == 0, "\(files): \(outcome.errors)")
        #expect(outcome.errors.contains("\(count) sequences"), "\(files): \(outcome.errors)")
      }
      let none = try Program.run(
        ["train", "--dry-run", "--set", "dataset.file=c.h5,none,x.h5"], in: folder)
      #expect(none.status == 65 && none.message.contains("none: "), "\(none.errors)")
    }
  }

  // MARK: The config.yaml of a run that is resumed

  private static func edit(_ folder: String, _ old: String, _ new: String) throws {
    let path = "\(folder)/run/config.yaml"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains(old))
    try text.replacingOccurrences(of: old, with: new)
      .write(toFile: path, atomically: true, encoding: .utf8)
  }

  private static func resume(_ folder: String, _ more: [String] = []) throws -> Program.Outcome {
    try Program.run(["train", "--resume", "run"] + more, ranks: 2, in: folder)
  }

  @Test func anEditedFileIsUsedAsSetWouldBe() throws {
    try Places.withTemporaryFolder { folder in
      #expect(
        try RankCountTests.train("run", ranks: 2, in: folder, ["--set", "epochs=1"]).status == 0)
      let plain = try Self.resume(folder)
      #expect(!plain.errors.contains("was changed"), "\(plain.errors)")
      try Self.edit(folder, "epochs: 1\n", "epochs: 2\n")
      try Self.edit(folder, "  every_steps: 4\n", "")
      let outcome = try Self.resume(folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        outcome.errors.contains(
          "note: run/config.yaml was changed since the checkpoint: epochs=2 (was 1)\n"),
        "\(outcome.errors)")
      let text = try String(contentsOfFile: "\(folder)/run/config.yaml", encoding: .utf8)
      #expect(text.contains("epochs: 2\n") && text.contains("  every_steps: 4\n"), "\(text)")
      // The same as with --set.
      #expect(
        try RankCountTests.train("whole", ranks: 1, in: folder, ["--set", "epochs=2"]).status == 0)
      #expect(
        try RankCountTests.digest("run", in: folder) == RankCountTests.digest("whole", in: folder))
      // A key that changes numbers is noted, and one that changes the model is refused.
      try Self.edit(folder, "epochs: 2\n", "epochs: 3\n")
      try Self.edit(folder, "  learning_rate: 0.001\n", "  learning_rate: 0.002\n")
      let noted = try Self.resume(folder, ["--output", "other"])
      #expect(noted.status == 0, "\(noted.errors)")
      #expect(noted.errors.contains("note: optimizer.learning_rate is 0.002"), "\(noted.errors)")
      try Self.edit(folder, "hidden_size: 5\n", "hidden_size: 6\n")
      let refused = try Self.resume(folder)
      #expect(refused.status == 78, "\(refused.errors)")
      #expect(refused.message.contains("model.hidden_size is 6"), "\(refused.errors)")
      try Self.edit(folder, "hidden_size: 6\n", "hiden_size: 6\n")
      let unknown = try Self.resume(folder)
      #expect(unknown.status == 78, "\(unknown.errors)")
      #expect(unknown.message.contains("run/config.yaml:"), "\(unknown.errors)")
      #expect(unknown.message.contains("unknown key model.hiden_size"), "\(unknown.errors)")
      // The command line overrides the file.
      try Self.edit(folder, "hiden_size: 6\n", "hidden_size: 5\n")
      let set = try Self.resume(folder, ["--set", "epochs=2"])
      #expect(set.status == 0 && set.errors.contains("already at its end"), "\(set.errors)")
    }
  }

  /// The file of a run that continued from an older checkpoint with other keys is not an edit.
  @Test func anUnchangedFileLeavesAnOlderCheckpointItsOwnKeys() throws {
    try Places.withTemporaryFolder { folder in
      let often = ["--set", "checkpoint.every_steps=3", "--set", "checkpoint.keep_last=9"]
      #expect(
        try RankCountTests.train("run", ranks: 2, in: folder, often + ["--max-steps", "6"]).status
          == 0)
      let larger = ["--set", "log.every_steps=5", "--max-steps", "9"]
      #expect(try Self.resume(folder, larger).status == 0)
      let back = try Program.run(
        ["train", "--resume", "run/checkpoints/step-00000003", "--max-steps", "4"], in: folder)
      #expect(back.status == 0 && !back.errors.contains("was changed"), "\(back.errors)")
      let text = try String(contentsOfFile: "\(folder)/run/config.yaml", encoding: .utf8)
      #expect(text.contains("log:\n  every_steps: 4\n"), "\(text)")
    }
  }
}
