// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// How launch/supervise detects a lost rank, with shell commands instead of a training run.
@Suite(.serialized) struct SuperviseChannelTests {
  private func supervise(
    _ options: [String], _ script: String, deadline: Double = 60
  ) throws -> (outcome: Program.Outcome, starts: Int) {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.script(
        "supervise",
        options + [
          "bash", "-c", "mkdir -p run; echo x >>starts; \(script)", "bash", "--output", "run",
        ], in: folder, deadline: deadline)
      let starts = (try? String(contentsOfFile: "\(folder)/starts", encoding: .utf8)) ?? ""
      return (outcome, starts.count / 2)
    }
  }

  /// The output of a run may contain text from a foreign file.
  @Test func textRestartsNothing() throws {
    let (outcome, starts) = try supervise(
      [],
      "echo 'momentum-dist: x; ended on every rank; y' >&2; sleep 1; exit 65")
    #expect(outcome.status == 65 && starts == 1, "\(outcome.errors)")
  }

  /// It does not end a healthy run either. The run takes longer than the wait for mpirun.
  @Test func textEndsNothing() throws {
    let (outcome, starts) = try supervise(
      [], "echo 'momentum-dist: x; ended on every rank; y' >&2; sleep 18; exit 0")
    #expect(outcome.status == 0 && starts == 1, "\(outcome.errors)")
  }

  /// The file of the ranks does, even if the launcher's status differs.
  @Test func theFileOfTheRanksRestarts() throws {
    let (outcome, starts) = try supervise(
      [], "[ $(wc -l <starts) = 1 ] || exit 0; touch run/peer-lost; exit 1")
    #expect(outcome.status == 0 && starts == 2, "\(outcome.errors)")
    #expect(outcome.errors.contains("restart 1 of 3 from the beginning"))
  }

  /// An old file belongs to another run. A file that cannot be removed belongs to someone else.
  @Test func anOldFileSaysNothing() throws {
    try Places.withTemporaryFolder { folder in
      try FileManager.default.createDirectory(
        atPath: "\(folder)/run", withIntermediateDirectories: false)
      try "".write(toFile: "\(folder)/run/peer-lost", atomically: true, encoding: .utf8)
      let command = ["bash", "-c", "exit 3", "bash", "--output", "run"]
      #expect(try Program.script("supervise", command, in: folder, deadline: 30).status == 3)
      try FileManager.default.createDirectory(
        atPath: "\(folder)/run/peer-lost", withIntermediateDirectories: false)
      let outcome = try Program.script("supervise", command, in: folder, deadline: 30)
      #expect(outcome.status == 65 && outcome.errors.contains("cannot be removed"))
    }
  }

  /// A rank that is lost before it has created the run's folder still leaves its note.
  @Test func theFolderIsMadeBeforeTheStart() throws {
    try Places.withTemporaryFolder { folder in
      let script =
        "[ -d a/run ] || exit 3; [ ! -e once ] || exit 0; touch once a/run/peer-lost; exit 1"
      let outcome = try Program.script(
        "supervise", ["bash", "-c", script, "bash", "--output", "a/run"], in: folder, deadline: 30)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("restart 1 of 3 from the beginning"), "\(outcome.errors)")
    }
  }

  /// A signal before the first start, here while the run's folder is made, starts nothing.
  @Test func aSignalBeforeTheStartIsNotLost() throws {
    try Places.withTemporaryFolder { folder in
      let fake =
        "mkdir bin; printf '#!/bin/bash\\nkill -USR2 $PPID\\nexec /bin/mkdir \"$@\"\\n' >bin/mkdir;"
        + " chmod +x bin/mkdir; PATH=$PWD/bin:$PATH exec '\(Places.package)/launch/supervise'"
        + " bash -c 'touch started; exit 0' bash --output run"
      let outcome = try Program.bash(fake, [], in: folder, environment: [:], deadline: 30)
      #expect(outcome.status == 75, "\(outcome.errors)")
      #expect(outcome.errors == "supervise: stopped before the start\n")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/started"))
    }
  }

  private func checkpoint(_ name: String, isComplete: Bool = true, in folder: String) throws {
    let path = "\(folder)/\(name)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    if isComplete {
      try "".write(toFile: "\(path)/manifest.json", atomically: true, encoding: .utf8)
    }
  }

  @Test func theNewestCheckpointIsOfTheNewestSeed() throws {
    try Places.withTemporaryFolder { folder in
      func newest() throws -> String {
        let outcome = try Program.script(
          "supervise", ["--newest", "run"], in: folder, deadline: 20)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
      }
      #expect(try newest() == "")
      try checkpoint("run/checkpoints/step-00000010", isComplete: false, in: folder)
      #expect(try newest() == "")
      try checkpoint("run/checkpoints/step-00000009", in: folder)
      #expect(try newest() == "step 9\n")
      try checkpoint("run/seed-9/checkpoints/step-00000080", in: folder)
      try checkpoint("run/seed-10/checkpoints/step-00000007", in: folder)
      try checkpoint("run/seed-10/checkpoints/step-00000005", in: folder)
      try checkpoint("run/seed-11/checkpoints/step-00000001", isComplete: false, in: folder)
      #expect(try newest() == "seed 10, step 7\n")
    }
  }

  /// With early ending the trials of a sweep take turns, so only the sum of their steps grows.
  @Test func trialsCountTogether() throws {
    try Places.withTemporaryFolder { folder in
      for (trial, step) in [("001", 30), ("001", 40), ("002", 20)] {
        try checkpoint("run/trial-\(trial)/checkpoints/step-000000\(step)", in: folder)
      }
      let outcome = try Program.script(
        "supervise", ["--newest", "run"], in: folder, deadline: 20)
      #expect(outcome.status == 0 && outcome.output == "step 60\n", "\(outcome.errors)")
    }
  }

  /// Each start loses a rank and saves a checkpoint of the next seed, with fewer steps than before.
  @Test func seedsAreProgress() throws {
    let save =
      "n=$(wc -l <starts); d=run/seed-$n/checkpoints/step-0000000$((9 - n)); mkdir -p $d;"
      + " touch $d/manifest.json"
    let (outcome, starts) = try supervise(["--restarts", "5"], "\(save); exit 76")
    #expect(outcome.status == 76 && starts == 6, "\(outcome.errors)")
    #expect(outcome.errors.contains("5 restarts are used up"))
    #expect(outcome.errors.contains("restart 2 of 5 from the newest checkpoint of run"))
  }

  /// launch/slurm.sbatch in a folder with an mpirun and a scontrol that only note their arguments.
  private func slurm(
    _ mpirun: String, in folder: String
  ) throws -> (outcome: Program.Outcome, arguments: String, isRequeued: Bool) {
    let files = FileManager.default
    try files.createDirectory(atPath: "\(folder)/bin", withIntermediateDirectories: true)
    if !files.fileExists(atPath: "\(folder)/launch") {
      try files.createSymbolicLink(
        atPath: "\(folder)/launch", withDestinationPath: "\(Places.package)/launch")
    }
    for (name, body) in [
      ("mpirun", "echo \"$@\" >'\(folder)/arguments'; \(mpirun)"),
      ("scontrol", "echo \"$@\" >'\(folder)/requeued'"),
    ] {
      let path = "\(folder)/bin/\(name)"
      try "#!/usr/bin/env bash\n\(body)\n".write(toFile: path, atomically: true, encoding: .utf8)
      try #require(chmod(path, 0o755) == 0)
    }
    try? files.removeItem(atPath: "\(folder)/requeued")
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let outcome = try Program.script(
      "slurm.sbatch", ["--output", "run"], in: folder,
      environment: [
        "PATH": "\(folder)/bin:\(path)", "SLURM_SUBMIT_DIR": folder, "SLURM_NTASKS": "1",
        "SLURM_JOB_ID": "7",
      ], deadline: 30)
    let arguments = (try? String(contentsOfFile: "\(folder)/arguments", encoding: .utf8)) ?? ""
    return (outcome, arguments, files.fileExists(atPath: "\(folder)/requeued"))
  }

  /// A job is put back if it has saved a new step, of any seed.
  @Test func aJobComesBackAfterProgress() throws {
    try Places.withTemporaryFolder { folder in
      let idle = try slurm("exit 75", in: folder)
      #expect(idle.outcome.status == 75 && !idle.isRequeued, "\(idle.outcome.errors)")
      #expect(idle.outcome.errors.contains("(newest: none)"), "\(idle.outcome.errors)")
      #expect(!idle.arguments.contains("--resume"), "\(idle.arguments)")
      try checkpoint("run/checkpoints/step-00000003", isComplete: false, in: folder)
      let torn = try slurm("exit 75", in: folder)
      #expect(torn.outcome.errors.contains("(newest: none)"), "\(torn.outcome.errors)")
      try checkpoint("run/seed-1/checkpoints/step-00000008", in: folder)
      let save =
        "d='\(folder)/run/seed-2/checkpoints/step-00000004'; mkdir -p \"$d\";"
        + " touch \"$d/manifest.json\""
      let next = try slurm("\(save); exit 75", in: folder)
      #expect(next.outcome.status == 75 && next.isRequeued, "\(next.outcome.errors)")
      #expect(next.arguments.contains("--resume"), "\(next.arguments)")
      let again = try slurm("\(save); exit 75", in: folder)
      #expect(!again.isRequeued && again.outcome.errors.contains("(newest: seed 2, step 4)"))
    }
  }

  @Test func restartsWithoutProgressEnd() throws {
    let (outcome, starts) = try supervise(["--restarts", "900"], "exit 76")
    #expect(outcome.status == 76 && starts == 3, "\(outcome.errors)")
    #expect(outcome.errors.contains("two restarts in a row brought no new checkpoint"))
    let save =
      "n=$(wc -l <starts); d=run/checkpoints/step-0000000$n; mkdir -p $d; touch $d/manifest.json"
    let (other, more) = try supervise(["--restarts", "5"], "\(save); exit 76")
    #expect(other.status == 76 && more == 6, "\(other.errors)")
    #expect(other.errors.contains("5 restarts are used up"))
  }

  @Test(arguments: [
    ["--restarts"], ["--restarts", ""], ["--restarts", "-1"], ["--restarts", "x"],
    ["--restarts", "99999999999999999999"], ["--restarts=1000"],
  ]) func restartsAreANumber(options: [String]) throws {
    try Places.withTemporaryFolder { folder in
      let command =
        options.count == 1 && !options[0].contains("=") ? [] : ["true", "--output", "run"]
      let outcome = try Program.script("supervise", options + command, in: folder, deadline: 20)
      #expect(outcome.status == 64, "\(outcome.errors)")
      #expect(outcome.errors.hasPrefix("supervise: --restarts "))
    }
  }
}
