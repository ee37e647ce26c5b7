// SPDX-License-Identifier: Apache-2.0

import Kernels

/// The Legendre memory unit (Voelker, Kajić and Eliasmith, NeurIPS 2019):
///
///     u_t = x_t W_uxᵀ + h_{t-1} W_uhᵀ + Σ_n e_n m_{t-1,n}
///     m_t = memory(m_{t-1}, u_t)
///     h_t = tanh(x_t W_hxᵀ + m_t W_hmᵀ + h_{t-1} W_hhᵀ)
///
/// without biases. With a gate, h_t = (1 - g) h_{t-1} + g c as in HiPPO, and g sees h too.
public struct LegendreMemoryUnit: CellFamily {
  /// Whether a gate mixes the new state with the old one.
  package let isGated: Bool

  public init(isGated: Bool) { self.isGated = isGated }

  public var summary: String { "lmu" }
  public var body: String { isGated ? "gated" : "tanh" }

  public func cell<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, constants: CellConstants, named name: LayerName, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> {
    MemoryCell<Scalar>(
      isGated ? .gatedUnit : .unit, .legendreUnit,
      constants.memory.discretization ?? .zeroOrderHold, inputs: inputs, hidden: hidden,
      constants: constants.memory, named: name)
  }
}
