// SPDX-License-Identifier: Apache-2.0

import BLAS
import Kernels
import RandomNumbers
import Tensors

/// One time step of a recurrent layer over whole rows, and its adjoint: only the equation.
/// `UnrolledLayer` handles time, ragged ends, saved steps, shards and the gradients of weights.
///
/// A step has two parts. The *products* are linear maps of the input or of a state, which the layer
/// computes. The cell's `step` uses their results:
///
///     p_i = W_i x_t + b_i  or  W_i s_{t-1} + b_i
///     s_t = step(p_1 ... p_n, s_{t-1})
///
/// A cell that multiplies values computed in the step itself has *stages*: `step` is called once
/// for each. The products of a stage are computed after the preceding call, from the states that it
/// left.
///
/// The result of `step` for a row must not depend on the other rows.
public protocol RecurrentCell<Scalar> {
  /// The type of the numbers, Float or Double.
  associatedtype Scalar: KernelScalar

  /// The linear maps, in the order in which `step` sees their results.
  var products: [CellProduct] { get }
  /// Elementwise parameters, [D] each, such as a norm's gain.
  var vectors: [NamedShape] { get }
  /// The states carried from step to step, with the shape of a row. The first is the layer's
  /// output.
  var states: [NamedShape] { get }
  /// The names of the states that are zero at the start of every pass, even within a sequence. The
  /// layer neither takes nor returns them. The first state is never one of them.
  var restartingStates: Set<String> { get }
  /// What `adjoint` needs from a step in addition to states and vectors, with the shape of a row.
  var tape: [NamedShape] { get }
  /// Memory for the duration of one call, with the shape of a row.
  var scratch: [NamedShape] { get }
  /// How often `step` is called per time step: by default, as often as its products need.
  var stages: Int { get }
  /// Whether it reads the times of steps.
  var readsTimes: Bool { get }
  /// An estimate of the floating-point operations per row and step in training, in addition to 6
  /// for each weight.
  var furtherOperations: Double { get }
  /// An estimate of the numbers that it keeps for passes over T steps, in addition to parameters
  /// and states.
  func furtherNumbers(steps T: Int) -> Double

  /// Sets the starting values.
  func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream)
  /// Computes what all steps share and does not depend on parameters, before the first pass.
  ///
  /// - Throws: `LAPACKError` if a matrix cannot be computed
  func prepare() throws(LAPACKError)
  /// Advances the states by one stage of a step.
  func step(_ step: CellStep<Scalar>)
  /// Propagates gradients back through one stage of a step; the last stage comes first.
  func adjoint(_ step: CellAdjoint<Scalar>)
}

extension RecurrentCell {
  public var scratch: [NamedShape] { [] }
  public var readsTimes: Bool { false }
  public var furtherOperations: Double { 0 }
  public func furtherNumbers(steps T: Int) -> Double { 0 }
  public func prepare() throws(LAPACKError) {}

  public var stages: Int { (products.map(\.stage).max() ?? 0) + 1 }
  public var restartingStates: Set<String> { [] }
}

/// A linear map inside a cell.
public struct CellProduct: Sendable {
  /// The vector that is mapped.
  public enum Operand: Sendable, Hashable {
    /// The input of the step.
    case input
    /// A state before the step, by its place among the cell's states.
    case state(Int)
    /// A state after the preceding stages.
    case updated(Int)
  }

  /// The name of W [width, length of the operand / groups]; for a convolution [width, K, K, C], for
  /// a depthwise one [C, K, K].
  public let weight: String
  /// The name of b [width]; nil is zero.
  public let bias: String?
  /// The vector that is mapped.
  public let operand: Operand
  /// The length of the result; for a convolution, its channels.
  public let width: Int
  /// Operand and result are cut into this many equal parts, which are mapped separately.
  public let groups: Int
  /// The first stage of the step that sees the result.
  public let stage: Int
  /// For a convolution, whose operand is a map: the windows that W is multiplied with. The result
  /// is then also a map, of `width` channels. Nil multiplies the whole operand.
  public let windows: ImageWindows?
  /// Whether the convolution is depthwise: each channel of the operand has its own filter, and the
  /// result has the operand's channels.
  public let isDepthwise: Bool
  /// An earlier product to whose result this one is added, by its place among the cell's products:
  /// both share one result and one gradient. Nil has its own result.
  public let addsTo: Int?

  public init(
    _ weight: String, bias: String?, of operand: Operand, width: Int, groups: Int = 1,
    stage: Int = 0, windows: ImageWindows? = nil, isDepthwise: Bool = false, addsTo: Int? = nil
  ) {
    precondition(
      addsTo == nil || bias == nil && windows == nil,
      "a product with addsTo has neither windows nor a bias")
    precondition(
      !isDepthwise || bias == nil && windows?.input.channels == width,
      "a depthwise product has windows, as many channels as they have, and no bias")
    self.weight = weight
    self.bias = bias
    self.operand = operand
    self.width = width
    self.groups = groups
    self.stage = stage
    self.windows = windows
    self.isDepthwise = isDepthwise
    self.addsTo = addsTo
  }

  /// The length of a row of the result.
  var results: Int { width * (windows?.places ?? 1) }

  /// The length of a row of W.
  ///
  /// - Parameter length: the length of the operand
  func depth(of length: Int) -> Int {
    guard let windows else { return length / groups }
    return isDepthwise ? windows.length / width : windows.length
  }
}

extension Tensor where Scalar: KernelScalar {
  /// The first `count` blocks of `width` columns of a matrix, such as the gates of a cell.
  func blocks(_ count: Int, of width: Int) -> [ColumnBlock<Scalar>] {
    (0..<count).map { ColumnBlock(self, at: $0 * width) }
  }
}

