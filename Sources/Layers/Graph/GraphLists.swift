// SPDX-License-Identifier: Apache-2.0

import Kernels

extension GraphCell {
  /// The lists of a cell while they are built.
  struct GraphLists {
    var products: [CellProduct] = []
    var vectors: [NamedShape] = []
    var states: [NamedShape] = []
    var restarting: Set<String> = []
    var tape: [NamedShape] = []
    var scratch: [NamedShape] = []

    /// Adds a node's states: its output, those of its cell, and the cell's drive. Two of them can
    /// be the same state.
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
      // The next step reads it only if it is the node's output.
      if node.output != node.drive { restarting.insert(name("drive")) }
      guard node.shape.said.isSeparable else { return }
      node.filtered = add(
        zip(node.shape.said.sources, node.shape.edges).map { source, edge in
          NamedShape(name("depthwise_\(source)"), edge.places.input.extents)
        }, to: &states)
      restarting.formUnion(states[node.filtered].map(\.name))
    }

    /// Adds a node's norm: gain and shift, and what its adjoint needs.
    mutating func addNorm(of node: inout Node, named name: LayerName) {
      (node.normVectors, node.normTape) = (vectors.count, tape.count)
      guard let norm = node.norm else { return }
      vectors += ["gain", "shift"].map { NamedShape(name.of($0), [node.channels]) }
      let own = node.shape.said.name
      tape += [
        NamedShape("\(own).normalised", node.shape.map.extents),
        NamedShape("\(own).inverse_deviation", [norm.groups]),
      ]
    }

    /// Adds a node's convolutions of its sources, and the products of its cell, a stage later.
    ///
    /// - Parameter outputs: the state of each node's output
    mutating func addProducts(of node: inout Node, named name: LayerName, _ outputs: [Int]) {
      addEdges(of: &node, named: name, outputs)
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
            groups: product.groups, stage: product.stage + node.firstStage + 1,
            windows: product.windows, isDepthwise: product.isDepthwise,
            addsTo: product.addsTo.map { node.edges.upperBound + $0 }))
      }
      node.products = node.edges.upperBound..<products.count
    }

    private mutating func addEdges(of node: inout Node, named name: LayerName, _ outputs: [Int]) {
      let sources = Array(zip(node.shape.said.sources, node.shape.edges))
      func operand(_ edge: ResolvedGraph.Edge) -> CellProduct.Operand {
        edge.source.map { .state(outputs[$0]) } ?? .input
      }
      let first = products.count
      if node.shape.said.isSeparable {
        for (source, edge) in sources {
          products.append(
            CellProduct(
              name.of("depthwise_\(source)"), bias: nil, of: operand(edge),
              width: edge.windows.input.channels, windows: edge.windows, isDepthwise: true))
        }
      }
      node.depthwise = first..<products.count
      for (place, (source, edge)) in sources.enumerated() {
        let isSeparable = node.shape.said.isSeparable
        products.append(
          CellProduct(
            name.of("weight_\(source)"), bias: place == 0 ? name.of("bias") : nil,
            of: isSeparable ? .updated(node.filtered.lowerBound + place) : operand(edge),
            width: node.channels, stage: node.firstStage,
            windows: isSeparable ? edge.places : edge.windows))
      }
      node.edges = node.depthwise.upperBound..<products.count
    }
  }
}
