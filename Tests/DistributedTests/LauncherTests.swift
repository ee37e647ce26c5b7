// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// How ranks start: alone, under a launcher that MPI does not understand, and never.
@Suite(.serialized) struct LauncherTests {
  private static let arguments = RankCountTests.arguments + ["--max-steps", "8"]

  private static func train(
    _ run: String, in folder: String, environment: [String: String]
  ) throws -> Program.Outcome {
    try Program.run(
      ["train", "--output", run] + arguments, in: folder, environment: environment, deadline: 60)
  }

  /// Without Open MPI's programs or a folder for its files, and even as root, which mpirun refuses
  /// by default.
  @Test func oneRankNeedsNoLauncher() throws {
    try Places.withTemporaryFolder { folder in
      let words = Self.arguments.map { "'\($0)'" }.joined(separator: " ")
      let bare =
        "unset OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM;"
        + " export OMPI_MCA_orte_tmpdir_base=/dev/null/none; PATH=/nowhere"
      let outcome = try Program.shell(
        "\(bare) \"$PROGRAM\" train --output bare \(words)", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let task = try Program.shell(
        "\(bare) SLURM_JOB_ID=7 SLURM_JOBID=7 SLURM_NODELIST=n SLURM_STEPID=0 SLURM_STEP_ID=0"
          + " SLURM_PROCID=0 SLURM_NTASKS=1 SLURM_STEP_NUM_TASKS=1"
          + " \"$PROGRAM\" train --output task \(words)", in: folder)
      #expect(task.status == 0, "\(task.errors)")
      #expect(
        try Program.run(["train", "--output", "run"] + Self.arguments, ranks: 1, in: folder).status
          == 0)
      let expected = try RankCountTests.digest("run", in: folder)
      #expect(try RankCountTests.digest("bare", in: folder) == expected)
      #expect(try RankCountTests.digest("task", in: folder) == expected)
      let doctor = try Program.shell("PATH=/nowhere \"$PROGRAM\" doctor", in: folder)
      #expect(doctor.output.contains("no mpirun on the path: one rank runs"), "\(doctor.output)")
      #expect(!doctor.output.contains("WRONG  Open MPI"), "\(doctor.output)")
    }
  }

  /// MPICH's mpirun starts every rank as rank 0 of 1: one line from the first, all end.
  @Test(arguments: ["train", "evaluate"]) func ranksThatMPIDoesNotConnectEnd(command: String) throws
  {
    try Places.withTemporaryFolder { folder in
      for rank in 0..<2 {
        let outcome = try Program.run(
          command == "train"
            ? ["train", "--output", "run"] + Self.arguments : ["evaluate", "run"],
          in: folder, environment: ["PMI_SIZE": "2", "PMI_RANK": "\(rank)"], deadline: 60)
        #expect(outcome.status == 78, "\(outcome.errors)")
        let line = "PMI_SIZE=2: the launcher started 2 ranks, but MPI connects 1; use the mpirun of"
        #expect(outcome.message.contains(line) == (rank == 0), "\(outcome.errors)")
        #expect(outcome.ownErrors.count == (rank == 0 ? 1 : 0), "\(outcome.errors)")
      }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
    }
  }

