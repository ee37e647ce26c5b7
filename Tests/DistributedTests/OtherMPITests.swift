// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Another Open MPI, if the environment names one.
enum OtherMPI {
  static let folder = ProcessInfo.processInfo.environment["MOMENTUM_DIST_OTHER_MPI"]

  /// Whether mpirun leaves the ranks time to save after SIGTERM, as that of Open MPI 4 does.
  static let mpirunWaits: Bool = {
    let outcome = try? Places.withTemporaryFolder { try Program.bash("mpirun --version", in: $0) }
    precondition(outcome?.status == 0, "mpirun --version fails; install openmpi-bin")
    return outcome?.output.contains("(Open MPI) 4") == true
  }()
}

/// The program with another Open MPI than the one that it was built with, such as 5 instead of 4.
@Suite(
  .serialized,
  .enabled(
    if: OtherMPI.folder != nil,
    "needs another Open MPI: MOMENTUM_DIST_OTHER_MPI names its folder, with bin and lib")
) struct OtherMPITests {
  private static let arguments = RankCountTests.arguments + ["--max-steps", "20"]

  /// What makes a program use the library or the mpirun of the other Open MPI.
  private static func variables(library: Bool, launcher: Bool) -> [String: String] {
    guard let folder = OtherMPI.folder else { return [:] }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return (library ? ["LD_LIBRARY_PATH": "\(folder)/lib"] : [:])
      .merging(launcher ? ["PATH": "\(folder)/bin:\(path)"] : [:]) { $1 }
  }

  private static let both = variables(library: true, launcher: true)

  @Test(arguments: [nil, 1, 2, 3]) func theBitsAreTheSame(ranks: Int?) throws {
    try Places.withTemporaryFolder { folder in
      let own = try Program.run(["train", "--output", "own"] + Self.arguments, in: folder)
      #expect(own.status == 0, "\(own.errors)")
      let outcome = try Program.run(
        ["train", "--output", "other"] + Self.arguments, ranks: ranks, in: folder,
        environment: Self.both)
      #expect(outcome.status == 0, "\(outcome.errors)")
      // No warning of the library's.
      #expect(!outcome.errors.contains("---"), "\(outcome.errors)")
      #expect(
        try RankCountTests.digest("other", in: folder) == RankCountTests.digest("own", in: folder))
    }
  }

  /// One rank needs neither mpirun nor its daemon.
  @Test func oneRankNeedsNoLauncher() throws {
    try Places.withTemporaryFolder { folder in
      let words = Self.arguments.map { "'\($0)'" }.joined(separator: " ")
      let outcome = try Program.shell(
        "PATH=/nowhere \"$PROGRAM\" train --output run \(words)", in: folder,
        environment: Self.variables(library: true, launcher: false))
      #expect(outcome.status == 0 && !outcome.errors.contains("---"), "\(outcome.errors)")
    }
  }

  @Test func theDoctorKnowsIt() throws {
    try Places.withTemporaryFolder { folder in
      let own = try Program.run(["doctor"], in: folder, environment: Self.both, deadline: 90)
      #expect(own.output.contains(", with its mpirun\n"), "\(own.output)")
      #expect(
        own.output.contains("ok     two ranks       start under mpirun and reach each other"),
        "\(own.output)")
      // The mpirun of one and the library of the other may understand each other.
      let mixed = try Program.run(
        ["doctor"], in: folder, environment: Self.variables(library: false, launcher: true),
        deadline: 90)
      #expect(mixed.output.contains("note   Open MPI        the library is "), "\(mixed.output)")
    }
  }

  /// `supervise` knows the statuses of its mpirun.
  @Test(arguments: [["/nowhere/momentum-dist"], ["no-such-program"]])
  func whatCannotStartIsNotStartedAgain(program: [String]) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.script(
        "supervise",
        ["mpirun", "--oversubscribe", "-np", "2"] + program + ["--output", "run"], in: folder,
        environment: Self.both, deadline: 60)
      #expect(outcome.errors.contains("supervise: the program never started"), "\(outcome.errors)")
    }
  }

  @Test(
    .enabled(if: VirtualHosts.arePossible, Comment(rawValue: VirtualHosts.reason)))
  func theBitsAreTheSameOnSeveralHosts() throws {
    try Places.withTemporaryFolder { folder in
      let own = try Program.run(["train", "--output", "own"] + Self.arguments, in: folder)
      #expect(own.status == 0, "\(own.errors)")
      for (run, options) in [
        ("two", ["--hosts", "2", "--ranks-per-host", "2"]),
        ("spread", ["--hosts", "3", "--ranks-per-host", "2", "--mpirun", "--map-by node"]),
      ] {
        let outcome = try Program.script(
          "virtual-cluster",
          options + ["\(Program.products)/momentum-dist", "train", "--output", run]
            + Self.arguments, in: folder, environment: Self.both, deadline: 90)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
          try RankCountTests.digest(run, in: folder) == RankCountTests.digest("own", in: folder))
      }
    }
  }
}
