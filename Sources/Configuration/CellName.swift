// SPDX-License-Identifier: Apache-2.0

import Layers

/// A recurrent system as the value of a configuration key.
public struct CellName: ConfigurationValue {
  /// The system that the name stands for.
  public let system: RecurrentSystem

  public init(_ system: RecurrentSystem) {
    self.system = system
  }

  public static var configurationKind: String {
    "one of " + RecurrentSystem.all.map(\.name).joined(separator: ", ")
  }

  public init?(configurationText text: String) {
    guard let system = RecurrentSystem(named: text) else { return nil }
    self.system = system
  }

  public var configurationText: String { system.name }
}
