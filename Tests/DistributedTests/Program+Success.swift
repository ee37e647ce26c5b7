// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

extension Program {
  /// Runs the program, which is expected to succeed.
  static func succeed(
    _ arguments: [String], ranks: Int? = nil, in folder: String
  ) throws -> Outcome {
    let outcome = try run(arguments, ranks: ranks, in: folder)
    #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
    return outcome
  }
}
