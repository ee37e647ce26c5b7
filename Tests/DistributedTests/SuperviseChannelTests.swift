import Foundation
import TestSupport
import Testing

/// How launch/supervise knows that a rank was lost, with shell commands in the place of a training.
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

  /// What a run prints may come from a file that somebody else made.
  @Test func textRestartsNothing() throws {
    let (outcome, starts) = try supervise(
      [],
      "echo 'momentum-dist: x; ended on every rank; y' >&2; sleep 1; exit 65")
    #expect(outcome.status == 65 && starts == 1, "\(outcome.errors)")
  }

  /// Nor does it end a run that is well: it takes longer than the patience with mpirun.
  @Test func textEndsNothing() throws {
    let (outcome, starts) = try supervise(
      [], "echo 'momentum-dist: x; ended on every rank; y' >&2; sleep 18; exit 0")
    #expect(outcome.status == 0 && starts == 1, "\(outcome.errors)")
  }

  /// The file of the ranks does, also where the launcher's status says something else.
  @Test func theFileOfTheRanksRestarts() throws {
    let (outcome, starts) = try supervise(
      [], "[ $(wc -l <starts) = 1 ] || exit 0; touch run/peer-lost; exit 1")
    #expect(outcome.status == 0 && starts == 2, "\(outcome.errors)")
    #expect(outcome.errors.contains("restart 1 of 3 from the beginning"))
  }

  /// An old one is of another run; one that cannot be taken away is somebody's.
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
