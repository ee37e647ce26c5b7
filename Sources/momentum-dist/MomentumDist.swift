// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Files
import Foundation
import Tensors
import Training

/// The command line. This target has only the commands; the modules below do the work.
@main
struct MomentumDist: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "momentum-dist",
    abstract: "Trains recurrent networks on CPU clusters, data-parallel over MPI.",
    discussion: """
      momentum-dist train                        one rank: trains on a generated task
      mpirun -np 8 momentum-dist train           the same on eight: the same bits
      mpirun -np 3 momentum-dist train --resume  continues from the last checkpoint

      Ranks are refused if the launcher of a different MPI started them, or if a Slurm job has \
      several tasks without mpirun or srun --mpi=pmix; MOMENTUM_DIST_RANKS=1 lets each process run \
      alone. If MPI does not start within MOMENTUM_DIST_START_TIMEOUT seconds (300), the rank ends \
      with status 76.

      Exit status: 0 done, 1 a check failed, 64 usage, 65 unusable data or checkpoint, 70 diverged \
      or a wrong result found, 71 internal error, 74 disk, 75 stopped and saved (run again with \
      --resume), 76 a rank was lost or late, 78 configuration.
      """,
    version: programVersion,
    subcommands: [
      Train.self, Evaluate.self, Predict.self, Prepare.self, Generate.self, Inspect.self,
      Verify.self, Probe.self, Report.self, Watch.self, List.self, Bench.self, Export.self,
      Diagnose.self, Cells.self,
    ])

  /// Runs the command; every rank ends with the same status, and only rank 0 reports the reason.
  static func main() {
    // Before the program starts itself again, with changed arguments.
    ArgumentText.refuseOtherBytes()
    BLASCore.correct()
    OpenFileLimit.raise()
    signal(SIGPIPE, SIG_IGN)  // a launcher that exits first must not interrupt a save
    signal(SIGXFSZ, SIG_IGN)  // a file size limit is then a write error, like a full disk
    OutOfMemory.handler = Launch.outOfMemory
    if let line = FamiliarWords.unknownHelp(Array(CommandLine.arguments.dropFirst())) {
      if Launch.isFirstRank { Launch.say(line) }
      Launch.endTogether(ExitStatus.usage.rawValue)
    }
    do {
      var command = try parseAsRoot()
      if !(command is any DistributedCommand) {
        guard Launch.isFirstRank else { Launch.end(.done) }
        // A server first completes the responses in progress.
        if (command as? Watch)?.port == nil { Launch.cleanUpWhenInterrupted() }
      }
      try command.run()
    } catch let failure as RunFailure {
      Launch.end(failure)
    } catch let code as ExitCode {
      // The command has printed its findings on standard output.
      Launch.end(withCode: code.rawValue)
    } catch {
      let code = exitCode(for: error)
      guard code != .success else {
        // Help and version: `exit(withError:)` would not notice a full disk.
        print(fullMessage(for: error))
        Launch.end(.done)
      }
      // Any other error comes from the modules that the command uses.
      if code == .failure { Launch.end(RunFailure(error)) }
      if Launch.isFirstRank { Launch.say(usageLine(for: error)) }
      Launch.endTogether(code.rawValue)
    }
    Launch.end(.done)
  }

  /// One line with the problem in the command line, and the command that prints its help.
  private static func usageLine(for error: any Error) -> String {
    let message = message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
    // The parser's own text ends with: See 'momentum-dist train --help' for more information.
    let help = fullMessage(for: error).split(separator: "'").last { $0.hasSuffix("--help") }
    if let hint = FamiliarWords.hint(Array(CommandLine.arguments.dropFirst()), message) {
      // The parser's nearest match is not always what the user meant.
      let problem = message.split(separator: ". Did you mean").first.map(String.init) ?? message
      return "momentum-dist: \(problem.trimmingSuffix(".")); \(hint)"
    }
    return "momentum-dist: \(message.trimmingSuffix(".")); see \(help ?? "momentum-dist --help")"
  }
}

/// A command whose ranks, started by mpirun, work together. In any other command, rank 0 does the
/// work and the other ranks exit.
protocol DistributedCommand: ParsableCommand {}

extension String {
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
