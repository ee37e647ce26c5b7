// SPDX-License-Identifier: Apache-2.0

import Files

/// A sound file that cannot be used: what, why, and what to do about it, in one line.
public struct AudioError: FileProblem, Hashable {
  public let path: String
  /// What is wrong with it.
  public let problem: String
  /// What the user can do.
  public let cure: String

  init(_ path: String, _ problem: String, cure: String) {
    self.path = path
    self.problem = problem
    self.cure = cure
  }

  static func truncated(_ path: String, declared: Int, found: Int) -> AudioError {
    AudioError(
      path, "is truncated: its header declares \(declared) bytes of sound and \(found) follow",
      cure: "copy it again")
  }
}
