// SPDX-License-Identifier: Apache-2.0

import BLAS
import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// A graph of layers on maps as one cell (Nayebi et al., NeurIPS 2018): the outputs of its nodes
/// are its state, so every edge, forward or back, takes one time step. See `LayerGraph`.
///
/// Without a text it is one convolution of H channels.
public struct GraphOfLayers: CellFamily {
  public init() {}
  public var summary: String { "graph" }
  public var body: String { "layers on maps" }
  public var usesGateBias: Bool { true }
  public var readsMaps: Bool { true }

  public func cell<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, constants: CellConstants, named name: LayerName, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> {
    let map = MapShape(
      height: constants.map.height, width: constants.map.width,
      channels: inputs / (constants.map.height * constants.map.width))
    do {
      let graph = try constants.graph ?? LayerGraph("layer1: input, channels \(hidden)")
      return GraphCell<Scalar>(
        try ResolvedGraph(graph, input: map), constants: constants, named: name)
    } catch {
      preconditionFailure("the graph was not checked: \(error)")
    }
  }
}

/// The nodes of a graph as one cell. The first stage of a node sums up its convolutions, and the
/// stages after it are those of its own cell. The first stage is stage 0, or stage 1 for a
/// separable node, which mixes the channels of stage 0's depthwise results.
struct GraphCell<Scalar: KernelScalar>: RecurrentCell {
  private let nodes: [Node]
  let products: [CellProduct]
  let vectors: [NamedShape]
  let states: [NamedShape]
  let restartingStates: Set<String>
  let tape: [NamedShape]
  let scratch: [NamedShape]

  /// A node, and the places of its entries in the lists of the graph's cell.
  struct Node {
    let shape: ResolvedGraph.Node
    let cell: (any RecurrentCell<Scalar>)?
    let norm: GroupNormalization?
    /// The products of the edges, what comes before those of a separable node, and of the cell.
    var edges = 0..<0
    var depthwise = 0..<0
    var products = 0..<0
    var vectors = 0..<0
    var states = 0..<0
    var tape = 0..<0
    var scratch = 0..<0
    /// The states of the convolution's result, of the map before pooling, and of the node's output.
    var drive = 0
    var pooled = 0
    var output = 0
    /// The states that take the depthwise products.
    var filtered = 0..<0
    /// The start of the norm's vectors and of its tape in the lists.
    var normVectors = 0
    var normTape = 0

    var firstStage: Int { shape.said.isSeparable ? 1 : 0 }
    var lastStage: Int { firstStage + (cell?.stages ?? 0) }
    var channels: Int { shape.map.channels }
    var activation: (forward: PointwiseKind, adjoint: PointwiseKind) {
      switch shape.said.activation {
      case .elu: (.elu, .eluAdjoint)
      case .relu: (.relu, .reluAdjoint)
      }
    }
  }

  init(_ graph: ResolvedGraph, constants: CellConstants, named name: LayerName) {
    var nodes = graph.nodes.map { node -> Node in
      // A cell may have a bias too.
      let own = LayerName(prefix: Self.name(node, in: name).prefix + "cell.", suffix: name.suffix)
      return Node(shape: node, cell: Self.cell(of: node, constants, own), norm: node.norm)
    }
    var lists = GraphLists()
    // The first state is the layer's output, so the last node comes first.
    for index in nodes.indices.reversed() {
      lists.addStates(of: &nodes[index])
      lists.addNorm(of: &nodes[index], named: Self.name(nodes[index].shape, in: name))
    }
    let outputs = nodes.map(\.output)
    for index in nodes.indices {
      let own = Self.name(nodes[index].shape, in: name)
      lists.addProducts(of: &nodes[index], named: own, outputs)
    }
    self.nodes = nodes
    products = lists.products
    vectors = lists.vectors
    states = lists.states
    restartingStates = lists.restarting
    tape = lists.tape
    scratch = lists.scratch
  }

  private static func name(_ node: ResolvedGraph.Node, in name: LayerName) -> LayerName {
    LayerName(prefix: "\(name.prefix)\(node.said.name).", suffix: name.suffix)
  }

  private static func cell(
    of node: ResolvedGraph.Node, _ constants: CellConstants, _ name: LayerName
  ) -> (any RecurrentCell<Scalar>)? {
    guard let system = node.said.cell.flatMap({ RecurrentSystem(named: $0) }),
      case .unrolled(let family) = system.design
    else { return nil }
    var constants = constants
    (constants.map.height, constants.map.width) = (node.map.height, node.map.width)
    constants.map.kernel = node.said.kernel
    return family.cell(
      inputs: node.map.count, hidden: node.map.channels, constants: system.constants(constants),
      named: name, as: Scalar.self)
  }
}

// MARK: - As a cell

extension GraphCell {
  var stages: Int { nodes.map(\.lastStage).max()! + 1 }
  var readsTimes: Bool { nodes.contains { $0.cell?.readsTimes ?? false } }
  var furtherOperations: Double { nodes.reduce(0) { $0 + ($1.cell?.furtherOperations ?? 0) } }
  func furtherNumbers(steps T: Int) -> Double {
    nodes.reduce(0) { $0 + ($1.cell?.furtherNumbers(steps: T) ?? 0) }
  }

