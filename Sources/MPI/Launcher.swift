// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The program that started this process, as described by environment variables.
///
///     let launcher = Launcher.current
///     if let problem = launcher.mismatch(worldSize: world.size, rank: world.rank) { ... }
///
/// An MPI library that does not understand its launcher silently makes every process rank 0 of 1.
/// The launcher's variables tell how many ranks the user meant to start.
public struct Launcher: Sendable {
  /// The environment variable with the number of ranks that the user means to start. It overrides
  /// the launcher's variables. With `1`, a process of a larger job runs alone.
  public static let statedRanks = "MOMENTUM_DIST_RANKS"

  /// The launcher of this process.
  public static let current = Launcher(ProcessInfo.processInfo.environment)

  private let environment: [String: String]

  /// Reads the launcher from the variables of an environment.
  public init(_ environment: [String: String]) {
    self.environment = environment
  }

  /// The rank that the launcher gave this process, known before MPI starts; 0 without a launcher.
  public var rank: Int {
    if let rank = number(["OMPI_COMM_WORLD_RANK", "PMIX_RANK"]) { return rank }
    if environment[Self.statedRanks] == "1" { return 0 }
    return number(["PMI_RANK"]) ?? (isTask ? number(["SLURM_PROCID"]) : nil) ?? 0
  }

  /// Whether Open MPI's mpirun or a similar launcher started this process.
  public var isOpenMPI: Bool {
    environment["OMPI_COMM_WORLD_RANK"] != nil || environment["PMIX_RANK"] != nil
  }

  /// Whether a process manager is present that can connect MPI to other ranks.
  public var isManaged: Bool {
    [
      "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMIX_NAMESPACE", "PMI_RANK", "PMI_SIZE", "PMI_FD",
    ].contains { environment[$0] != nil }
  }

  /// Returns what is wrong and what to do if MPI and the launcher disagree; nil if they agree.
  ///
  /// - Parameters:
  ///   - worldSize: the number of ranks that MPI connects
  ///   - rank: the rank that MPI gives this process
  public func mismatch(worldSize: Int, rank: Int) -> String? {
    let library = Environment.libraryVersion.prefix { $0 != "," }
    if let text = environment[Self.statedRanks] {
      guard let stated = Int(text), stated > 0 else {
        return "\(Self.statedRanks)=\(text) is not a number of 1 or more; correct or unset it"
      }
      return stated == worldSize
        ? nil
        : "\(Self.statedRanks)=\(stated), but MPI connects \(Self.ranks(worldSize)); start"
          + " \(stated) with the mpirun of \(library), or unset the variable"
    }
    let alone = "or set \(Self.statedRanks)=1 to run each process alone"
    let sizes = ["OMPI_COMM_WORLD_SIZE"] + (isOpenMPI ? [] : ["PMI_SIZE"])
    for name in sizes {
      guard let size = number([name]) else { continue }
      return size == worldSize
        ? nil
        : "\(name)=\(size): the launcher started \(Self.ranks(size)), but MPI connects"
          + " \(worldSize); use the mpirun of \(library), the library of this program, \(alone)"
    }
    if let own = number(["PMIX_RANK"]), own != rank {
      return "PMIX_RANK=\(own): the launcher counts this process as rank \(own), but MPI as rank"
        + " \(rank) of \(worldSize); use the mpirun of \(library), the library of this program,"
        + " \(alone)"
    }
    // One world may include several programs, so only a process that is alone is an error.
    guard worldSize == 1 else { return nil }
    for name in ["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS"] {
      guard let tasks = number([name]) else { continue }
      return tasks <= 1
        ? nil
        : "\(name)=\(tasks): the Slurm job has \(tasks) tasks, but MPI connects 1; start with"
          + " mpirun -np \(tasks), or srun --mpi=pmix where Slurm has it, \(alone)"
    }
    return nil
  }

  /// Lets a process start MPI by itself if there is no process manager.
  ///
  /// Otherwise Open MPI 4 starts a daemon, `orted`, which is missing if only the library is
  /// installed. In a task of Slurm's srun it expects a process manager. It also creates a folder
  /// for the job's files, `ompi.HOST.UID`, which all jobs of a user share and the last one removes.
  /// A process that starts while another one ends may then fail to create it. A single rank needs
  /// no such files. Open MPI 5 needs none of this, and ignores these settings.
  ///
  /// - Parameter start: starts MPI. The settings are removed afterwards, because an mpirun started
  ///   by this process would read them too.
  static func isolatedIfAlone<Failure: Error>(
    _ start: () throws(Failure) -> Void
  ) throws(Failure) {
    guard !current.isManaged else { return try start() }
    let settings = [
      "OMPI_MCA_ess_singleton_isolated": "1", "OMPI_MCA_orte_create_session_dirs": "0",
    ].filter { getenv($0.key) == nil }
    for (name, value) in settings { setenv(name, value, 0) }
    defer { for name in settings.keys { unsetenv(name) } }
    unsetenv("SLURM_STEPID")
    unsetenv("SLURM_STEP_ID")
    try start()
  }

  /// Whether srun started this process.
  private var isTask: Bool {
    environment["SLURM_PROCID"] != nil && environment["SLURM_STEP_NUM_TASKS"] != nil
  }

  private func number(_ names: [String]) -> Int? {
    names.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first
  }

  private static func ranks(_ count: Int) -> String { count == 1 ? "1 rank" : "\(count) ranks" }
}
