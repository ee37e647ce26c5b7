import ArgumentParser
import Foundation
import Training

/// The command line. Commands only: what they do is in the modules below.
@main
struct MomentumDist: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "momentum-dist",
    abstract: "Trains recurrent networks with momentum, data-parallel over MPI.",
    discussion: """
      momentum-dist train                        one rank: learns a generated task
      mpirun -np 8 momentum-dist train           the same on eight: the same bits
      mpirun -np 3 momentum-dist train --resume  goes on from the last checkpoint

      Exit status: 0 done, 64 usage, 65 unusable data or checkpoint, 70 diverged, 74 disk,
      75 preempted and saved (run again with --resume), 76 a peer was lost, 78 configuration.
      """,
    version: programVersion,
    subcommands: [
      Train.self, Evaluate.self, Prepare.self, Generate.self, Inspect.self, Verify.self, Probe.self,
      Report.self, Bench.self, Export.self, Diagnose.self,
    ])

  /// Runs the command; every rank ends with the same status, and rank 0 alone says why.
  static func main() {
    BLASCore.correct()
    signal(SIGPIPE, SIG_IGN)  // a launcher that goes away first must not end a save half-way
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as RunFailure {
      Launch.end(failure)
    } catch {
      let code = exitCode(for: error)
      guard Launch.isLaunched, code != .success else { exit(withError: error) }
      if Launch.isFirstRank { Launch.say(fullMessage(for: error)) }
      Launch.endTogether(code.rawValue)
    }
    Launch.end(.done)
  }
}