/// The inputs and outputs of a cell's step. All tensors are [N, ·], in the order of the cell's
/// lists.
public struct CellStep<Scalar: KernelScalar> {
  /// How many steps of the sequences came before this one.
  public let index: Int
  /// Which call of the step this is, from 0.
  public let stage: Int
  /// The time of each row's step, counted from the first step of its sequence, [N]; nil if steps
  /// are one apart.
  public let times: Tensor<Double>?
  /// x_t itself, [N, C].
  public let input: Tensor<Scalar>
  /// The results of the products up to the current stage.
  public let products: [Tensor<Scalar>]
  /// [D] each.
  public let vectors: [Tensor<Scalar>]
  /// The states before the step.
  public let before: [Tensor<Scalar>]
  /// Receives the states after it.
  public let after: [Tensor<Scalar>]
  /// Receives what the adjoint needs.
  public let tape: [Tensor<Scalar>]
  /// Whether the tape kept for the backward pass exceeds the caches, so that writes should bypass
  /// them.
  public let isTapeLarge: Bool
  /// Memory for the step's own use; its content is undefined.
  public let scratch: [Tensor<Scalar>]
}

/// The inputs and outputs of the adjoint of a step. All tensors are [N, ·].
public struct CellAdjoint<Scalar: KernelScalar> {
  /// How many steps of the sequences came before this one.
  public let index: Int
  /// Which call of the step this is the adjoint of.
  public let stage: Int
  /// As in `CellStep`.
  public let times: Tensor<Double>?
  /// x_t itself, [N, C].
  public let input: Tensor<Scalar>
  /// [D] each.
  public let vectors: [Tensor<Scalar>]
  /// The states before the step.
  public let before: [Tensor<Scalar>]
  /// The states after the step.
  public let after: [Tensor<Scalar>]
  /// What the step wrote.
  public let tape: [Tensor<Scalar>]
  /// Memory for the adjoint's own use; its content is undefined.
  public let scratch: [Tensor<Scalar>]
  /// The gradient of the states after the step. It may be overwritten.
  public let dAfter: [Tensor<Scalar>]
  /// Receives the gradient of the states before the step, except the part through the products. Its
  /// content is undefined before the last stage, which is the first to run backward.
  public let dBefore: [Tensor<Scalar>]
  /// For a cell that reads its input itself: the gradient of the input, to be added to. Nil if it
  /// is not needed.
  public let dInput: Tensor<Scalar>?
  /// Receives the gradient of the result of each product of this stage.
  public let dProducts: [Tensor<Scalar>]
  /// The gradient of each vector, [groups, D]: a group of rows adds to its own.
  public let dVectors: [Tensor<Scalar>]
  /// The first row of each group, then N.
  public let groupStarts: [Int]
}

/// The constants that a configuration sets for a cell; `RecurrentSystem.all` lists which of them
/// each system has.
public struct CellConstants: Sendable, Hashable {
  /// μ of a drive (Nguyen et al., NeurIPS 2020), or as named in a cell's own paper.
  public var mu: Double
  /// ε of a drive, likewise.
  public var epsilon: Double
  /// β of a drive, likewise.
  public var beta: Double
  /// F, steps between restarts; 0 never restarts.
  public var restart: Int
  /// The constants of a cell with a HiPPO memory.
  public var memory = MemoryConstants()
  /// k, the steps whose mean and variance a norm uses; 1 is layer normalisation.
  public var window: Int
  /// Whether those windows carry over from one pass to the next, as other states do.
  public var carryWindow: Bool
  /// The constants of a cell on maps.
  public var map = MapConstants()
  /// The graph of a graph of layers; nil means a single convolution.
  public var graph: LayerGraph?
  /// The settings of a transformer encoder.
  public var transformer = TransformerSettings()

  public init(
    mu: Double = 0, epsilon: Double = 1, beta: Double = 0, restart: Int = 0, window: Int = 1,
    carryWindow: Bool = false
  ) {
    self.mu = mu
    self.epsilon = epsilon
    self.beta = beta
    self.restart = restart
    self.window = window
    self.carryWindow = carryWindow
  }
}

/// Makes the cells of one kind in any precision.
public protocol CellFamily: Sendable {
  /// The text of `momentum-dist cells` for the family, such as "layer norm".
  var summary: String { get }
  /// The text of `momentum-dist cells` for the body, such as "lstm".
  var body: String { get }
  /// Whether `initialize` uses its `gateBias`.
  var usesGateBias: Bool { get }
  /// Whether input and states are maps; H then counts channels.
  var readsMaps: Bool { get }
  /// Whether the input is added to the state, so it must have the same number of channels.
  var addsInput: Bool { get }
  /// Makes a cell of C = `inputs` and H = `hidden`, in the precision of a type.
  func cell<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, constants: CellConstants, named: LayerName, as: Scalar.Type
  ) -> any RecurrentCell<Scalar>
}

extension CellFamily {
  public var usesGateBias: Bool { false }
  public var readsMaps: Bool { false }
  public var addsInput: Bool { false }
}

/// Makes layers of a cell.
public struct UnrolledLayerFactory: LayerFactory {
  private let family: any CellFamily
  private let constants: CellConstants

  public init(_ family: any CellFamily, _ constants: CellConstants) {
    self.family = family
    self.constants = constants
  }

  public func layer<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, recomputeEvery: Int, named name: LayerName, as type: Scalar.Type
  ) -> any SequenceLayer<Scalar> {
    UnrolledLayer(
      family.cell(
        inputs: inputs, hidden: hidden, constants: constants, named: name, as: type),
      inputs: inputs, recomputeEvery: recomputeEvery, named: name)
  }
}
