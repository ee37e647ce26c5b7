// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// launch/supervise restarts a program that lost a rank, but not one that cannot start.
@Suite(.serialized) struct SuperviseStartTests {
  private func supervise(
    _ command: [String], _ options: [String] = [], in folder: String
  ) throws -> Program.Outcome {
    try Program.script("supervise", options + command, in: folder, deadline: 60)
  }

  private static let neverStarted = "supervise: the program never started"

  @Test(arguments: [
    ["mpirun", "--oversubscribe", "-np", "2", "/nowhere/momentum-dist"],
    ["mpirun", "--oversubscribe", "-np", "2", "no-such-program"],
    ["mpirun", "--oversubscribe", "-np", "2", "--host", "no-such-host.invalid:2", "true"],
    ["mpirun", "--oversubscribe", "-np", "2", "bash", "-c", "exit 127", "bash"],
    ["/nowhere/mpirun", "-np", "2", "true"],
  ])
  func whatCannotStartIsNotStartedAgain(command: [String]) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try supervise(command + ["--output", "run"], in: folder)
      #expect(outcome.errors.contains(Self.neverStarted), "\(outcome.errors)")
      #expect(!outcome.errors.contains("restart 1"), "\(outcome.errors)")
      #expect(outcome.status != 0 && outcome.status != 76, "\(outcome.errors)")
      let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/run")
      #expect(left.isEmpty, "\(left)")
    }
  }

  /// The same statuses after the ranks have written something, and ranks that are killed early.
  @Test(arguments: [("echo x >run/log; exit 255", 76), ("kill -KILL $$", 76), ("exit 255", 255)])
  func whatHadStartedIsLost(script: String, status: Int32) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try supervise(
        ["bash", "-c", script, "bash", "--output", "run"], ["--restarts", "1"], in: folder)
      #expect(outcome.status == status, "\(outcome.errors)")
      #expect(outcome.errors.contains("restart 1 of 1") == (status == 76), "\(outcome.errors)")
      #expect(outcome.errors.contains(Self.neverStarted) == (status != 76), "\(outcome.errors)")
    }
  }

  /// The number of ranks is found by each of its names, and by no other program's -c.
  @Test(arguments: [
    (["-np", "4"], "3 ranks"), (["--np", "4"], "3 ranks"), (["-n", "4"], "3 ranks"),
    (["-c", "4"], "3 ranks"), (["-c", "text", "-np", "08"], "7 ranks"), (["--hosts", "4"], nil),
  ])
  func fewerKnowsEachNameOfTheNumber(option: [String], expected: String?) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try supervise(
        ["bash", "-c", "exit 76", "bash"] + option + ["--output", "run"],
        ["--restarts", "1", "--fewer"], in: folder)
      guard let expected else {
        #expect(outcome.status == 64, "\(outcome.errors)")
        return
      }
      #expect(outcome.errors.contains("from the beginning, on \(expected)"), "\(outcome.errors)")
    }
  }

  @Test func ofAVirtualClusterOneHostIsLeftOut() throws {
    try Places.withTemporaryFolder { folder in
      let script = "\(folder)/virtual-cluster"
      try "#!/bin/sh\necho $2 >>hosts\nexit 76\n".write(
        toFile: script, atomically: true, encoding: .utf8)
      try #require(chmod(script, 0o755) == 0)
      let outcome = try supervise(
        [script, "--hosts", "3", "x", "train", "--output", "run"],
        ["--restarts", "1", "--fewer"], in: folder)
      #expect(outcome.errors.contains("from the beginning, on 2 hosts"), "\(outcome.errors)")
      #expect(try String(contentsOfFile: "\(folder)/hosts", encoding: .utf8) == "3\n2\n")
    }
  }
}
