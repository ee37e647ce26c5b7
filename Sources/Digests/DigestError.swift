// SPDX-License-Identifier: Apache-2.0

import Files

/// A file whose digest could not be computed.
public struct DigestError: Error, Hashable, Sendable {
  /// The path of the file.
  public let path: String

  /// Why it could not be read.
  public let reason: String
}

extension DigestError: FileProblem {
  public var problem: String { "cannot compute the SHA-256 digest: \(reason)" }
  public var cure: String { "check that the file is there and can be read" }
  public var isDiskFailure: Bool { true }

  /// The error without advice, for a message that adds its own.
  public var description: String { "\(path): \(problem)" }
}
