// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Whether two ranks of this program start under the mpirun on the path and reach each other.
struct StartCheck {
  /// The exit status of mpirun; nil if it was ended after `limit` seconds.
  var status: Int32?
  /// The output of both ranks.
  var output: String
  var seconds: Double

  /// The limit of the start in seconds.
  static let limit = 60.0

  /// The line that `momentum-dist doctor --answer` prints on rank 0 if both ranks are connected.
  package static let answer = "2 ranks are connected"

  /// Starts the ranks. Nil if this process already runs under mpirun, or if there is no mpirun that
  /// may start; other checks report that.
  static func here(_ program: String) -> StartCheck? {
    let environment = ProcessInfo.processInfo.environment
    let isInside = environment.keys.contains { $0.hasPrefix("OMPI_COMM_") || $0.hasPrefix("PMI") }
    guard !isInside, RootCheck.here().finding.state == .good else { return nil }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // Other launchers have different options. If they fail, the program's message has the reason.
    let isOpenMPI = OpenMPICheck.launcherVersion()?.contains("Open MPI") == true
    process.arguments =
      ["mpirun"] + (isOpenMPI ? ["--oversubscribe", "--bind-to", "none"] : [])
      + ["-np", "2", program, "doctor", "--answer"]
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    let start = ContinuousClock.now
    guard (try? process.run()) != nil else { return nil }
    let isLate = Flag()
    let timer = DispatchSource.makeTimerSource()
    timer.schedule(deadline: .now() + limit)
    timer.setEventHandler {
      isLate.set()
      process.terminate()
    }
    timer.resume()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    timer.cancel()
    // `env` found no mpirun, which the check of Open MPI reports.
    if process.terminationStatus == 127, !isLate.isSet { return nil }
    return StartCheck(
      status: isLate.isSet ? nil : process.terminationStatus,
      output: String(decoding: data, as: UTF8.self),
      seconds: (ContinuousClock.now - start) / .seconds(1))
  }

  var finding: Finding {
    let cure =
      "mpirun --oversubscribe -np 2 momentum-dist doctor --answer shows what they say; free /tmp and"
      + " /dev/shm, or name the network with --mca btl_tcp_if_include"
    guard let status else {
      return .wrong(
        "two ranks", "did not start within \(Int(Self.limit)) s under mpirun", cure: cure)
    }
    let lines = output.split(whereSeparator: \.isNewline).map(String.init)
    guard status == 0, lines.contains(Self.answer) else {
      let own = lines.first { $0.hasPrefix("momentum-dist: ") }?.dropFirst("momentum-dist: ".count)
      let said = own.map(String.init) ?? lines.first { !$0.hasPrefix("---") } ?? "no output"
      return .wrong("two ranks", "mpirun ended with \(status): \(said)", cure: cure)
    }
    return .good(
      "two ranks",
      "start under mpirun and reach each other"
        + String(format: " (%.1f s)", seconds))
  }

  /// Set by one thread, and read by another after it.
  private final class Flag: Sendable {
    private let value = DispatchSemaphore(value: 0)
    func set() { value.signal() }
    var isSet: Bool {
      guard value.wait(timeout: .now()) == .success else { return false }
      value.signal()
      return true
    }
  }
}
