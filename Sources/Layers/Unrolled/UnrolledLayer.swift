// SPDX-License-Identifier: Apache-2.0

import BLAS
import Kernels
import RandomNumbers
import Tensors

/// Makes a layer from a cell. The layer handles time; the cell does not.
///
///     s_t = cell(x_t, s_{t-1}),   y_t = the first member of s_t
///
/// All rows of a rank run together, through products whose rows do not depend on each other.
/// Weights are packed once per optimizer step, and products of the input are computed for many
/// steps at once. In the backward pass the gradients of the products are collected over blocks of
/// time, and become gradients of weights per shard, a block at a time.
///
/// Steps after the end of a sequence are computed like the rest and have no gradient.
public struct UnrolledLayer<Scalar: KernelScalar>: SequenceLayer {
  /// The cell that is run.
  public let cell: any RecurrentCell<Scalar>
  public let inputFeatures: [Int]
  let recomputeEvery: Int
  private let name: LayerName
  private var arranged = ArrangedWeights<Scalar>()

  /// - Parameters:
  ///   - cell: the equation of a step
  ///   - inputs: C
  ///   - recomputeEvery: as in `LayerFactory.layer`
  ///   - name: the place of the layer in its model
  public init(
    _ cell: any RecurrentCell<Scalar>, inputs: Int, recomputeEvery: Int = 0, named name: LayerName
  ) {
    self.cell = cell
    inputFeatures = [inputs]
    self.recomputeEvery = recomputeEvery
    self.name = name
  }

  public var features: [Int] { cell.states[0].shape }
  public var states: [NamedShape] {
    cell.states.filter { !cell.restartingStates.contains($0.name) }
  }
  public var readsTimes: Bool { cell.readsTimes }

  public var parameters: [NamedShape] {
    let products = cell.products
    return products.map { product in
      NamedShape(
        product.weight,
        product.windows.map {
          [product.width, $0.kernel, $0.kernel] + (product.isDepthwise ? [] : [$0.input.channels])
        } ?? [product.width, length(of: product.operand) / product.groups])
    }
      + products.compactMap { product in
        product.bias.map { NamedShape($0, [product.width], role: .bias) }
      }
      + cell.vectors
  }

  public var trainingOperations: Double {
    let weights = cell.products.reduce(0) { $0 + $1.results * depth($1) }
    return 6 * Double(weights) + cell.furtherOperations
  }

  /// The length of a row of an operand.
  func length(of operand: CellProduct.Operand) -> Int {
    switch operand {
    case .input: inputs
    case .state(let index), .updated(let index): cell.states[index].count
    }
  }

  /// The length of a row of a product's weight.
  func depth(_ product: CellProduct) -> Int { product.depth(of: length(of: product.operand)) }

  /// The steps whose input products, and whose gradients of weights, are computed at once. It must
  /// not depend on the rows of a rank, nor on recomputation, because the order of sums follows from
  /// it. A convolution has enough rows in one step.
  var blockSteps: Int { cell.products.contains { $0.windows != nil } ? 1 : 16 }

