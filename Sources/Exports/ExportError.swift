// SPDX-License-Identifier: Apache-2.0

/// A model that a format cannot hold: what, where, and what to do, in one line.
public struct ExportError: Error, CustomStringConvertible, Sendable {
  public let description: String

  init(_ description: String) { self.description = description }
}
