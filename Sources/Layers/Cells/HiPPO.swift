// SPDX-License-Identifier: Apache-2.0

import Kernels

/// The gated cell of HiPPO (Gu et al., NeurIPS 2020, appendix F): M memories of order N of a linear
/// map of input and state, and a state that is read from them.
///
///     u_t = x_t W_uxᵀ + h_{t-1} W_uhᵀ + b_u
///     m_t = memory(m_{t-1}, u_t), each channel by itself
///     c, g = tanh and σ of x_t W_hxᵀ + m_t W_hmᵀ + b_h
///     h_t = (1 - g) h_{t-1} + g c
///
/// The matrices of the memory are not trained. The gate does not see h.
public struct HiPPO: CellFamily {
  /// How the memory weighs the past.
  package let measure: MemoryMeasure
  /// How a step is discretised, unless the configuration says otherwise.
  package let discretization: Discretization

  /// - Parameters:
  ///   - measure: how the memory weighs the past
  ///   - discretization: the default, which a configuration may override
  public init(_ measure: MemoryMeasure, _ discretization: Discretization) {
    self.measure = measure
    self.discretization = discretization
  }

  public var summary: String { "hippo" }
  public var body: String { "gated" }

  public func cell<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, constants: CellConstants, named name: LayerName, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> {
    MemoryCell<Scalar>(
      .hippo, measure, constants.memory.discretization ?? discretization, inputs: inputs,
      hidden: hidden, constants: constants.memory, named: name)
  }
}
