// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The job scripts in launch/, with commands of the schedulers that only note their arguments.
@Suite(.serialized) struct SchedulerTests {
  /// Starts one of the scripts as its scheduler does: a copy of it, in another folder.
  ///
  /// - Parameters:
  ///   - training: shell commands instead of the ranks
  ///   - then: more shell commands, after the job
  private func job(
    _ script: String, _ arguments: [String], environment: [String: String], training: String,
    in folder: String
  ) throws -> Program.Outcome {
    let fakes = """
      mkdir -p bin spool
      cp '\(Places.package)/launch/\(script)' spool/script
      for name in mpirun srun qsub; do
        printf '#!/bin/bash\\necho "%s $*" >>"%s/called"\\n' $name "$PWD" >bin/$name
      done
      printf '%s\\n' "$TRAINING" | tee -a bin/mpirun >>bin/srun
      cat >bin/scontrol <<'END'
      #!/bin/bash
      echo "scontrol $*" >>called
      [ -z "${SIGNAL:-}" ] || kill -$SIGNAL $(cat pid)
      [ "$1" != show ] || printf 'JobId=7\\n   Command=%s --output\\n' \
        '\(Places.package)/launch/slurm.sbatch'
      END
      chmod +x bin/*
      echo $$ >pid
      PATH=$PWD/bin:$PATH exec bash spool/script "$@"
      """
    return try Program.bash(
      fakes, arguments, in: folder,
      environment: environment.merging(["TRAINING": training]) { $1 }, deadline: 60)
  }

  private func called(_ name: String, in folder: String) throws -> [String] {
    try String(contentsOfFile: "\(folder)/called", encoding: .utf8).split(separator: "\n")
      .map(String.init).filter { $0.hasPrefix("\(name) ") }
  }

  private static func save(_ run: String, step: Int) -> String {
    "d=\(run)/checkpoints/step-0000000\(step); mkdir -p $d; touch $d/manifest.json; exit 75"
  }

  private static let slurm = [
    "SLURM_JOB_ID": "9", "SLURM_NTASKS": "4", "SLURM_SUBMIT_DIR": "/",
  ]

