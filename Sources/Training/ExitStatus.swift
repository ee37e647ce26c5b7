// SPDX-License-Identifier: Apache-2.0

/// The exit statuses of the program, as in sysexits.h. Every rank exits with the same one.
public enum ExitStatus: Int32, Sendable, Codable {
  /// The command succeeded.
  case done = 0
  /// The command line is wrong.
  case usage = 64
  /// A dataset or checkpoint cannot be used.
  case unusableData = 65
  /// The loss is no longer a number, replicas differ, or an audit found a wrong gradient.
  case diverged = 70
  /// An unexpected error: a fault of the program.
  case internalError = 71
  /// The disk failed, is full or is read-only.
  case diskFailure = 74
  /// Preempted and saved: run the same command again with `--resume`.
  case preempted = 75
  /// A peer was lost or late.
  case peerLost = 76
  /// The configuration is wrong.
  case configuration = 78
}

/// The reason that a run ends: one line with what, where, and what to do, and the exit status.
public struct RunFailure: Error, CustomStringConvertible, Sendable, Codable {
  /// The exit status of the program.
  public let status: ExitStatus
  /// One line: what, where, and what to do.
  public let message: String
  /// Whether a host is at fault, and not the settings of the run.
  public let blamesHost: Bool
  /// The host at fault, if an audit has found out which.
  public let wrongHost: WrongHost?

  public init(
    _ status: ExitStatus, _ message: String, blamesHost: Bool = false, wrongHost: WrongHost? = nil
  ) {
    self.status = status
    self.message = message
    self.blamesHost = blamesHost
    self.wrongHost = wrongHost
  }

  public var description: String { message }
}