  public func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, streams: inout InitializationStreams
  ) {
    var stream = streams.next()
    cell.initialize(parameters, gateBias: gateBias, stream: &stream)
  }

  public func prepare(_ parameters: ParameterBuffer<Scalar>, advancing: Bool) throws(LAPACKError) {
    try cell.prepare()
    let weights = cell.products.map { product in
      // The kernels read depthwise filters unpacked; their packed copy only keeps the indices
      // aligned.
      let weight = parameters[product.weight].reshaped([product.width, depth(product)])
      return product.groups == 1 ? weight : GroupedWeight(product).blockDiagonal(weight)
    }
    arranged.pack(weights) { inputGradientWeight($0, weights[$0]) }
  }

  /// The weight that is multiplied with dp for the operand's gradient, and whether it is packed as
  /// its transpose.
  private func inputGradientWeight(
    _ index: Int, _ weight: Tensor<Scalar>
  ) -> (weight: Tensor<Scalar>, isTransposed: Bool) {
    let product = cell.products[index]
    guard let windows = product.windows, !product.isDepthwise else { return (weight, true) }
    return Convolution.inputGradientWeight(weight, windows)
  }

  public var recurrentWeight: String? { recurrentProduct.map { cell.products[$0].weight } }

  /// The first product of the layer's output.
  private var recurrentProduct: Int? {
    cell.products.firstIndex { $0.operand == .state(0) && !$0.isDepthwise }
  }

  public func replacingRecurrentWeight(_ weight: Tensor<Scalar>) -> any SequenceLayer<Scalar> {
    guard let index = recurrentProduct else { return self }
    var layer = self
    layer.arranged = ArrangedWeights()
    (layer.arranged.forward, layer.arranged.backward) = (arranged.forward, arranged.backward)
    let product = cell.products[index]
    let weight = weight.reshaped([product.width, depth(product)])
    layer.arranged.forward[index] = PackedMatrix(weight)
    let (backward, isTransposed) = inputGradientWeight(index, weight)
    layer.arranged.backward[index] = PackedMatrix(backward, transposed: isTransposed)
    return layer
  }

  public func forward(
    _ input: SequenceInput<Scalar>, from state: LayerState<Scalar>?,
    _ parameters: ParameterBuffer<Scalar>, keeping: LayerKeeping, in workspace: Workspace<Scalar>
  ) -> any LayerPass<Scalar> {
    let pass = UnrolledPass(
      self, input, parameters, arranged, keeping: keeping,
      memory: LayerMemory(workspace, name))
    pass.run(from: state)
    return pass
  }

  public func workingNumbers(
    steps T: Int, rows N: Int, threads: Int, isTraining: Bool
  ) -> Double {
    let products = cell.products
    let weights = Double(products.reduce(0) { $0 + $1.width * depth($1) * $1.groups })
    let shared = 2 * weights + cell.furtherNumbers(steps: T)
    func sum(_ number: (CellProduct) -> Int) -> Int { products.reduce(0) { $0 + number($1) } }
    let block = min(T, blockSteps)
    let results = sum { ($0.operand == .input ? block : 1) * $0.results }
    let states = cell.states.reduce(0) { $0 + $1.count }
    let kept = states - cell.states[0].count
    let tape = cell.tape.reduce(0) { $0 + $1.count }
    let step = results + cell.scratch.reduce(0) { $0 + $1.count }
    guard isTraining else { return shared + Double(N * (step + 2 * kept + tape)) }
    // Rows kept for the gradients of weights; a convolution keeps none.
    let rows = sum { $0.windows == nil ? block * ($0.width + length(of: $0.operand)) : 0 }
    let gradients = rows + sum { $0.results } + 2 * states
    let segment = recomputeEvery > 0 ? min(recomputeEvery, T) : T
    let starts = recomputeEvery > 0 ? (T - 1) / recomputeEvery + 1 : 0
    return shared
      + Double(N * (step + gradients + segment * (kept + tape) + starts * kept))
  }
}

/// The weight of a product in groups: blocks on the diagonal of a matrix that is zero elsewhere.
struct GroupedWeight {
  private let groups: Int
  private let width: Int

  init(_ product: CellProduct) {
    (groups, width) = (product.groups, product.width)
  }

  /// The whole matrix [W, K] of the blocks [W, K / groups].
  func blockDiagonal<Scalar: KernelScalar>(_ weight: Tensor<Scalar>) -> Tensor<Scalar> {
    let whole = Tensor<Scalar>(shape: [width, weight.shape[1] * groups])
    forEachRow(of: weight) { row, block in whole.elements(block).copy(from: weight.row(row)) }
    return whole
  }

  /// Adds the blocks of a whole matrix.
  func addBlocks<Scalar: KernelScalar>(of whole: Tensor<Scalar>, to weight: Tensor<Scalar>) {
    forEachRow(of: weight) { row, block in weight.row(row).add(whole.elements(block), scale: 1) }
  }

  /// Calls `body` with each row and its place in the whole matrix.
  private func forEachRow<Scalar: KernelScalar>(
    of weight: Tensor<Scalar>, _ body: (Int, Range<Int>) -> Void
  ) {
    let length = weight.shape[1]
    for row in 0..<width {
      let first = (row * groups + row / (width / groups)) * length
      body(row, first..<first + length)
    }
  }
}

/// The packed weights of a layer's products, as of the last `prepare`.
final class ArrangedWeights<Scalar: KernelScalar> {
  /// For p = s Wᵀ + b.
  var forward: [PackedMatrix<Scalar>] = []
  /// For ds = dp W.
  var backward: [PackedMatrix<Scalar>] = []

  func pack(_ weights: [Tensor<Scalar>]) { pack(weights) { (weights[$0], true) } }

  /// - Parameter inputGradientWeight: for each product, the weight that is multiplied with dp for
  ///   the operand's gradient, and whether it is packed as its transpose
  func pack(
    _ weights: [Tensor<Scalar>],
    inputGradientWeight: (Int) -> (weight: Tensor<Scalar>, isTransposed: Bool)
  ) {
    for (index, weight) in weights.enumerated() {
      let (other, isTransposed) = inputGradientWeight(index)
      if index < forward.count {
        forward[index].pack(weight)
        backward[index].pack(other)
      } else {
        forward.append(PackedMatrix(weight))
        backward.append(PackedMatrix(other, transposed: isTransposed))
      }
    }
  }
}
