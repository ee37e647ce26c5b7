// SPDX-License-Identifier: Apache-2.0

import Layers

extension TrainingConfiguration.Model {
  /// The keys of cells with a HiPPO memory.
  mutating func visitMemory(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    try visitor.field(
      "memory_order", &memoryOrder, "N, coefficients of a memory; 0 uses one per unit",
      .within(0...65_536), effect: .model, use: .constant(.memoryOrder))
    try visitor.field(
      "memory_channels", &memoryChannels, "M, memories of a layer, each with its own input",
      .within(1...65_536), effect: .model, use: .constant(.memoryChannels))
    try visitor.field(
      "discretization", &discretization,
      "how the memory's differential equation becomes a step; cell is the cell's own choice",
      effect: .model, use: .constant(.discretization))
    try visitor.field(
      "memory_step", &memoryStep,
      "Δ, one step as a share of the memory's window, 1/θ; or the rate of its decay", .above(0),
      effect: .model, use: .constant(.memoryStep))
    try visitor.field(
      "maximum_steps", &maximumSteps,
      "after this many steps the memory stops growing; 0 never stops it; unused with times",
      .within(0...1 << 24), effect: .model, use: .constant(.maximumSteps))
    try visitor.field(
      "memory_form", &memoryForm,
      "a scan takes N operations a step, dense N²; the zero-order hold is always dense",
      effect: .model, use: .constant(.memoryForm))
  }

  /// The constants of a memory that the keys set.
  var memory: MemoryConstants {
    var memory = MemoryConstants()
    memory.order = memoryOrder
    memory.channels = memoryChannels
    memory.discretization = Discretization(rawValue: discretization.rawValue)
    memory.step = memoryStep
    memory.maximumSteps = maximumSteps
    memory.form = memoryForm
    return memory
  }
}

/// A discretisation, or the cell's own.
public enum DiscretizationChoice: String, ConfigurationChoice {
  case cell, forward, backward, bilinear
  /// Exact for an input that is constant during a step.
  case zeroOrderHold = "zoh"
}

extension MemoryConstants.Form: ConfigurationChoice {}
