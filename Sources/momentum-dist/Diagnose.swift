import ArgumentParser
import Diagnosis

struct Diagnose: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Report what this machine has, what is wrong, and how to fix it.",
    discussion: """
      Checks cores, instructions, memory, Open MPI, OpenBLAS, HDF5 and the folder for runs, and \
      trains nothing. Start it on each machine that will have ranks, in the same environment. \
      Exits with 1 if something is wrong.
      """)

  @Option(help: ArgumentHelp("Where runs are to be written.", valueName: "folder"))
  var output = "runs"

  @Flag(help: "Print one JSON object per check.")
  var json = false

  func run() throws {
    let findings = Doctor(output: output).findings()
    for finding in findings { print(json ? try Bench.json(finding) : finding.lines) }
    if findings.contains(where: { $0.state == .wrong }) { throw ExitCode(1) }
  }
}
