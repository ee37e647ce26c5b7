import BLAS
import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// A graph of layers on maps as one cell (Nayebi et al., NeurIPS 2018): what its nodes give is its
/// state, so that every edge, forward or back, takes one time step. See `LayerGraph`.
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

/// The nodes of a graph side by side. Stage 0 of a step is the convolutions of all of them, the
/// stages after it are those of their cells.
struct GraphCell<Scalar: KernelScalar>: RecurrentCell {
  private let nodes: [Node]
  let products: [CellProduct]
  let vectors: [NamedShape]
  let states: [NamedShape]
  let restartingStates: Set<String>
  let tape: [NamedShape]
  let scratch: [NamedShape]

  /// A node, and where its own stand in the lists of the graph's cell.
  private struct Node {
    let shape: ResolvedGraph.Node
    let cell: (any RecurrentCell<Scalar>)?
    /// The products of the edges, and of the cell.
    var edges = 0..<0
    var products = 0..<0
    var vectors = 0..<0
    var states = 0..<0
    var tape = 0..<0
    var scratch = 0..<0
    /// The states that the convolution gives, that is pooled, and that the node gives.
    var drive = 0
    var pooled = 0
    var output = 0

    var lastStage: Int { cell?.stages ?? 0 }
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
      return Node(shape: node, cell: Self.cell(of: node, constants, own))
    }
    var lists = GraphLists()
    // The first state is what the layer gives out: the last node comes first.
    for index in nodes.indices.reversed() { lists.addStates(of: &nodes[index]) }
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

  /// The lists of a cell as they grow.
  private struct GraphLists {
    var products: [CellProduct] = []
    var vectors: [NamedShape] = []
    var states: [NamedShape] = []
    var restarting: Set<String> = []
    var tape: [NamedShape] = []
    var scratch: [NamedShape] = []

    /// A node's states: what it gives, those of its cell, what drives the cell. One may be the other.
    mutating func addStates(of node: inout Node) {
      func name(_ own: String) -> String { "\(node.shape.said.name).\(own)" }
      func named(_ shapes: [NamedShape]) -> [NamedShape] {
        shapes.map {
          // A cell may have a drive too.
          NamedShape(
            name("cell.\($0.name)"), $0.shape, role: $0.role, isCounter: $0.isCounter)
        }
      }
      func add(_ shapes: [NamedShape], to list: inout [NamedShape]) -> Range<Int> {
        list += shapes
        return list.count - shapes.count..<list.count
      }
      node.output = states.count
      if node.shape.pooling != nil {
        states.append(NamedShape(name("pooled"), node.shape.output.extents))
      }
      if let cell = node.cell {
        node.states = add(named(cell.states), to: &states)
        restarting.formUnion(cell.restartingStates.map { name("cell.\($0)") })
        node.tape = add(named(cell.tape), to: &tape)
        node.scratch = add(named(cell.scratch), to: &scratch)
        node.vectors = add(cell.vectors, to: &vectors)
      }
      node.drive = states.count
      states.append(NamedShape(name("drive"), node.shape.map.extents))
      node.pooled = node.cell == nil ? node.drive : node.states.lowerBound
      // Nobody sees it in the step after but where it is what the node gives.
      if node.output != node.drive { restarting.insert(name("drive")) }
    }

    /// A node's convolutions of its sources, and the products of its cell, a stage later.
    ///
    /// - Parameter outputs: the state that each node gives
    mutating func addProducts(of node: inout Node, named name: LayerName, _ outputs: [Int]) {
      let first = products.count
      for (place, edge) in node.shape.edges.enumerated() {
        products.append(
          CellProduct(
            name.of("weight_\(node.shape.said.sources[place])"),
            bias: place == 0 ? name.of("bias") : nil,
            of: edge.source.map { .state(outputs[$0]) } ?? .input, width: node.channels,
            windows: edge.windows))
      }
      node.edges = first..<products.count
      guard let cell = node.cell else { return }
      for product in cell.products {
        let operand: CellProduct.Operand
        switch product.operand {
        case .input: operand = .updated(node.drive)
        case .state(let state): operand = .state(node.states.lowerBound + state)
        case .updated(let state): operand = .updated(node.states.lowerBound + state)
        }
        products.append(
          CellProduct(
            product.weight, bias: product.bias, of: operand, width: product.width,
            groups: product.groups, stage: product.stage + 1, windows: product.windows,
            addsTo: product.addsTo.map { node.edges.upperBound + $0 }))
      }
      node.products = node.edges.upperBound..<products.count
    }
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
      MapGeometry.initialize(Array(products[node.edges]), parameters, stream: &stream)
      node.cell?.initialize(parameters, gateBias: gateBias, stream: &stream)
    }
  }

  func step(_ s: CellStep<Scalar>) {
    for node in nodes {
      if s.stage == 0 {
        let sum = s.products[node.edges.lowerBound]
        for edge in node.edges.dropFirst() { sum.add(s.products[edge], scale: 1) }
        apply(node.activation.forward, node, [sum], to: s.after[node.drive])
      } else if let cell = node.cell, s.stage <= cell.stages {
        cell.step(
          CellStep(
            index: s.index, stage: s.stage - 1, times: s.times, input: s.after[node.drive],
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
      if s.stage == 0 {
        let delta = s.dProducts[node.edges.lowerBound]
        apply(
          node.activation.adjoint, node, [s.dAfter[node.drive], s.after[node.drive]], to: delta)
        for edge in node.edges.dropFirst() { s.dProducts[edge].copy(from: delta) }
        s.dBefore[node.drive].fill(0)
      } else if let cell = node.cell, s.stage <= cell.stages {
        cell.adjoint(
          CellAdjoint(
            index: s.index, stage: s.stage - 1, times: s.times, input: s.after[node.drive],
            vectors: Array(s.vectors[node.vectors]), before: Array(s.before[node.states]),
            after: Array(s.after[node.states]), tape: Array(s.tape[node.tape]),
            scratch: Array(s.scratch[node.scratch]), dAfter: Array(s.dAfter[node.states]),
            dBefore: Array(s.dBefore[node.states]), dInput: s.dAfter[node.drive],
            dProducts: Array(s.dProducts[node.products]),
            dVectors: Array(s.dVectors[node.vectors]), groupStarts: s.groupStarts))
      }
    }
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
