// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Threads

#if canImport(Glibc)
  import Glibc
#endif

/// A limit on the time that starting MPI takes.
///
/// `MPI_Init` waits forever for a rank that does not start, and `Deadline` needs MPI for its own
/// start.
public enum StartLimit {
  /// The environment variable with the limit, in seconds.
  public static let variable = "MOMENTUM_DIST_START_TIMEOUT"

  /// The limit if the variable is not set.
  public static let standard = 300.0

  /// The limit that an environment sets; nil if its text is not a number of seconds.
  public static func seconds(_ environment: [String: String]) -> Double? {
    guard let text = environment[variable] else { return standard }
    guard let seconds = Double(text), seconds > 0, seconds.isFinite else { return nil }
    return seconds
  }

  /// Runs `body`; if it takes longer than the limit, the process says so and ends with status 76.
  ///
  /// - Parameters:
  ///   - seconds: the limit
  ///   - rank: this process in the launcher's count, for the message
  ///   - body: starts MPI
  public static func during<Result>(
    seconds: Double, rank: Int, _ body: () throws -> Result
  ) rethrows -> Result {
    let finished = DispatchSemaphore(value: 0)
    // If the thread cannot start, there is no limit here; `Deadline.start` reports that to all
    // ranks.
    try? NewThread.start("start limit") {
      // Handlers run on the threads that do the work.
      var all = sigset_t()
      sigfillset(&all)
      pthread_sigmask(SIG_BLOCK, &all, nil)
      guard finished.wait(timeout: .now() + min(seconds, 1e9)) == .timedOut else { return }
      end(seconds: seconds, rank: rank)
    }
    defer { finished.signal() }
    return try body()
  }

  private static func end(seconds: Double, rank: Int) -> Never {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    let text =
      "momentum-dist: rank \(rank) on \(host) waited \(String(format: "%g", seconds)) s for MPI to"
      + " start; a rank that does not print this line is missing: check its host, firewalls"
      + " and networks that not all hosts share (mpirun --mca btl_tcp_if_include NETWORK --mca"
      + " oob_tcp_if_include NETWORK), or raise \(variable)\n"
    text.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
    _exit(DeadlineSettings.exitStatus)
  }
}