  @Test func aSlurmJobOfSeveralTasksDoesNotTrainOnOne() throws {
    try Places.withTemporaryFolder { folder in
      let job = ["SLURM_NTASKS": "2", "SLURM_PROCID": "0"]
      let refused = try Self.train("run", in: folder, environment: job)
      #expect(refused.status == 78 && refused.ownErrors.count == 1, "\(refused.errors)")
      #expect(refused.message.contains("the Slurm job has 2 tasks, but MPI connects 1; start with"))
      // srun without PMIx: Open MPI must not print its page of errors.
      let task = try Self.train(
        "run", in: folder,
        environment: job.merging([
          "SLURM_JOBID": "7", "SLURM_NODELIST": "n", "SLURM_STEPID": "0", "SLURM_STEP_ID": "0",
          "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1",
        ]) { $1 })
      #expect(task.status == 78 && task.ownErrors.isEmpty, "\(task.errors)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
      let meant = job.merging(["MOMENTUM_DIST_RANKS": "1"]) { $1 }
      #expect(try Self.train("alone", in: folder, environment: meant).status == 0)
      let under = try Program.run(
        ["train", "--output", "both"] + Self.arguments, ranks: 2, in: folder, environment: job)
      #expect(under.status == 0, "\(under.errors)")
      #expect(
        try RankCountTests.digest("both", in: folder) == RankCountTests.digest("alone", in: folder))
    }
  }

  @Test func theStatedNumberOfRanksIsChecked() throws {
    try Places.withTemporaryFolder { folder in
      for (stated, text) in [
        ("3", "MOMENTUM_DIST_RANKS=3, but MPI connects 2"), ("x", "=x is not"),
      ] {
        let outcome = try Program.run(
          ["train", "--output", "run"] + Self.arguments, ranks: 2, in: folder,
          environment: ["MOMENTUM_DIST_RANKS": stated])
        #expect(outcome.status == 78, "\(outcome.errors)")
        #expect(outcome.message.contains(text), "\(outcome.errors)")
        #expect(outcome.ownErrors.count == 1, "\(outcome.errors)")
      }
    }
  }

  /// One rank never starts MPI. The other does not wait for it longer than the limit.
  @Test func aStartThatHangsEnds() throws {
    try Places.withTemporaryFolder { folder in
      let script =
        "mpirun --oversubscribe --bind-to none -np 2 sh -c"
        + " 'if [ \"$OMPI_COMM_WORLD_RANK\" = 0 ]; then exec sleep 100; fi; exec \"$0\" \"$@\"'"
        + " \"$PROGRAM\" train --output run"
      let outcome = try Program.shell(
        script, in: folder, environment: ["MOMENTUM_DIST_START_TIMEOUT": "2"], deadline: 60)
      #expect(outcome.status == 76, "\(outcome.errors)")
      #expect(
        outcome.message.contains("rank 1 on \(DeadlineTests.host) waited 2 s for MPI to start"),
        "\(outcome.errors)")
      DeadlineTests.expectNoProcess(in: folder)
    }
  }

  @Test func theLimitOfTheStartIsANumber() throws {
    try Places.withTemporaryFolder { folder in
      for text in ["", "x", "-1", "0", "inf", "nan"] {
        let outcome = try Self.train(
          "run", in: folder, environment: ["MOMENTUM_DIST_START_TIMEOUT": text])
        #expect(outcome.status == 78, "\(text): \(outcome.errors)")
        #expect(outcome.message.contains("MOMENTUM_DIST_START_TIMEOUT is not a number of seconds"))
      }
    }
  }

  /// `doctor` starts two ranks, and detects an mpirun that does not connect them.
  @Test func theDoctorStartsTwoRanks() throws {
    try Places.withTemporaryFolder { folder in
      let good = try Program.run(["doctor"], in: folder, deadline: 90)
      #expect(
        good.output.contains("ok     two ranks       start under mpirun and reach each other"),
        "\(good.output)")
      let script = """
        mkdir bin
        cat >bin/mpirun <<'END'
        #!/bin/bash
        [ "$1" != --version ] || { echo 'mpirun (Open MPI) 4.1.4'; exit; }
        while [ "$1" != -np ]; do shift; done
        shift 2
        for rank in 0 1; do PMI_SIZE=2 PMI_RANK=$rank "$@" & done
        wait %1; status=$?; wait; exit $status
        END
        chmod +x bin/mpirun
        PATH=$PWD/bin:$PATH "$PROGRAM" doctor
        """
      let wrong = try Program.shell(script, in: folder, deadline: 90)
      #expect(wrong.status == 1, "\(wrong.output)")
      #expect(
        wrong.output.contains("WRONG  two ranks       mpirun ended with 78: PMI_SIZE=2: "),
        "\(wrong.output)")
      // Below mpirun no other mpirun is started.
      let below = try Program.run(["doctor"], ranks: 2, in: folder, deadline: 90)
      #expect(!below.output.contains("two ranks"), "\(below.output)")
    }
  }
}
