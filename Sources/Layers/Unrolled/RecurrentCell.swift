import BLAS
import Kernels
import RandomNumbers
import Tensors

/// One time step of a recurrent layer over whole rows, and its adjoint: the equation and nothing
/// else. `UnrolledLayer` owns time, ragged ends, what is kept of the steps, shards and weights'
/// gradients.
///
/// A step is two parts. The *products* are linear maps of the input or of a state; the layer
/// computes them. What the cell does with their results is its `step`:
///
///     p_i = W_i x_t + b_i  or  W_i s_{t-1} + b_i
///     s_t = step(p_1 ... p_n, s_{t-1})
///
/// A cell that multiplies what the step itself computes has *stages*: `step` is called once for each.
/// The products of a stage are taken after the call before it, and see the states that it has left.
///
/// Whatever `step` does with a row must not depend on the other rows.
public protocol RecurrentCell<Scalar> {
  associatedtype Scalar: KernelScalar

  /// The linear maps, in the order in which `step` sees their results.
  var products: [CellProduct] { get }
  /// Parameters that work element by element, [D] each, such as a norm's gain.
  var vectors: [NamedShape] { get }
  /// What is carried from step to step, by the shape of a row. The first is the layer's output.
  var states: [NamedShape] { get }
  /// The names of the states that start every pass at zero, wherever the sequence is: the layer
  /// neither takes nor gives them. Never the first.
  var restartingStates: Set<String> { get }
  /// What `adjoint` needs of a step besides states and vectors, by the length of a row.
  var tape: [NamedShape] { get }
  /// Memory for the length of one call, by the length of a row.
  var scratch: [NamedShape] { get }
  /// How often `step` is called for a time step: as its products say, unless it has more.
  var stages: Int { get }
  /// Whether it asks when a step happened.
  var readsTimes: Bool { get }
  /// About how many floating-point operations a row and step of training take besides 6 for each
  /// weight.
  var furtherOperations: Double { get }
  /// About how many numbers it keeps for passes over T steps besides parameters and states.
  func furtherNumbers(steps T: Int) -> Double

