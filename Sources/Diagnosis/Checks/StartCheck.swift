// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Two ranks of this program under the mpirun on the path: whether they start, and reach each other.
struct StartCheck {
  /// The exit status of mpirun; nil if it was ended after `limit` seconds.
  var status: Int32?
  /// What both printed.
  var output: String
  var seconds: Double

  /// How long the start may take.
  static let limit = 60.0

  /// What `momentum-dist doctor --answer` prints on rank 0 if it hears of both ranks.
  package static let answer = "2 ranks are connected"

  /// Starts the ranks; nil if that cannot be tried: below mpirun already, or without one that may
  /// start, which other checks say.
  static func here(_ program: String) -> StartCheck? {
    let environment = ProcessInfo.processInfo.environment
    let isInside = environment.keys.contains { $0.hasPrefix("OMPI_COMM_") || $0.hasPrefix("PMI") }
    guard !isInside, RootCheck.here().finding.state == .good else { return nil }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // Other launchers have different options; if they fail, the program's message says why.
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
    // `env` finds no mpirun, which is said of the library's kind already.
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
      let said = own.map(String.init) ?? lines.first { !$0.hasPrefix("---") } ?? "no word"
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
