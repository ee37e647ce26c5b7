// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// How an optimizer turns a gradient into a step, element by element.
///
/// The update of an element depends only on that element, its gradient and its state. So a rank may
/// take the step of any part of a tensor, with the same bits as in a step of the whole tensor. A
/// rule that needs the norm of a tensor, as LARS and LAMB do, cannot conform.
///
/// The semantics are those of `torch.optim`. A new optimizer is one file with one conforming
/// type, and a line where the configuration is read.
public protocol UpdateRule: Sendable {
  /// The name used in configurations and checkpoints.
  var name: String { get }
  /// The state buffers it keeps, by PyTorch's names; all start at zero.
  var slots: [String] { get }
  /// The slot that is evaluated instead of the parameters once a step is taken; nil if the
  /// parameters themselves are.
  var evaluatedSlot: String? { get }
  /// Whether a run may change from this rule to an averaging one.
  var canStartAveraging: Bool { get }

  /// Takes one step.
  ///
  /// - Parameters:
  ///   - w: the parameters
  ///   - gradients: dL/dw
  ///   - slots: one buffer for each of `slots`
  ///   - learningRate: the rate of this step
  ///   - step: the number of this step, from 1
  func update<Scalar: KernelScalar>(
    _ w: Tensor<Scalar>, gradients: Tensor<Scalar>, slots: [Tensor<Scalar>],
    learningRate: Double, step: Int)
}

extension UpdateRule {
  public var evaluatedSlot: String? { nil }
  public var canStartAveraging: Bool { false }
}

/// All update rules.
public enum UpdateRules {
  /// Each with its default constants.
  public static let all: [any UpdateRule] = [
    SGD(), ASGD(), RMSProp(), Adam(), Adam(decoupled: true),
  ]

  /// The slot that the rule with this name evaluates; see `UpdateRule.evaluatedSlot`.
  public static func evaluatedSlot(ofRuleNamed name: String) -> String? {
    all.first { $0.name == name }?.evaluatedSlot
  }
}
