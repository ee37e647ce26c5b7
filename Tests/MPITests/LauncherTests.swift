// SPDX-License-Identifier: Apache-2.0

import MPI
import Testing

/// The meaning of the variables of each launcher, and worlds of MPI that contradict them.
@Suite struct LauncherTests {
  private func mismatch(
    _ environment: [String: String], _ worldSize: Int = 1, rank: Int = 0
  ) -> String? {
    Launcher(environment).mismatch(worldSize: worldSize, rank: rank)
  }

  @Test func worldsThatAgree() {
    #expect(mismatch([:]) == nil)
    #expect(mismatch(["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "0"], 4) == nil)
    // mpirun in a Slurm job, on all of its tasks and on one.
    let job = ["SLURM_NTASKS": "2", "SLURM_PROCID": "0"]
    for size in [1, 2] {
      #expect(mismatch(job.merging(["OMPI_COMM_WORLD_SIZE": "\(size)"]) { $1 }, size) == nil)
    }
    // srun --mpi=pmix; one task of a larger job; another launcher's PMI below mpirun.
    #expect(
      mismatch(["PMIX_RANK": "1", "SLURM_NTASKS": "2", "SLURM_PROCID": "1"], 2, rank: 1) == nil)
    #expect(mismatch(["SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "1"]) == nil)
    #expect(mismatch(["OMPI_COMM_WORLD_SIZE": "2", "PMI_SIZE": "7"], 2) == nil)
    // Two programs of one heterogeneous job share a world.
    #expect(mismatch(["PMIX_RANK": "1", "SLURM_NTASKS": "2"], 4, rank: 1) == nil)
  }

  @Test(arguments: [
    (["PMI_SIZE": "2", "PMI_RANK": "0"], "PMI_SIZE=2: the launcher started 2 ranks"),
    (["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3"], "OMPI_COMM_WORLD_SIZE=4"),
    (["SLURM_NTASKS": "2"], "SLURM_NTASKS=2: the Slurm job has 2 tasks, but MPI connects 1"),
    (["SLURM_NPROCS": "3"], "mpirun -np 3"),
    (["PMIX_RANK": "1", "PMIX_NAMESPACE": "slurm.pmix.7.0"], "PMIX_RANK=1"),
  ])
  func worldsThatDisagree(environment: [String: String], text: String) throws {
    let problem = try #require(mismatch(environment))
    #expect(problem.contains(text), "\(problem)")
    #expect(problem.contains("MOMENTUM_DIST_RANKS=1"), "\(problem)")
    // The user's setting overrides the launcher's.
    #expect(mismatch(environment.merging(["MOMENTUM_DIST_RANKS": "1"]) { $1 }) == nil)
  }

  @Test func theStatedNumberIsCompared() {
    #expect(mismatch(["MOMENTUM_DIST_RANKS": "4"], 4) == nil)
    #expect(mismatch(["MOMENTUM_DIST_RANKS": "4"], 2)?.contains("MPI connects 2 ranks") == true)
    for text in ["", "0", "-1", "x", "1.5"] {
      #expect(
        mismatch(["MOMENTUM_DIST_RANKS": text])?.contains("is not a number") == true, "\(text)")
    }
  }

  @Test func ranksAreKnownBeforeMPIStarts() {
    func rank(_ environment: [String: String]) -> Int { Launcher(environment).rank }
    #expect(rank([:]) == 0)
    #expect(rank(["OMPI_COMM_WORLD_RANK": "3", "PMI_RANK": "1", "SLURM_PROCID": "0"]) == 3)
    #expect(rank(["PMIX_RANK": "2"]) == 2)
    #expect(rank(["PMI_RANK": "1"]) == 1)
    #expect(rank(["SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "8"]) == 5)
    // Each process of a job of single ranks is the first of its own.
    #expect(
      rank(["SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "8", "MOMENTUM_DIST_RANKS": "1"]) == 0)
    #expect(rank(["PMI_RANK": "5", "MOMENTUM_DIST_RANKS": "1"]) == 0)
  }

  @Test func managers() {
    #expect(!Launcher(["SLURM_NTASKS": "2", "SLURM_STEP_NUM_TASKS": "2"]).isManaged)
    #expect(!Launcher(["MOMENTUM_DIST_RANKS": "1"]).isManaged)
    for name in ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_FD", "PMI_RANK"] {
      #expect(Launcher([name: "0"]).isManaged, "\(name)")
    }
  }
}
