// SPDX-License-Identifier: Apache-2.0

/// The constants of a cell with a HiPPO memory.
public struct MemoryConstants: Sendable, Hashable {
  /// N, coefficients of a memory; 0 uses one per unit of the layer.
  public var order = 0
  /// M, memories of a row, each with its own input.
  public var channels = 1
  /// How a step is discretised; nil uses the default of the system.
  public var discretization: Discretization?
  /// Δ, the step of the memories of a window or a decay: 1/Δ is the window's length in steps.
  public var step = 0.01
  /// After this many steps a scaled memory stops growing, and forgets exponentially; 0 never stops
  /// it.
  public var maximumSteps = 1024
  /// How the step of a scaled memory is computed; the other memories always take a product.
  public var form = Form.scan

  /// The ways to compute a step of a scaled memory.
  public enum Form: String, Sendable, Hashable, CaseIterable {
    /// In O(N), one coefficient after the other; see `LegendreMemory`.
    case scan
    /// A product with a matrix for each step of a sequence: for comparison, and for the zero-order
    /// hold, which has no scan.
    case dense
  }

  public init() {}
}
