// SPDX-License-Identifier: Apache-2.0

import Foundation
import MPI

/// The MPI library that the program uses, and the launcher on the path, which should belong
/// together.
struct OpenMPICheck {
  /// The name and version that the library reports.
  var library: String
  /// The name and version that `mpirun --version` prints; nil if there is no mpirun.
  var launcher: String?

  static func here() -> OpenMPICheck {
    OpenMPICheck(library: MPI.Environment.libraryVersion, launcher: launcherVersion())
  }

  /// 4.1 of "Open MPI v4.1.4, package: ..." and of "mpirun (Open MPI) 4.1.4".
  static func version(_ text: String) -> String? {
    text.firstMatch(of: /([0-9]+\.[0-9]+)(\.[0-9]+)?/).map { String($0.1) }
  }

  /// The library of a rank that is connected to others: its launcher has proved itself.
  var libraryFinding: Finding { .good("Open MPI", String(name)) }

  private var name: Substring { library.prefix { $0 != "," } }

  var finding: Finding {
    guard let launcher else {
      return .note(
        "Open MPI", "\(name), but there is no mpirun on the path: one rank runs",
        cure: "for more, apt-get install openmpi-bin")
    }
    let cure = "put the mpirun of \(name) first on the PATH"
    guard library.contains("Open MPI") == launcher.contains("Open MPI") else {
      return .wrong(
        "Open MPI",
        "the library is \(name), the mpirun on the path \(launcher): every rank would"
          + " run alone", cure: cure)
    }
    // Open MPI 4 and 5 connect the ranks of each other by PMIx, in most versions.
    guard Self.version(library) == Self.version(launcher) else {
      return .note(
        "Open MPI",
        "the library is \(name), the mpirun on the path \(launcher): they may be"
          + " incompatible", cure: cure)
    }
    return .good("Open MPI", "\(name), with its mpirun")
  }

  /// The name and version in what `mpirun --version` prints: its first line, or, of MPICH, which
  /// has them in several, "MPICH" and the number.
  static func launcher(_ output: String) -> String? {
    let lines = output.split(whereSeparator: \.isNewline)
    guard let first = lines.first else { return nil }
    guard first.hasPrefix("HYDRA") else { return String(first) }
    let version = output.firstMatch(of: /Version: +([^\s]+)/).map { " \($0.1)" }
    return "MPICH\(version ?? "")"
  }

  static func launcherVersion() -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["mpirun", "--version"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0
      ? launcher(String(decoding: data, as: UTF8.self)) : nil
  }
}
