// SPDX-License-Identifier: Apache-2.0

import Files

/// The error for a checkpoint that cannot be read or written: what, where, and what to do, in one
/// line.
public struct CheckpointError: FileProblem {
  public let path: String
  public let problem: String
  public let cure: String
  /// Whether the disk, and not the checkpoint, is at fault.
  public let isDiskFailure: Bool

  public init(_ path: String, _ problem: String, cure: String, isDiskFailure: Bool = false) {
    self.path = path
    self.problem = problem
    self.cure = cure
    self.isDiskFailure = isDiskFailure
  }

  static func unwritable(_ path: String, _ error: any Error) -> CheckpointError {
    CheckpointError(
      path, "cannot be written (\(error))",
      cure: "check that its folder exists, is writable and has room", isDiskFailure: true)
  }
}
