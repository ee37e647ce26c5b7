// SPDX-License-Identifier: Apache-2.0

import Layers
import Kernels
import RandomNumbers
import Tensors

/// An affine map of each row, the read-out of a model.
///
///     y = x Wᵀ + b,   x [N, C], W [K, C], b [K], y [N, K]
public struct Linear<Scalar: KernelScalar> {
  /// C.
  public let inputs: Int
  /// K.
  public let outputs: Int
  private let weight: String
  private let bias: String
  private let isShared: Bool
  private let packed = Packed()

  /// The packed W, as of the last `prepare`.
  private final class Packed {
    /// For y = x Wᵀ + b, and for dx = dy W.
    var forward: PackedMatrix<Scalar>?
    var backward: PackedMatrix<Scalar>?
  }

  /// - Parameters:
  ///   - inputs: C
  ///   - outputs: K
  ///   - prefix: the prefix of the parameters' names, such as `readout.`
  ///   - sharedWeight: the name of a parameter [K, C] that is declared elsewhere and serves as W;
  ///     nil uses its own weight
  public init(inputs: Int, outputs: Int, prefix: String, sharedWeight: String? = nil) {
    self.inputs = inputs
    self.outputs = outputs
    weight = sharedWeight ?? "\(prefix)weight"
    bias = "\(prefix)bias"
    isShared = sharedWeight != nil
  }

  /// Declares its own parameters.
  public func declare(in layout: inout ParameterLayout) {
    if !isShared { layout.add(weight, shape: [outputs, inputs], role: .readOut) }
    layout.add(bias, shape: [outputs], role: .readOut)
  }

  /// W [K, C].
  func weight(in parameters: ParameterBuffer<Scalar>) -> Tensor<Scalar> { parameters[weight] }

  /// b [K].
  func bias(in parameters: ParameterBuffer<Scalar>) -> Tensor<Scalar> { parameters[bias] }

  /// Sets its own weight uniform in ±`bound`, and its bias to 0.
  func initialize(
    _ parameters: ParameterBuffer<Scalar>, weightBound bound: Double, stream: inout RandomStream
  ) {
    if !isShared { Initialization.uniform(parameters[weight], bound: bound, stream: &stream) }
    parameters[bias].fill(0)
  }

  /// Sets the bias; an empty list does not change it.
  func setBias(_ values: [Double], _ parameters: ParameterBuffer<Scalar>) {
    if !values.isEmpty { parameters[bias].copy(from: values.map { Scalar($0) }) }
  }

  /// PyTorch's default: weight and bias uniform in ±1/√C.
  public func initialize(_ parameters: ParameterBuffer<Scalar>, stream: inout RandomStream) {
    let bound = 1 / Double(inputs).squareRoot()
    Initialization.uniform(parameters[weight], bound: bound, stream: &stream)
    Initialization.uniform(parameters[bias], bound: bound, stream: &stream)
  }

  /// An estimate of the numbers in the packed W.
  var packedNumbers: Double { 2 * Double(inputs) * Double(outputs) }

  /// Packs W. Call it before the first pass after a change of parameters.
  public func prepare(_ parameters: ParameterBuffer<Scalar>) {
    let W = parameters[weight]
    guard packed.forward != nil else {
      (packed.forward, packed.backward) = (PackedMatrix(W), PackedMatrix(W, transposed: true))
      return
    }
    packed.forward?.pack(W)
    packed.backward?.pack(W)
  }

  /// Writes y. The bits of a row do not depend on the other rows.
  ///
  /// - Precondition: `prepare` was called with the same parameters, as for `backward`
  public func forward(
    _ x: Tensor<Scalar>, _ parameters: ParameterBuffer<Scalar>, into y: Tensor<Scalar>
  ) {
    Self.required(packed.forward).multiply(x, adding: parameters[bias], into: y)
  }

  /// Adds dW = dyᵀ x and db = Σ dy to `gradients`, in an order that follows from their shapes, and
  /// writes dx = dy W.
  public func backward(
    _ dy: Tensor<Scalar>, x: Tensor<Scalar>, into gradients: ParameterBuffer<Scalar>,
    dx: Tensor<Scalar>
  ) {
    gradients[weight].addProductGradient(dy, x)
    gradients[bias].addColumnSums(of: dy)
    Self.required(packed.backward).multiply(dy, into: dx)
  }

  private static func required(_ packed: PackedMatrix<Scalar>?) -> PackedMatrix<Scalar> {
    guard let packed else { preconditionFailure("a read-out was run before it was prepared") }
    return packed
  }
}
