// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// File systems that lack something: a run notes it once and continues, with the same bits.
@Suite(.serialized, .enabled(if: Preload.isAvailable, .init(rawValue: Preload.reason)))
struct PoorFileSystemTests {
  struct Gap: Sendable, CustomTestStringConvertible {
    let variable: String
    let code: Int32
    /// The text of the note.
    let note: String
    var testDescription: String { "\(variable)=\(code)" }
  }

  static let gaps = [
    Gap(variable: "NO_SYMLINK", code: EOPNOTSUPP, note: "has no symbolic links"),
    // FAT.
    Gap(variable: "NO_SYMLINK", code: EPERM, note: "has no symbolic links"),
    Gap(variable: "NO_FOLDER_FSYNC", code: EINVAL, note: "cannot synchronize folders"),
    Gap(variable: "NO_FOLDER_FSYNC", code: ENOTSUP, note: "cannot synchronize folders"),
    // HDF5 itself tolerates ENOSYS.
    Gap(variable: "NO_LOCKS", code: ENOLCK, note: "has no locks"),
    Gap(variable: "NO_LOCKS", code: EOPNOTSUPP, note: "has no locks"),
  ]

  @Test(arguments: gaps) func isNotedOnceAndEndsNoRun(_ gap: Gap) throws {
    try Places.withTemporaryFolder { folder in
      let environment = [
        "LD_PRELOAD": try Preload.library(Preload.poorFileSystem, in: folder),
        gap.variable: "\(gap.code)",
      ]
      func run(_ arguments: [String], ranks: Int?) throws -> Program.Outcome {
        try Program.run(arguments, ranks: ranks, in: folder, environment: environment)
      }
      let train = ["train", "--output", "run"] + RankCountTests.arguments
      for (more, ranks) in [(["--max-steps", "13"], 1), (["--max-steps", "20", "--resume"], 2)] {
        let outcome = try run(train + more, ranks: ranks)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let notes = outcome.errors.split(separator: "\n").filter { $0.contains(gap.note) }
        #expect(notes.count == 1 && notes.first?.hasPrefix("note: ") == true, "\(outcome.errors)")
      }
      #expect(try run(["inspect", "run", "--verify"], ranks: nil).status == 0)
      #expect(try run(["evaluate", "run"], ranks: 2).status == 0)
      let latest = "\(folder)/run/checkpoints/latest"
      if gap.variable == "NO_SYMLINK" {
        #expect(try String(contentsOfFile: latest, encoding: .utf8) == "step-00000020\n")
      }
      let plain = try RankCountTests.train("plain", ranks: 2, in: folder, ["--max-steps", "20"])
      #expect(plain.status == 0, "\(plain.errors)")
      #expect(
        try RankCountTests.digest("run", in: folder) == RankCountTests.digest("plain", in: folder))
      // On a file system with links, `latest` becomes a link again.
      let back = try RankCountTests.train(
        "run", ranks: 1, in: folder, ["--max-steps", "21", "--resume"])
      #expect(back.status == 0, "\(back.errors)")
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: latest) == "step-00000021")
    }
  }

  /// An error of the disk, rather than a missing feature, ends the run as before.
  @Test(arguments: [("NO_SYMLINK", EIO), ("NO_FOLDER_FSYNC", EIO), ("NO_FOLDER_FSYNC", EROFS)])
  func aFailureOfTheDiskIsNone(_ variable: String, _ code: Int32) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run", "--max-steps", "3"] + RankCountTests.arguments, ranks: 2,
        in: folder,
        environment: [
          "LD_PRELOAD": try Preload.library(Preload.poorFileSystem, in: folder),
          variable: "\(code)",
        ])
      #expect(outcome.status == 74, "\(outcome.errors)")
      #expect(outcome.message.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
  }

  /// `prepare` and its data, which HDF5 locks as well.
  @Test func dataAreWrittenAndReadWithoutLocks() throws {
    try Places.withTemporaryFolder { folder in
      let environment = [
        "LD_PRELOAD": try Preload.library(Preload.poorFileSystem, in: folder),
        "NO_LOCKS": "\(ENOLCK)",
      ]
      func run(_ arguments: [String]) throws -> Program.Outcome {
        try Program.run(arguments, in: folder, environment: environment)
      }
      let prepared = try run([
        "prepare", "adding", "--train", "40", "--validation", "5", "--test", "5", "--to", "a.h5",
      ])
      #expect(prepared.status == 0, "\(prepared.errors)")
      let trained = try run([
        "train", "--set", "dataset.file=a.h5", "--set", "model.hidden_size=3",
        "--set", "batch_size=8", "--set", "dataset.validation_count=5", "--set", "epochs=1",
        "--output", "run",
      ])
      #expect(trained.status == 0, "\(trained.errors)")
      #expect(try run(["inspect", "a.h5", "--verify"]).status == 0)
      let doctor = try run(["doctor", "--output", folder])
      #expect(doctor.output.contains("opened without locks"), "\(doctor.output)")
    }
  }

  /// A copy of a run that followed its links has a folder `latest`.
  @Test func aCopiedRunIsResumed() throws {
    try Places.withTemporaryFolder { folder in
      #expect(
        try RankCountTests.train("run", ranks: 1, in: folder, ["--max-steps", "3"]).status == 0)
      let run = "\(folder)/run/checkpoints"
      try FileManager.default.removeItem(atPath: "\(run)/latest")
      try FileManager.default.copyItem(atPath: "\(run)/step-00000003", toPath: "\(run)/latest")
      #expect(try Program.run(["inspect", "run", "--verify"], in: folder).status == 0)
      let outcome = try RankCountTests.train(
        "run", ranks: 2, in: folder, ["--max-steps", "5", "--resume"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: "\(run)/latest")
          == "step-00000005")
    }
  }
}
