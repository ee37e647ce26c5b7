// SPDX-License-Identifier: Apache-2.0

import Kernels
import Layers

/// A graph of layers on maps as one cell; `LayerGraph` and `GraphCell` have the equations. Each
/// node sees the outputs of its sources in the preceding step. The last node is the output.
struct LayersOnMapsGraph: CellGraph {
  private let nodes: [Node]

  private struct Node {
    let shape: ResolvedGraph.Node
    /// The convolution of each source.
    let edges: [(source: Int?, convolution: (GraphValue) -> GraphValue)]
    let norm: (gain: GraphValue, shift: GraphValue)?
    let cell: (any CellGraph)?

    /// The states, of which the output is the first.
    var states: [(name: String, shape: [Int])] {
      let name = shape.said.name
      let own = (cell?.states ?? []).map { (name: "\(name).cell.\($0.name)", shape: $0.shape) }
      if shape.pooling != nil { return [("\(name).pooled", extents(shape.output))] + own }
      return cell == nil ? [("\(name).drive", extents(shape.map))] : own
    }

    private func extents(_ map: MapShape) -> [Int] { [map.height, map.width, map.channels] }
  }

  /// - Parameters:
  ///   - map: Y, X and C of the input
  ///   - cell: the nodes of a node's cell
  init(
    _ graph: LayerGraph, map: [Int], _ tensors: LayerTensors, in builder: GraphBuilder,
    cell: (ResolvedGraph.Node, LayerTensors) throws(ExportError) -> (any CellGraph)?
  ) throws(ExportError) {
    let input = MapShape(height: map[0], width: map[1], channels: map[2])
    let resolved: ResolvedGraph
    do {
      resolved = try ResolvedGraph(graph, input: input)
    } catch {
      throw ExportError("model.graph: \(error)")
    }
    var nodes: [Node] = []
    for node in resolved.nodes {
      let own = tensors.inside(node.said.name)
      var edges: [(source: Int?, convolution: (GraphValue) -> GraphValue)] = []
      for (name, edge) in zip(node.said.sources, node.edges) {
        let bias = edges.isEmpty ? "bias" : nil
        let weight = "weight_\(name)"
        if node.said.isSeparable {
          let first = try ConvolutionNode(
            depthwise: "depthwise_\(name)", edge.windows, own, in: builder)
          let second = try ConvolutionNode(weight, bias: bias, edge.places, own, in: builder)
          edges.append((edge.source, { second.of(first.of($0)) }))
        } else {
          let only = try ConvolutionNode(weight, bias: bias, edge.windows, own, in: builder)
          edges.append((edge.source, only.of))
        }
      }
      func perChannel(_ name: String) throws(ExportError) -> GraphValue {
        let tensor = try own.require(name)
        return builder.constant(
          tensor.values, shape: [tensor.values.count, 1, 1], named: tensor.path)
      }
      nodes.append(
        Node(
          shape: node, edges: edges,
          norm: node.said.norm == nil
            ? nil : (try perChannel("gain"), try perChannel("shift")),
          cell: try cell(node, own.inside("cell"))))
    }
    self.nodes = nodes
  }

  var readsMaps: Bool { true }
  var usesStepNumber: Bool { nodes.contains { $0.cell?.usesStepNumber ?? false } }
  var states: [(name: String, shape: [Int])] { nodes.flatMap(\.states) }

  func step(
    _ x: GraphValue, _ before: [GraphValue], number: GraphValue
  ) -> (y: GraphValue, after: [GraphValue]) {
    var (starts, place) = ([Int](), 0)
    for node in nodes {
      starts.append(place)
      place += node.states.count
    }
    var (after, last) = ([GraphValue](), x)
    for (index, node) in nodes.enumerated() {
      let sums = node.edges.map { edge in
        edge.convolution(edge.source.map { before[starts[$0]] } ?? x)
      }
      let sum = normalised(sums.dropFirst().reduce(sums[0], +), node)
      var output = node.shape.said.activation == .relu ? sum.rectified : sum.elu
      var own: [GraphValue] = []
      if let cell = node.cell {
        let first = starts[index] + (node.shape.pooling == nil ? 0 : 1)
        let given = Array(before[first..<first + cell.states.count])
        (output, own) = cell.step(output, given, number: number)
      }
      if let pooling = node.shape.pooling {
        output = ConvolutionNode.pooled(output, pooling)
        own = [output] + own
      } else if node.cell == nil {
        own = [output]
      }
      after += own
      last = output
    }
    return (last, after)
  }

  /// Normalises each map over all its places and a group of channels.
  private func normalised(_ z: GraphValue, _ node: Node) -> GraphValue {
    guard let norm = node.norm, let groups = node.shape.said.norm?.groups else { return z }
    let map = node.shape.map
    let flat = z.reshaped([-1, groups, map.count / groups])
    let distance = flat - flat.mean(axes: [2])
    let deviation = (1e-5 + (distance * distance).mean(axes: [2])).squareRoot
    let n = (distance / deviation).reshaped([-1, map.channels, map.height, map.width])
    return n * norm.gain + norm.shift
  }
}
