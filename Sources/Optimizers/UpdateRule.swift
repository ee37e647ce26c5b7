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
