// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Diagnosis
import Foundation

struct Diagnose: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Report what this machine has, what is wrong, and how to fix it.",
    discussion: """
      Checks cores, instructions, memory, Open MPI, OpenBLAS, HDF5 and the folder for runs, starts \
      two ranks under mpirun, and trains nothing. Run it on each machine of the job, in the \
      environment of the job. Exits with 1 if something is wrong.
      """)

  @Option(help: ArgumentHelp("Where runs are to be written.", valueName: "folder"))
  var output = "runs"

  @Flag(help: "Print one JSON object per check.")
  var json = false

  /// As one of the two ranks that a doctor has started: says whether they are connected.
  @Flag(help: .hidden)
  var answer = false

  func run() throws {
    guard !answer else {
      let world = try Launch.communicator()
      if world.rank == 0, world.size == 2 { print(Doctor.answer) }
      return
    }
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    let findings = Doctor(output: output, program: program).findings()
    for finding in findings { print(json ? try Bench.json(finding) : finding.lines) }
    if findings.contains(where: { $0.state == .wrong }) { throw ExitCode(1) }
  }
}