  func prepare() throws(LAPACKError) {
    for node in nodes { try node.cell?.prepare() }
  }

  func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
  ) {
    for node in nodes {
      MapGeometry.initialize(
        Array(products[node.depthwise]) + Array(products[node.edges]), parameters, stream: &stream)
      if node.norm != nil {
        parameters[vectors[node.normVectors].name].fill(1)
        parameters[vectors[node.normVectors + 1].name].fill(0)
      }
      node.cell?.initialize(parameters, gateBias: gateBias, stream: &stream)
    }
  }

  func step(_ s: CellStep<Scalar>) {
    for node in nodes {
      if s.stage < node.firstStage {
        for (state, product) in zip(node.filtered, node.depthwise) {
          s.after[state].copy(from: s.products[product])
        }
      } else if s.stage == node.firstStage {
        let sum = s.products[node.edges.lowerBound]
        for edge in node.edges.dropFirst() { sum.add(s.products[edge], scale: 1) }
        normalize(sum, of: node, s)
        apply(node.activation.forward, node, [sum], to: s.after[node.drive])
      } else if let cell = node.cell, s.stage <= node.lastStage {
        cell.step(
          CellStep(
            index: s.index, stage: s.stage - node.firstStage - 1, times: s.times,
            input: s.after[node.drive],
            products: Array(s.products[node.products]), vectors: Array(s.vectors[node.vectors]),
            before: Array(s.before[node.states]), after: Array(s.after[node.states]),
            tape: Array(s.tape[node.tape]), isTapeLarge: s.isTapeLarge,
            scratch: Array(s.scratch[node.scratch])))
      }
      if s.stage == node.lastStage {
        node.shape.pooling?.forward(s.after[node.pooled], into: s.after[node.output])
      }
    }
  }

  func adjoint(_ s: CellAdjoint<Scalar>) {
    for node in nodes {
      if s.stage == node.lastStage, let pooling = node.shape.pooling {
        pooling.backward(
          s.dAfter[node.output], x: s.after[node.pooled], y: s.after[node.output],
          addingTo: s.dAfter[node.pooled])
        s.dBefore[node.output].fill(0)
      }
      if s.stage < node.firstStage {
        for (state, product) in zip(node.filtered, node.depthwise) {
          s.dProducts[product].copy(from: s.dAfter[state])
          s.dBefore[state].fill(0)
        }
      } else if s.stage == node.firstStage {
        let delta = s.dProducts[node.edges.lowerBound]
        apply(
          node.activation.adjoint, node, [s.dAfter[node.drive], s.after[node.drive]], to: delta)
        takeBackNorm(delta, of: node, s)
        for edge in node.edges.dropFirst() { s.dProducts[edge].copy(from: delta) }
        s.dBefore[node.drive].fill(0)
      } else if let cell = node.cell, s.stage <= node.lastStage {
        cell.adjoint(
          CellAdjoint(
            index: s.index, stage: s.stage - node.firstStage - 1, times: s.times,
            input: s.after[node.drive],
            vectors: Array(s.vectors[node.vectors]), before: Array(s.before[node.states]),
            after: Array(s.after[node.states]), tape: Array(s.tape[node.tape]),
            scratch: Array(s.scratch[node.scratch]), dAfter: Array(s.dAfter[node.states]),
            dBefore: Array(s.dBefore[node.states]), dInput: s.dAfter[node.drive],
            dProducts: Array(s.dProducts[node.products]),
            dVectors: Array(s.dVectors[node.vectors]), groupStarts: s.groupStarts))
      }
    }
  }

  /// Normalises a node's sum in place, if the node has a norm.
  private func normalize(_ sum: Tensor<Scalar>, of node: Node, _ s: CellStep<Scalar>) {
    node.norm?.forward(
      sum, gain: s.vectors[node.normVectors], shift: s.vectors[node.normVectors + 1], into: sum,
      normalised: s.tape[node.normTape], inverseDeviation: s.tape[node.normTape + 1])
  }

  /// Turns the gradient of the norm's output into that of the sum.
  private func takeBackNorm(_ delta: Tensor<Scalar>, of node: Node, _ s: CellAdjoint<Scalar>) {
    node.norm?.backward(
      delta, normalised: s.tape[node.normTape], inverseDeviation: s.tape[node.normTape + 1],
      gain: s.vectors[node.normVectors], into: delta, dGain: s.dVectors[node.normVectors],
      dShift: s.dVectors[node.normVectors + 1], shardStarts: s.groupStarts)
  }

  /// Applies a formula to all channels of all places of a node's maps.
  private func apply(
    _ kind: PointwiseKind, _ node: Node, _ inputs: [Tensor<Scalar>], to output: Tensor<Scalar>
  ) {
    func rows(_ maps: Tensor<Scalar>) -> ColumnBlock<Scalar> {
      ColumnBlock(maps.reshaped([maps.count / node.channels, node.channels]))
    }
    Pointwise.apply(
      kind, columns: node.channels, inputs: inputs.map(rows), outputs: [rows(output)])
  }
}
