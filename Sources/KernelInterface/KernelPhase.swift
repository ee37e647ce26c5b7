// SPDX-License-Identifier: Apache-2.0

/// The parts of a fused layer's forward and backward pass whose time can be measured.
public enum KernelPhase: Int, CaseIterable, Sendable {
  /// Rearranging the weights in the order in which the products read them.
  case packing
  /// x_t W_ih^T. With one input it is part of `pointwiseForward`.
  case inputProduct
  /// h_{t-1} W_hh^T
  case recurrentProduct
  /// Drive and body, and saving what the backward pass needs.
  case pointwiseForward
  /// da_{t+1} W_hh
  case productBackward
  /// The adjoints of body and drive, and reading what was saved.
  case pointwiseBackward
  /// dg_t W_ih, if there is a layer below.
  case inputGradient
  /// The gradients of weights and biases.
  case weightGradient

  /// Where the kernels count the ticks of each part, for a benchmark on one thread: first the time
  /// of the last count, then one number for each part. It is nil in training, which costs one
  /// comparison for each part of a few rows.
  public nonisolated(unsafe) static var ticks: UnsafeMutablePointer<UInt64>?
}
