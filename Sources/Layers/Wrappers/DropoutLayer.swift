// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import Tensors

/// Locked dropout: the same mask at every step (Gal and Ghahramani, 2016).
///
///     y_t = x_t · m
///
/// The mask m [N, C] is already divided by the probability of keeping a number.
public struct DropoutLayer<Scalar: KernelScalar>: SequenceLayer {
  public let inputFeatures: [Int]
  private let mask: Tensor<Scalar>?
  private let name: LayerName

  /// - Parameters:
  ///   - mask: m for the rows of the input; nil drops nothing
  ///   - features: the shape of a step
  ///   - name: the place of the layer in its model
  public init(_ mask: Tensor<Scalar>?, features: [Int], named name: LayerName) {
    inputFeatures = features
    self.mask = mask
    self.name = name
  }

  public var features: [Int] { inputFeatures }
  public var states: [NamedShape] { [] }
  public var parameters: [NamedShape] { [] }

  public func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, streams: inout InitializationStreams
  ) {}

  public func forward(
    _ input: SequenceInput<Scalar>, from state: LayerState<Scalar>?,
    _ parameters: ParameterBuffer<Scalar>, keeping: LayerKeeping, in workspace: Workspace<Scalar>
  ) -> any LayerPass<Scalar> {
    guard let mask else { return Pass(mask: nil, output: input.values) }
    let y = LayerMemory(workspace, name).tensor("dropped", input.values.shape)
    y.setProduct(of: input.values, repeating: mask)
    return Pass(mask: mask, output: y)
  }

  public func workingNumbers(
    steps T: Int, rows N: Int, threads: Int, isTraining: Bool
  ) -> Double { 0 }

  private struct Pass: LayerPass {
    let mask: Tensor<Scalar>?
    let output: Tensor<Scalar>
    var final: LayerState<Scalar>? { LayerState([]) }

    func backward(
      _ gradient: OutputGradient<Scalar>, into gradients: ShardedBuffer<Scalar>, wantsInput: Bool,
      initial: LayerState<Scalar>?
    ) -> Tensor<Scalar>? {
      guard wantsInput else { return nil }
      guard let dy = gradient.steps, gradient.lastStep == nil else {
        preconditionFailure("dropout takes the gradient of every step")
      }
      if let mask { dy.setProduct(of: dy, repeating: mask) }
      return dy
    }
  }
}