  /// Sets the starting values.
  func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream)
  /// Computes what all steps share and no parameter changes, before the first pass.
  ///
  /// - Throws: `LAPACKError` where a matrix cannot be computed
  func prepare() throws(LAPACKError)
  /// Takes the states over one stage of a step.
  func step(_ step: CellStep<Scalar>)
  /// Takes gradients back over one stage of a step; the last stage comes first.
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
  /// What is mapped.
  public enum Operand: Sendable, Hashable {
    case input
    /// A state before the step, by its place among the cell's states.
    case state(Int)
    /// A state as the stages before have left it.
    case updated(Int)
  }

  /// The name of W [width, length of the operand / groups]; of a convolution [width, K, K, C], of a
  /// depthwise one [C, K, K].
  public let weight: String
  /// The name of b [width]; nil is zero.
  public let bias: String?
  public let operand: Operand
  public let width: Int
  /// Operand and result are cut into so many equal parts, each of which is mapped by itself.
  public let groups: Int
  /// The first stage of the step that sees the result.
  public let stage: Int
  /// Of a convolution, whose operand is a map, those parts of it that W is multiplied with; nil is
  /// the whole operand. The result is then a map too, of `width` channels.
  public let windows: ImageWindows?
  /// Whether the convolution is depthwise: each channel of the operand has a filter of its own, and
  /// the result has the operand's channels.
  public let isDepthwise: Bool
  /// An earlier product to whose result this one is added, by its place among the cell's products:
  /// both have one result and one gradient. Nil has its own.
  public let addsTo: Int?

  public init(
    _ weight: String, bias: String?, of operand: Operand, width: Int, groups: Int = 1,
    stage: Int = 0, windows: ImageWindows? = nil, isDepthwise: Bool = false, addsTo: Int? = nil
  ) {
    precondition(
      addsTo == nil || bias == nil && windows == nil,
      "a product with addsTo has no windows and no bias of its own")
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

  /// How many numbers a row of the result has.
  var results: Int { width * (windows?.places ?? 1) }

  /// How many numbers a row of W has.
  ///
  /// - Parameter length: of the operand
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

/// What a cell's step reads and writes. All tensors are [N, ·], in the order of the cell's lists.
public struct CellStep<Scalar: KernelScalar> {
  /// How many steps of the sequences came before this one.
  public let index: Int
  /// Which call of the step this is, from 0.
  public let stage: Int
  /// When each row's step happened, counted from the first step of its sequence, [N]; nil where
  /// steps are one apart.
  public let times: Tensor<Double>?
  /// x_t itself, [N, C].
  public let input: Tensor<Scalar>
  /// The results of the products, as far as their stage has come.
  public let products: [Tensor<Scalar>]
  /// [D] each.
  public let vectors: [Tensor<Scalar>]
  /// The states before the step.
  public let before: [Tensor<Scalar>]
  /// Receives the states after it.
  public let after: [Tensor<Scalar>]
  /// Receives what the adjoint needs.
  public let tape: [Tensor<Scalar>]
  /// Whether the tape kept for the backward pass exceeds the caches, so that writes should bypass them.
  public let isTapeLarge: Bool
  public let scratch: [Tensor<Scalar>]
}

/// What the adjoint of a step reads and writes. All tensors are [N, ·].
public struct CellAdjoint<Scalar: KernelScalar> {
  /// How many steps of the sequences came before this one.
  public let index: Int
  /// Which call of the step is taken back.
  public let stage: Int
  /// As in `CellStep`.
  public let times: Tensor<Double>?
  /// x_t itself, [N, C].
  public let input: Tensor<Scalar>
  /// [D] each.
  public let vectors: [Tensor<Scalar>]
  /// The states before the step and after it.
  public let before: [Tensor<Scalar>]
  public let after: [Tensor<Scalar>]
  /// What the step wrote.
  public let tape: [Tensor<Scalar>]
  public let scratch: [Tensor<Scalar>]
  /// The gradient of the states after the step. It may be written over.
  public let dAfter: [Tensor<Scalar>]
  /// Receives the gradient of the states before the step, but for what goes through the products.
  /// It holds nothing of use before the last stage, which is the first that is taken back.
  public let dBefore: [Tensor<Scalar>]
  /// For a cell that reads its input itself: the gradient of the input, to be added to. Nil if it is
  /// not wanted.
  public let dInput: Tensor<Scalar>?
  /// Receives the gradient of the result of each product of this stage.
  public let dProducts: [Tensor<Scalar>]
  /// The gradient of each vector, [groups, D]: a group of rows adds to its own.
  public let dVectors: [Tensor<Scalar>]
  /// The first row of each group, then N.
  public let groupStarts: [Int]
}

/// The constants that a configuration sets for a cell; which of them a cell has is said where it is
/// listed in `RecurrentSystem.all`.
public struct CellConstants: Sendable, Hashable {
  /// μ, ε and β of a drive (Nguyen et al., NeurIPS 2020), or what a cell's own paper calls so.
  public var mu: Double
  public var epsilon: Double
  public var beta: Double
  /// F, steps between restarts; 0 never restarts.
  public var restart: Int
  /// Of a cell with a HiPPO memory.
  public var memory = MemoryConstants()
  /// k, the steps that a norm takes mean and variance of; 1 is layer normalisation.
  public var window: Int
  /// Whether those windows carry over from one pass to the next, as other states do.
  public var carryWindow: Bool
  /// Of a cell on maps.
  public var map = MapConstants()
  /// Of a graph of layers; nil is one convolution.
  public var graph: LayerGraph?
  /// Of a transformer encoder.
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
  /// What `momentum-dist cells` says of the family and of the body: "layer norm" and "lstm".
  var summary: String { get }
  var body: String { get }
  /// Whether `initialize` uses its `gateBias`.
  var usesGateBias: Bool { get }
  /// Whether input and states are maps, of which H counts the channels.
  var readsMaps: Bool { get }
  /// Whether the input enters the state as it is, so that it must have as many channels.
  var addsInput: Bool { get }
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
