// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Datasets
import Dispatch
import Files
import Foundation
import Liveness
import MPI
import Training

/// Starts and ends a process that is one of one or many ranks.
enum Launch {
  /// Whether this process prints what concerns the whole run. Known from the launcher's
  /// environment before MPI starts, so that a wrong command line is reported once.
  static var isFirstRank: Bool { Launcher.current.rank == 0 }

  /// Whether mpirun or its like started this process.
  static var isLaunched: Bool { Launcher.current.isOpenMPI }

  /// The folder that gets notes for launch/supervise when the run ends. Set by the main thread.
  nonisolated(unsafe) static var notes: RunFolder? {
    didSet { Deadline.lossNote = notes?.lossNote }
  }

  /// The name of the host of each rank, in the order of the ranks. Set by `communicator()`.
  private nonisolated(unsafe) static var hosts: [String] = []

  /// Starts MPI. Without a launcher this is rank 0 of 1.
  ///
  /// - Throws: a failure of status `configuration` if a launcher started more ranks than MPI
  ///   connects, as one of another MPI does
  static func communicator() throws(RunFailure) -> Communicator {
    let launcher = Launcher.current
    // Without a process manager MPI can connect only this rank, and may print a long message about
    // it.
    if !launcher.isManaged, let problem = launcher.mismatch(worldSize: 1, rank: 0) {
      throw refused(problem)
    }
    let (world, problem): (Communicator, String?)
    do {
      (world, problem) = try withinStartLimit {
        try MPI.Environment.initialize()
        let all = try Communicator.world()
        // This must precede the grouping of ranks, which renumbers them.
        let problem = launcher.mismatch(worldSize: all.size, rank: all.rank)
        let world = try all.groupedByHost()
        try Deadline.start(on: world)
        hosts = try world.hostNames()
        return (world, problem)
      }
    } catch {
      throw RunFailure(error)
    }
    // Environments may differ between hosts: an error on one rank ends all ranks.
    try Agreement(world).together {
      if let problem { throw refused(problem) }
      if StartLimit.seconds(ProcessInfo.processInfo.environment) == nil {
        throw RunFailure(
          .configuration,
          "\(StartLimit.variable) is not a number of seconds; set it to one, such as"
            + " \(Int(StartLimit.standard))")
      }
    }
    return world
  }

  /// The failure of ranks that are not connected. The launcher ends all ranks when the first one
  /// exits, so rank 0 must print the reason before that.
  private static func refused(_ problem: String) -> RunFailure {
    if !isFirstRank { Thread.sleep(forTimeInterval: 2) }
    return RunFailure(.configuration, problem)
  }

  private static func withinStartLimit<Result>(_ body: () throws -> Result) rethrows -> Result {
    let seconds = StartLimit.seconds(ProcessInfo.processInfo.environment) ?? StartLimit.standard
    return try StartLimit.during(seconds: seconds, rank: Launcher.current.rank, body)
  }

  /// Ends the process with a status. All ranks call this with the same status.
  ///
  /// It ends at once and runs no exit handlers of libraries: a thread may still be reading data in
  /// a library that such a handler would shut down.
  static func end(_ status: ExitStatus) -> Never {
    Deadline.enter(.ending)
    if isFirstRank { for note in FileSystemGap.takeNotes() { say(note) } }
    var status = status
    // Printed text may still be in a buffer. If the reader has closed the pipe, as `head` does, it
    // has read enough.
    if fflush(nil) != 0, errno != EPIPE, status == .done {
      let reason = String(cString: strerror(errno))
      say("momentum-dist: cannot write to standard output: \(reason); free space, or redirect it")
      status = .diskFailure
    }
    if MPI.Environment.isInitialized { MPI.Environment.finalize() }
    fflush(nil)
    _exit(status.rawValue)
  }

  /// Prints the reason and ends the process. All ranks call this together with the same failure,
  /// and rank 0 prints it. A lost peer is the exception: the rank that notices it prints it and
  /// ends the others, which may be waiting for it.
  static func end(_ failure: RunFailure) -> Never {
    let isAlone = failure.status == .peerLost && MPI.Environment.isInitialized
    if isFirstRank || isAlone {
      say("momentum-dist: \(failure.message)")
    }
    if isFirstRank { noteWrongHost(failure) }
    if isAlone {
      Deadline.noteLoss()
      abort(failure.status)
    }
    end(failure.status)
  }

  /// Prints the failure and ends all ranks, even if the others do not answer.
  static func endAlone(_ failure: RunFailure) -> Never {
    say("momentum-dist: \(failure.message)")
    noteWrongHost(failure)
    abort(failure.status)
  }

  /// Notes the host that an audit found, for launch/supervise.
  private static func noteWrongHost(_ failure: RunFailure) {
    guard let host = failure.wrongHost, let notes else { return }
    do {
      try DurableFiles.write(host.note(hosts: hosts), to: notes.hostNote)
    } catch {
      say("momentum-dist: \(error)")
    }
  }

  /// Ends all ranks of MPI's world.
  private static func abort(_ status: ExitStatus) -> Never {
    Deadline.end(within: 5)  // MPI may not be able to
    MPI.Environment.abort(code: status.rawValue)
  }

  /// Ends all ranks if a memory allocation fails on any thread of this rank.
  @Sendable static func outOfMemory(_ bytes: Int) -> Never {
    // Similar ranks run out of memory together: rank 0 prints the message and ends the others.
    if !isFirstRank { Thread.sleep(forTimeInterval: 4) }
    say(
      "momentum-dist: cannot allocate \(bytes) more bytes of memory; lower batch_size or"
        + " model.hidden_size, set model.recompute_every, or start fewer ranks on this machine")
    if isLaunched, MPI.Environment.isInitialized { abort(.configuration) }
    _exit(ExitStatus.configuration.rawValue)
  }

  /// Ends the process with the status of a wrong command line, after all ranks have reached this
  /// call: mpirun ends all ranks when the first one fails, so rank 0 must print the reason before
  /// that.
  static func endTogether(_ status: Int32) -> Never {
    if isLaunched {
      withinStartLimit {
        if (try? MPI.Environment.initialize()) != nil { MPI.Environment.finalize() }
      }
    }
    exit(status)
  }

  /// Ends the process with a code of its command. All ranks call this with the same code.
  static func end(withCode code: Int32) -> Never {
    fflush(nil)
    if MPI.Environment.isInitialized { MPI.Environment.finalize() }
    exit(code)
  }

  /// Prints a line on standard error. A closed pipe must not change the exit status.
  static func say(_ line: String) {
    Training.Progress.endLine()
    try? FileHandle.standardError.write(contentsOf: Data("\(line.visible)\n".utf8))
  }

  /// Leaves no half-written data set behind when Ctrl-C, SIGTERM or a closed terminal ends a
  /// command that has nothing to save. A signal that is ignored, as by `nohup`, stays so.
  static func cleanUpWhenInterrupted() {
    interrupts = [SIGINT, SIGTERM, SIGHUP].filter { !SignalWatch.isIgnored($0) }.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        DatasetFile.removeUnfinished()
        _exit(128 + number)
      }
      source.resume()
      return source
    }
  }

  /// Keeps the signal sources alive. Set once, by the main thread.
  private nonisolated(unsafe) static var interrupts: [any DispatchSourceSignal] = []
}
