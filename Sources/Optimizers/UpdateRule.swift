import Kernels
import Tensors

/// How an optimizer turns a gradient into a step, element by element.
///
/// The semantics are those of `torch.optim`. A new optimizer is one file with one conforming
/// type, and a line where the configuration is read.
public protocol UpdateRule: Sendable {
  /// The name used in configurations and checkpoints.
  var name: String { get }
  /// The state buffers it keeps, by PyTorch's names; all start at zero.
  var slots: [String] { get }

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

/// An update rule with its state for a parameter buffer.
public final class Optimizer<Scalar: KernelScalar> {
  public let rule: any UpdateRule
  public let layout: ParameterLayout
  /// One buffer per slot of the rule, laid out like the parameters.
  public let slots: [ParameterBuffer<Scalar>]
  /// Steps taken.
  public var stepCount = 0

  public init(_ rule: any UpdateRule, layout: ParameterLayout) {
    self.rule = rule
    self.layout = layout
    slots = rule.slots.map { _ in ParameterBuffer(layout) }
  }

  /// Takes one step on `parameters` along `gradients`.
  public func update(
    _ parameters: ParameterBuffer<Scalar>, gradients: Tensor<Scalar>, learningRate: Double
  ) {
    precondition(
      parameters.layout == layout && gradients.count == layout.count,
      "the optimizer was made for \(layout.count) parameters")
    stepCount += 1
    rule.update(
      parameters.flat, gradients: gradients, slots: slots.map(\.flat),
      learningRate: learningRate, step: stepCount)
  }
}