  @Test func slurmRunsACopyFromAnyFolder() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try job(
        "slurm.sbatch", ["--output=runs/a", "--set", "seed=3"], environment: Self.slurm,
        training: Self.save("runs/a", step: 3), in: folder)
      #expect(outcome.status == 75, "\(outcome.errors)")
      let start = try #require(try called("mpirun", in: folder).first)
      #expect(start.hasPrefix("mpirun -np 4 --map-by core --bind-to core /"), "\(start)")
      #expect(start.hasSuffix("/momentum-dist train --output=runs/a --set seed=3"), "\(start)")
      #expect(try called("scontrol", in: folder).last == "scontrol requeue 9")
      // The next start resumes; without a new step it is the last.
      let again = try job(
        "slurm.sbatch", ["--output=runs/a", "--set", "seed=3"], environment: Self.slurm,
        training: Self.save("runs/a", step: 3), in: folder)
      #expect(again.status == 75 && again.errors.contains("no new step was saved"))
      #expect(try called("mpirun", in: folder).last?.hasSuffix(" --resume") == true)
      #expect(try called("scontrol", in: folder).filter { $0.contains("requeue") }.count == 1)
    }
  }

  @Test func eachTaskOfASlurmArrayHasItsFolder() throws {
    try Places.withTemporaryFolder { folder in
      let array = Self.slurm.merging(["SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2"]) { $1 }
      let outcome = try job(
        "slurm.sbatch", ["--output", "runs/a", "--set", "seed=%a"], environment: array,
        training: Self.save("runs/a/task-2", step: 3), in: folder)
      #expect(outcome.status == 75, "\(outcome.errors)")
      let start = try #require(try called("mpirun", in: folder).first)
      #expect(start.hasSuffix("train --output runs/a/task-2 --set seed=2"), "\(start)")
      #expect(try called("scontrol", in: folder).last == "scontrol requeue 7_2")
      // A name that already contains the task is used as it is.
      _ = try job(
        "slurm.sbatch", ["--output=runs/%a-b"], environment: array, training: "exit 0", in: folder)
      #expect(try called("mpirun", in: folder).last?.hasSuffix("train --output=runs/2-b") == true)
    }
  }

  @Test func slurmCanStartTheRanksItself() throws {
    try Places.withTemporaryFolder { folder in
      var environment = Self.slurm
      environment["LAUNCHER"] = "srun"
      let outcome = try job(
        "slurm.sbatch", ["--output", "run"], environment: environment, training: "exit 0",
        in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let start = try #require(try called("srun", in: folder).first)
      #expect(start.hasPrefix("srun --mpi=pmix -n 4 "), "\(start)")
      environment["LAUNCHER"] = "x"
      let wrong = try job(
        "slurm.sbatch", ["--output", "run"], environment: environment, training: "exit 0",
        in: folder)
      #expect(wrong.status == 64 && wrong.errors.contains("LAUNCHER is x"), "\(wrong.errors)")
    }
  }

  /// A signal may come while the script still looks for its folder. Nothing starts then.
  @Test(arguments: [("USR2", 75), ("TERM", 75), ("USR1", 0)])
  func aSignalBeforeTheStartIsNotLost(signal: String, status: Int32) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try job(
        "slurm.sbatch", ["--output", "run"],
        environment: Self.slurm.merging(["SIGNAL": signal]) { $1 }, training: "exit 0", in: folder)
      #expect(outcome.status == status, "\(outcome.errors)")
      #expect(try called("mpirun", in: folder).count == (status == 0 ? 1 : 0))
      guard status == 75 else { return }
      #expect(outcome.errors.contains("slurm.sbatch: stopped before the start"))
      #expect(outcome.errors.contains("no new step was saved"), "\(outcome.errors)")
    }
  }

  /// PBS: the job submits itself again, an array's task as a job of its own, and only on progress.
  @Test func pbsComesBackOnProgress() throws {
    try Places.withTemporaryFolder { folder in
      let hosts = "\(folder)/hosts"
      try "n1\nn1\nn2\n".write(toFile: hosts, atomically: true, encoding: .utf8)
      let environment = [
        "PBS_O_WORKDIR": folder, "PBS_NODEFILE": hosts, "LAUNCH": "\(Places.package)/launch",
        "ARGUMENTS": "--output runs/a --set seed=%a", "PBS_ARRAY_INDEX": "5",
      ]
      let save = Self.save("runs/a/task-5", step: 2)
      let outcome = try job("pbs.sh", [], environment: environment, training: save, in: folder)
      #expect(outcome.status == 75, "\(outcome.errors)")
      let start = try #require(try called("mpirun", in: folder).first)
      #expect(start.contains("--hostfile \(hosts) -np 3 "), "\(start)")
      #expect(start.hasSuffix("train --output runs/a/task-5 --set seed=5"), "\(start)")
      let submitted = try #require(try called("qsub", in: folder).first)
      #expect(
        submitted.contains("-v ARGUMENTS=--output runs/a/task-5 --set seed=5,LAUNCH="),
        "\(submitted)")
      let again = try job("pbs.sh", [], environment: environment, training: save, in: folder)
      #expect(again.errors.contains("pbs.sh: no new step was saved"), "\(again.errors)")
      #expect(try called("qsub", in: folder).count == 1)
    }
  }

  /// Grid Engine puts a job back that ends with 99. Here the time limit is a second.
  @Test func gridEngineComesBackOnProgress() throws {
    try Places.withTemporaryFolder { folder in
      let environment = [
        "SGE_O_WORKDIR": folder, "LAUNCH": "\(Places.package)/launch", "NSLOTS": "2",
        "SGE_TASK_ID": "undefined", "SECONDS_OF_WORK": "1",
      ]
      let training =
        "trap '\(Self.save("run", step: 2))' USR2; for i in $(seq 200); do sleep 0.1; done"
      func start() throws -> Program.Outcome {
        try job(
          "sge.sh", ["--output", "run"], environment: environment, training: training, in: folder)
      }
      let outcome = try start()
      #expect(outcome.status == 99, "\(outcome.errors)")
      #expect(
        try called("mpirun", in: folder).first?.hasSuffix("train --output run") == true)
      let again = try start()
      #expect(again.status == 75, "\(again.errors)")
      #expect(again.errors.contains("sge.sh: no new step was saved"), "\(again.errors)")
    }
  }

  @Test(arguments: ["slurm.sbatch", "pbs.sh", "sge.sh"]) func theFolderIsNamed(script: String)
    throws
  {
    try Places.withTemporaryFolder { folder in
      let outcome = try job(
        script, ["--set", "seed=1"],
        environment: Self.slurm.merging([
          "PBS_O_WORKDIR": folder, "LAUNCH": "\(Places.package)/launch", "SGE_O_WORKDIR": folder,
        ]) { $1 }, training: "exit 0", in: folder)
      #expect(outcome.status == 64, "\(outcome.errors)")
      #expect(outcome.errors.contains("add --output RUN"), "\(outcome.errors)")
    }
  }

  @Test func theManifestOfKubernetesIsAnMPIJob() throws {
    let script = """
      import yaml
      job = yaml.safe_load(open("\(Places.package)/launch/kubernetes.yaml"))
      assert (job["apiVersion"], job["kind"]) == ("kubeflow.org/v2beta1", "MPIJob")
      roles = job["spec"]["mpiReplicaSpecs"]
      launcher = roles["Launcher"]["template"]["spec"]["containers"][0]
      ranks = int(launcher["args"][launcher["args"].index("-np") + 1])
      assert ranks == job["spec"]["slotsPerWorker"] * roles["Worker"]["replicas"]
      assert launcher["command"][0].endswith("/launch/supervise")
      assert {role["restartPolicy"] for role in roles.values()} == {"OnFailure"}
      for role in roles.values():
          pod = role["template"]["spec"]
          volumes = {volume["name"] for volume in pod["volumes"]}
          assert all(mount["name"] in volumes for mount in pod["containers"][0]["volumeMounts"])
      print("an MPIJob")
      """
    try Places.withTemporaryFolder { folder in
      guard try Program.python("import yaml", in: folder).status == 0 else { return }
      let outcome = try Program.python(script, in: folder)
      #expect(outcome.output == "an MPIJob\n", "\(outcome.errors)")
    }
  }
}
