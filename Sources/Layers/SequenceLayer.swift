// SPDX-License-Identifier: Apache-2.0

import BLAS
import Kernels
import RandomNumbers
import Tensors

/// Maps sequences to sequences and computes gradients. It owns its parameters.
///
/// It also guarantees that the result of a row never depends on which rows are computed with it,
/// and that the gradient of a weight is summed per virtual shard, in a fixed order.
///
/// Shapes use T steps, N sequences, C input features, H outputs per step.
public protocol SequenceLayer<Scalar> {
  /// The type of the numbers, Float or Double.
  associatedtype Scalar: KernelScalar

  /// The shape of one input step, such as [C].
  var inputFeatures: [Int] { get }
  /// The shape of one output step, such as [H].
  var features: [Int] { get }
  /// The states that the layer carries from one time step to the next, with the shape of one row;
  /// empty for a layer without a state.
  var states: [NamedShape] { get }
  /// The parameters in the order of their layout.
  var parameters: [NamedShape] { get }
  /// How many of its parameters' numbers are not trained, such as those of a skew matrix on and
  /// below the diagonal.
  var untrainedCount: Int { get }
  /// What a checkpoint must hold in addition to parameters, by name.
  var buffers: [(name: String, tensor: Tensor<Scalar>)] { get }
  /// Whether the layer reads `SequenceInput.times`.
  var readsTimes: Bool { get }

  /// Sets the starting values.
  ///
  /// - Parameters:
  ///   - parameters: receives the values
  ///   - gateBias: the start of a forget gate, in *each* of the two biases that are added
  ///   - streams: gives each layer without inner layers its own stream
  func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, streams: inout InitializationStreams)

  /// Computes what is derived from the parameters: an orthogonal matrix, packed weights. Call it
  /// before the first pass after a change of parameters.
  ///
  /// - Parameters:
  ///   - parameters: the parameters of the model
  ///   - advancing: true once per optimizer step, before its forward pass
  /// - Throws: `LAPACKError` if a parameter is not a number
  func prepare(_ parameters: ParameterBuffer<Scalar>, advancing: Bool) throws(LAPACKError)
  /// Undoes the last advancing `prepare`, for a step that does not count.
  func revert(_ parameters: ParameterBuffer<Scalar>)
  /// Turns the summed gradients of what `prepare` computed into those of the parameters.
  ///
  /// - Throws: `LAPACKError` if a gradient is not a number
  func finishGradients(_ gradients: ParameterBuffer<Scalar>) throws(LAPACKError)

  /// Runs from step 1 to step T.
  ///
  /// - Parameters:
  ///   - input: the sequences
  ///   - state: the state before step 1; nil is zeros
  ///   - parameters: the parameters of the model, as of the last `prepare`
  ///   - keeping: what to keep in addition to the output
  ///   - workspace: the memory of the pass, until the same layer runs again in it
  func forward(
    _ input: SequenceInput<Scalar>, from state: LayerState<Scalar>?,
    _ parameters: ParameterBuffer<Scalar>, keeping: LayerKeeping, in workspace: Workspace<Scalar>
  ) -> any LayerPass<Scalar>

  /// An estimate of the floating-point operations per step and row in training, forward and
  /// backward.
  var trainingOperations: Double { get }

  /// An estimate of the numbers that the passes over a batch keep, including packed weights.
  func workingNumbers(steps T: Int, rows N: Int, threads: Int, isTraining: Bool) -> Double

  /// The name of the recurrent weight whose single elements may be dropped; nil if there is none,
  /// or if dropping would destroy its meaning.
  var recurrentWeight: String? { get }
  /// The same layer with another recurrent weight instead of its own.
  func replacingRecurrentWeight(_ weight: Tensor<Scalar>) -> any SequenceLayer<Scalar>

  /// The cost of this layer's orthogonal matrices since it was made; nil if it has none.
  var orthogonalWork: OrthogonalWork? { get }
}

/// What a forward pass must keep.
public struct LayerKeeping: OptionSet, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// What the backward pass needs.
  public static let activations = LayerKeeping(rawValue: 1)
  /// The state after step T.
  public static let finalState = LayerKeeping(rawValue: 2)
}

/// A forward pass that can be run backward. It is valid until the layer is prepared again.
public protocol LayerPass<Scalar> {
  /// The type of the numbers, Float or Double.
  associatedtype Scalar: KernelScalar
  /// [T, N] and the layer's features.
  var output: Tensor<Scalar> { get }
  /// The state after step T, if `LayerKeeping.finalState` was given.
  var final: LayerState<Scalar>? { get }

  /// Runs from step T to step 1, adding to the gradients of each shard. It needs
  /// `LayerKeeping.activations`, and may overwrite the given gradient.
  ///
  /// - Parameters:
  ///   - gradient: dL/dy and dL/d(final state)
  ///   - gradients: the buffers of all shards, which the gradients of the parameters are added to
  ///   - wantsInput: whether the gradient of the input is needed
  ///   - initial: receives the gradient of the starting state; nil if it is not needed
  /// - Returns: the gradient of the input, if it is needed
  func backward(
    _ gradient: OutputGradient<Scalar>, into gradients: ShardedBuffer<Scalar>, wantsInput: Bool,
    initial: LayerState<Scalar>?
  ) -> Tensor<Scalar>?
}

