// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Diagnosis
import Files
import Foundation
import MPI
import Training

struct Diagnose: DistributedCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Report what this machine has, what is wrong, and how to fix it.",
    discussion: """
      momentum-dist doctor                    this machine, in the environment of the job
      momentum-dist doctor --hostfile hosts   all hosts of a host file
      mpirun ... momentum-dist doctor         the hosts of a job with these options

      Checks cores, instructions, memory, Open MPI, OpenBLAS, HDF5 and the folder for runs, starts \
      two ranks under mpirun, and trains nothing. On several hosts it also compares them: the \
      program, the libraries, the clocks, and whether all see the same folder for runs. A line \
      names the hosts that it is about, unless it is about all. Exits with 1 if something is wrong.
      """)

  @Option(help: ArgumentHelp("Where runs are to be written.", valueName: "folder"))
  var output = "runs"

  @Option(help: ArgumentHelp("Check the hosts of this host file of mpirun.", valueName: "file"))
  var hostfile: String?

  @Flag(help: "Print one JSON object per check.")
  var json = false

  /// As one of the two ranks that a doctor has started: says whether they are connected.
  @Flag(help: .hidden)
  var answer = false

  func run() throws {
    if let hostfile { try start(on: hostfile) }
    guard Launcher.current.isManaged else {
      guard Launch.isFirstRank else { return }
      return try report(Doctor(output: output, program: Doctor.ownProgram).findings())
    }
    let world = try Launch.communicator()
    if answer {
      if world.rank == 0, world.size == 2 { print(Doctor.answer) }
    } else if world.size == 1 {
      try report(Doctor(output: output, program: Doctor.ownProgram).findings())
    } else {
      try report(Doctor(output: output).findings(on: world), on: world)
    }
  }

  private func report(_ findings: [Finding]) throws {
    for finding in findings { print(json ? try Bench.json(finding) : finding.lines) }
    if findings.contains(where: { $0.state == .wrong }) { throw ExitCode(1) }
  }

  /// Prints what rank 0 has, and ends all ranks with the same status.
  private func report(_ findings: [Finding]?, on world: Communicator) throws {
    let isWrong = findings?.contains { $0.state == .wrong } ?? false
    let isWrongAnywhere = try world.allreduce(isWrong ? 1 : 0, .maximum) == 1
    try report(findings ?? [])
    if isWrongAnywhere { throw ExitCode(1) }
  }

  /// Replaces this process by mpirun with one rank of this program on each host.
  private func start(on hostfile: String) throws -> Never {
    guard !Launcher.current.isManaged else {
      throw ValidationError("--hostfile starts mpirun itself; leave out mpirun or --hostfile")
    }
    guard FileManager.default.isReadableFile(atPath: hostfile), !DurableFiles.isFolder(hostfile)
    else {
      throw RunFailure(
        .unusableData, "\(hostfile): cannot be read; name a host file, with a host on each line")
    }
    var words = ["mpirun", "--hostfile", hostfile, "--map-by", "ppr:1:node", "--bind-to", "none"]
    words += [Doctor.ownProgram, "doctor", "--output", output] + (json ? ["--json"] : [])
    var arguments = words.map { strdup($0) } + [nil]
    fflush(nil)
    execvp("mpirun", &arguments)
    throw RunFailure(
      .configuration,
      "cannot start mpirun: \(String(cString: strerror(errno)));"
        + " apt-get install openmpi-bin, or put mpirun on the PATH")
  }
}
