// SPDX-License-Identifier: Apache-2.0

import Kernels

extension LayerGraph {
  /// Checks whether the maps of all nodes fit each other.
  ///
  /// - Parameters:
  ///   - height: Y of the input
  ///   - width: X
  ///   - channels: C
  /// - Throws: `Problem`, which names the nodes
  public func check(height: Int, width: Int, channels: Int) throws(Problem) {
    _ = try ResolvedGraph(
      self, input: MapShape(height: height, width: width, channels: channels))
  }
}

/// A graph with the size of every map, which follows from that of the input.
package struct ResolvedGraph {
  /// A connection from a source to a node.
  package struct Edge {
    /// The source's place among the nodes; nil is the input.
    package let source: Int?
    /// The windows that the node's convolution reads from the source.
    package let windows: ImageWindows
    /// The windows of a separable convolution's second part: the places of the first part's result.
    package var places: ImageWindows {
      ImageWindows(
        of: MapShape(
          height: windows.height, width: windows.width, channels: windows.input.channels),
        kernel: 1)
    }
  }

  /// A node with the sizes of its maps.
  package struct Node {
    /// The node as the text specifies it.
    package let said: LayerGraph.Node
    /// One for each source, in their order.
    package let edges: [Edge]
    /// The shape of the convolution's result, and of the cell.
    package let map: MapShape
    /// The pooling of the node's result; nil is none.
    package let pooling: ImagePooling?
    var norm: GroupNormalization? {
      said.norm.map { GroupNormalization(map, groups: $0.groups) }
    }
    /// The shape of the node's output.
    package var output: MapShape { pooling?.output ?? map }
  }

  /// The nodes in the order of the text; the last one is the output.
  package let nodes: [Node]

  /// - Parameter input: the shape of the maps from outside
  /// - Throws: `LayerGraph.Problem` if maps of two sizes do not fit each other
  package init(_ graph: LayerGraph, input: MapShape) throws(LayerGraph.Problem) {
    let said = graph.nodes
    func place(_ name: String) -> Int? { said.firstIndex { $0.name == name } }
    // First sources lead to the input, so each round settles a node.
    var settled = [Int: (windows: ImageWindows, map: MapShape, pooling: ImagePooling?)]()
    func output(_ source: Int?) -> MapShape? {
      guard let source else { return input }
      return settled[source].map { $0.pooling?.output ?? $0.map }
    }
    while settled.count < said.count {
      for (index, node) in said.enumerated() where settled[index] == nil {
        guard let first = output(place(node.sources[0])) else { continue }
        let windows = ImageWindows(of: first, kernel: node.kernel, stride: node.stride)
        let map = MapShape(
          height: windows.height, width: windows.width, channels: node.channels)
        let pooling = node.pool.map { pool in
          let kernel = pool.kernel == 0 ? max(map.height, map.width) : pool.kernel
          return ImagePooling(
            pool.kind,
            ImageWindows(
              of: map, kernel: kernel, stride: pool.kernel == 0 ? kernel : pool.stride))
        }
        settled[index] = (windows, map, pooling)
      }
    }
    var nodes: [Node] = []
    for (index, node) in said.enumerated() {
      let (windows, map, pooling) = settled[index]!
      var edges = [Edge(source: place(node.sources[0]), windows: windows)]
      for name in node.sources.dropFirst() {
        let source = place(name)
        guard let fitting = Self.windows(of: output(source)!, kernel: node.kernel, onto: map) else {
          throw LayerGraph.Problem(
            description: "\(node.name) reads \(name), whose maps of"
              + " \(output(source)!) cannot be scaled to \(map.height)x\(map.width) by a"
              + " whole factor; change a stride or a pool")
        }
        edges.append(Edge(source: source, windows: fitting))
      }
      if let norm = node.norm, map.count == norm.groups {
        throw LayerGraph.Problem(
          description: "\(node.name) has \(norm.text) on maps of \(map), so each group has one"
            + " number and would be normalised to 0; remove it, or use fewer groups")
      }
      nodes.append(Node(said: node, edges: edges, map: map, pooling: pooling))
    }
    self.nodes = nodes
  }

  /// Windows of a map, one for each place of another; nil if no whole factor relates their sizes.
  private static func windows(
    of map: MapShape, kernel: Int, onto target: MapShape
  ) -> ImageWindows? {
    let enlargement = max(target.height / map.height, 1)
    let stride = max((map.height + target.height - 1) / target.height, 1)
    let windows = ImageWindows(
      of: map, kernel: kernel, stride: stride, enlargement: enlargement)
    return windows.height == target.height && windows.width == target.width ? windows : nil
  }
}