/// The input of a layer.
public struct SequenceInput<Scalar: KernelScalar> {
  /// [T, N] and the features of a step.
  public var values: Tensor<Scalar>
  /// The valid steps of each row; nil if all are T. Steps after the end of a row are computed like
  /// the rest, and have no gradient.
  public var lengths: [Int]?
  /// The time of each step, counted from the first step of its row, [T, N], in any unit; nil means
  /// 0, 1, 2 ... Within the length of a row, times never decrease.
  public var times: Tensor<Double>?
  /// How many steps of the sequences came before these: counters of steps treat a sequence that is
  /// run in pieces as one.
  public var firstStep: Int
  /// Shard s owns the rows `rowStarts[s] ..< rowStarts[s + 1]`.
  public var rowStarts: [Int]
  /// The key of dropout; nil drops nothing.
  public var noise: SequenceNoise?

  /// - Parameters:
  ///   - values: [T, N] and the features of a step
  ///   - lengths: the valid steps of each row; nil if all are T
  ///   - times: the time of each step, [T, N]; nil is 0, 1, 2 ...
  ///   - firstStep: how many steps of the sequences came before these
  ///   - rowStarts: the first row of each shard, then N; nil is one shard of all rows
  ///   - noise: the key of dropout; nil drops nothing
  public init(
    _ values: Tensor<Scalar>, lengths: [Int]? = nil, times: Tensor<Double>? = nil,
    firstStep: Int = 0, rowStarts: [Int]? = nil, noise: SequenceNoise? = nil
  ) {
    self.noise = noise
    self.values = values
    self.lengths = lengths
    self.times = times
    self.firstStep = firstStep
    self.rowStarts = rowStarts ?? [0, values.shape[1]]
  }

  /// T
  public var steps: Int { values.shape[0] }
  /// N
  public var rows: Int { values.shape[1] }

  /// The same input with other values.
  func with(_ values: Tensor<Scalar>) -> SequenceInput {
    var other = self
    other.values = values
    return other
  }
}

/// The gradient of the loss with respect to a layer's output. Nil members are zero.
public struct OutputGradient<Scalar: KernelScalar> {
  /// With respect to the output of every step, [T, N] and the features.
  public var steps: Tensor<Scalar>?
  /// With respect to only the output of step T, [N] and the features, so that no kernel reads zeros
  /// for the rest.
  public var lastStep: Tensor<Scalar>?
  /// With respect to the state after step T.
  public var final: LayerState<Scalar>?

  public init(
    steps: Tensor<Scalar>? = nil, lastStep: Tensor<Scalar>? = nil,
    final: LayerState<Scalar>? = nil
  ) {
    self.steps = steps
    self.lastStep = lastStep
    self.final = final
  }
}

/// A shape with a name.
public struct NamedShape: Sendable, Hashable {
  /// The name, unique within its layer.
  public let name: String
  /// The shape of a parameter, or of one row of a state.
  public let shape: [Int]
  /// Its role as a parameter; meaningless for a state.
  public let role: ParameterRole
  /// Whether it is a counter, which gets no gradient.
  public let isCounter: Bool

  public init(
    _ name: String, _ shape: [Int], role: ParameterRole = .weight, isCounter: Bool = false
  ) {
    self.name = name
    self.shape = shape
    self.role = role
    self.isCounter = isCounter
  }

  /// How many numbers it holds.
  public var count: Int { shape.reduce(1, *) }
}

/// A random stream for the starting values of each layer, from the lowest up.
public struct InitializationStreams {
  private let seed: UInt64
  private var index = 0

  public init(seed: UInt64) { self.seed = seed }

  /// The stream of the next layer.
  public mutating func next() -> RandomStream {
    defer { index += 1 }
    return RandomStream(seed: seed, purpose: .initialization, index: index)
  }
}

extension SequenceLayer {
  /// C, the numbers of one input step.
  public var inputs: Int { inputFeatures.reduce(1, *) }
  /// H, the numbers of one output step.
  public var outputs: Int { features.reduce(1, *) }

  /// Declares the parameters.
  public func declare(in layout: inout ParameterLayout) {
    for parameter in parameters {
      layout.add(parameter.name, shape: parameter.shape, role: parameter.role)
    }
  }

  /// The start of the layer's parameters in a layout.
  public func start(in layout: ParameterLayout) -> Int {
    parameters.compactMap { layout[$0.name]?.range.lowerBound }.min() ?? layout.count
  }

  /// The state that every sequence starts from: zeros.
  public func startState(rows N: Int) -> LayerState<Scalar> {
    LayerState(states.map { ($0.name, Tensor(shape: [N] + $0.shape)) })
  }

  /// Each weight is multiplied once forward, once backward, and has its gradient.
  public var trainingOperations: Double {
    6 * Double(parameters.filter { $0.shape.count == 2 }.reduce(0) { $0 + $1.count })
  }

  public var untrainedCount: Int { 0 }
  public var readsTimes: Bool { false }
  public var buffers: [(name: String, tensor: Tensor<Scalar>)] { [] }
  public func prepare(_ parameters: ParameterBuffer<Scalar>, advancing: Bool) throws(LAPACKError) {}
  public func revert(_ parameters: ParameterBuffer<Scalar>) {}
  public func finishGradients(_ gradients: ParameterBuffer<Scalar>) throws(LAPACKError) {}
  public var recurrentWeight: String? { nil }
  public func replacingRecurrentWeight(_ weight: Tensor<Scalar>) -> any SequenceLayer<Scalar> {
    preconditionFailure("the layer has no recurrent weight that could be replaced")
  }
  public var orthogonalWork: OrthogonalWork? { nil }
}
