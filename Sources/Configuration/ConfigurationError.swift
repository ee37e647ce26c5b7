// SPDX-License-Identifier: Apache-2.0

/// A configuration that cannot be used, in one line: the key, the value found and its place, and
/// the value expected.
public struct ConfigurationError: Error, CustomStringConvertible, Sendable {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}
