// SPDX-License-Identifier: Apache-2.0

import Kernels

/// A graph of layers on maps, written as a text of nodes:
///
///     conv1: input, channels 16, kernel 5, stride 2, pool max 2;
///     conv2: conv1 + conv3, channels 32;
///     conv3: conv2, channels 32, cell rgc, pool mean all
///
/// A node is a convolution of its sources' outputs, `ELU(b + Σ W_s * s)`, then a cell on the result
/// if one is named, then a pooling if one is named. A `separable` node convolves each channel of a
/// source with its own filter and then mixes the channels, place by place (Chollet, CVPR 2017):
/// `W_s * s` becomes `W_s * (D_s * s)`, where D_s [C, K, K] is depthwise and W_s has windows of one
/// place. With `norm layer` or `norm group G` the sum is normalised before the activation, as
/// `GroupNormalization` does. Neither changes the cell's own convolutions.
///
/// Every edge takes one time step: a node sees the outputs of its sources in the step before, so a
/// source may come later in the text. The output of the graph is that of the last node.
///
/// The first source sets the size of a node's maps. Maps of other sources are enlarged by repeating
/// places, or read at a larger stride, to fit.
public struct LayerGraph: Sendable, Hashable {
  /// The specification of a node.
  public struct Node: Sendable, Hashable {
    /// Its name, unique in the graph.
    public var name: String
    /// The names of other nodes, or `input`.
    public var sources: [String]
    /// Channels of the result.
    public var channels = 1
    /// K of the convolution, and of the cell's own.
    public var kernel = 3
    /// The places from one window to the next; 1 keeps the size of the maps.
    public var stride = 1
    /// Whether each channel of a source is convolved separately before the channels are mixed.
    public var isSeparable = false
    /// The normalisation of the convolution's sum; nil means none.
    public var norm: Norm?
    /// The function that follows the convolution and its norm.
    public var activation = Activation.elu
    /// The cell that follows, a system of the table; nil means none.
    public var cell: String?
    /// The pooling of the node's result; nil is none.
    public var pool: Pool?
  }

  /// The functions of a node, elementwise.
  public enum Activation: String, Sendable, CaseIterable {
    case elu, relu
  }

  /// The range of a normalisation of the convolution's sum: the map, and all its channels or each
  /// of several equal groups of them.
  public enum Norm: Sendable, Hashable {
    /// The map and all its channels.
    case layer
    /// The map and each of this many equal groups of channels.
    case group(Int)

    /// G
    package var groups: Int {
      switch self {
      case .layer: 1
      case .group(let groups): groups
      }
    }

    /// The text in a node.
    var text: String {
      switch self {
      case .layer: "norm layer"
      case .group(let groups): "norm group \(groups)"
      }
    }
  }

  /// A pooling over windows of K places at a stride; K = 0 is the whole map.
  public struct Pool: Sendable, Hashable {
    /// Whether a window gives its largest number or the mean.
    public var kind: ImagePooling.Kind
    /// K, places of a window in each direction.
    public var kernel: Int
    /// The places from one window to the next.
    public var stride: Int
  }

  /// The problem of a text, and what to do about it.
  public struct Problem: Error, CustomStringConvertible {
    public let description: String
  }

  /// The nodes in the order of the text; the last one is the output.
  public let nodes: [Node]

  /// The name of the source of an edge from outside.
  static let input = "input"

  /// - Throws: `Problem`, which names the node
  public init(_ text: String) throws(Problem) {
    var nodes: [Node] = []
    for line in text.split(whereSeparator: { $0 == ";" || $0.isNewline }) {
      let words = line.split(whereSeparator: \.isWhitespace)
      if !words.isEmpty { nodes.append(try GraphReader.node(String(line))) }
    }
    guard !nodes.isEmpty else {
      throw Problem(description: "describes no nodes; write one as \"conv1: input, channels 16\"")
    }
    for (index, node) in nodes.enumerated() {
      if nodes[..<index].contains(where: { $0.name == node.name }) || node.name == Self.input {
        throw Problem(description: "has two nodes \(node.name); rename one")
      }
      if let groups = node.norm?.groups, node.channels % groups != 0 {
        throw Problem(
          description:
            "\(node.name) has norm group \(groups), which does not divide its \(node.channels)"
            + " channels; use a divisor of \(node.channels)")
      }
      for source in node.sources
      where source != Self.input && !nodes.contains(where: { $0.name == source }) {
        throw Problem(
          description:
            "\(node.name) reads \(source), which is not a node; use input or the name of a node")
      }
    }
    self.nodes = nodes
    // Sizes follow first sources, which must lead to the input.
    for node in nodes {
      var (seen, at) = (0, node)
      while let next = nodes.first(where: { $0.name == at.sources[0] }), seen <= nodes.count {
        (seen, at) = (seen + 1, next)
      }
      if seen > nodes.count {
        throw Problem(
          description:
            "the first sources of \(node.name) form a cycle; list the source nearest to the"
            + " input first")
      }
    }
  }

  /// The text that reads back as this graph.
  public var text: String {
    nodes.map { node in
      var parts = [
        "\(node.name): \(node.sources.joined(separator: " + "))", "channels \(node.channels)",
        "kernel \(node.kernel)",
      ]
      if node.stride != 1 { parts.append("stride \(node.stride)") }
      if node.isSeparable { parts.append("separable") }
      if let norm = node.norm { parts.append(norm.text) }
      if node.activation != .elu { parts.append("activation \(node.activation.rawValue)") }
      if let cell = node.cell { parts.append("cell \(cell)") }
      if let pool = node.pool {
        parts.append(
          "pool \(pool.kind.rawValue) "
            + (pool.kernel == 0 ? "all" : "\(pool.kernel) \(pool.stride)"))
      }
      return parts.joined(separator: ", ")
    }.joined(separator: "; ")
  }
}

/// Reads the text of a node.
private enum GraphReader {
  static func node(_ text: String) throws(LayerGraph.Problem) -> LayerGraph.Node {
    let halves = text.split(
      separator: ":", maxSplits: 1, omittingEmptySubsequences: false
    ).map(trimmed)
    let quoted = trimmed(Substring(text)).debugDescription
    guard halves.count == 2, isName(halves[0]) else {
      throw LayerGraph.Problem(
        description: "\(quoted) is not a node; write one as \"conv1: input, channels 16\"")
    }
    var parts = halves[1].split(separator: ",").map(trimmed)
    let sources = (parts.isEmpty ? "" : parts.removeFirst()).split(separator: "+").map(trimmed)
    guard !sources.isEmpty, sources.allSatisfy(isName), Set(sources).count == sources.count else {
      throw LayerGraph.Problem(
        description: "\(halves[0]) needs sources, as in \"\(halves[0]): input\" or"
          + " \"\(halves[0]): conv1 + conv3\"")
    }
    var node = LayerGraph.Node(name: halves[0], sources: sources)
    var given: Set<String> = []
    for part in parts {
      let words = part.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let option = words.first, try read(option, Array(words.dropFirst()), &node) else {
        throw LayerGraph.Problem(
          description:
            "\(halves[0]): \(part.debugDescription) is not an option; the options are channels N,"
            + " kernel K, stride S, separable, norm layer|group G, activation elu|relu, cell NAME,"
            + " pool max|mean K [S]|all")
      }
      guard given.insert(option).inserted else {
        throw LayerGraph.Problem(description: "\(halves[0]) has \(option) twice; remove one")
      }
    }
    return node
  }

  /// - Returns: whether the option is known and its values fit
  private static func read(
    _ option: String, _ values: [String], _ node: inout LayerGraph.Node
  ) throws(LayerGraph.Problem) -> Bool {
    func number(_ index: Int, upTo limit: Int = 65_536) -> Int? {
      guard index < values.count, let value = Int(values[index]), (1...limit).contains(value)
      else { return nil }
      return value
    }
    switch (option, values.count) {
    case ("channels", 1): if let value = number(0) { node.channels = value; return true }
    case ("kernel", 1): if let value = number(0, upTo: 99) { node.kernel = value; return true }
    case ("stride", 1): if let value = number(0, upTo: 99) { node.stride = value; return true }
    case ("separable", 0):
      node.isSeparable = true
      return true
    case ("norm", 1) where values[0] == "layer":
      node.norm = .layer
      return true
    case ("norm", 2) where values[0] == "group":
      if let groups = number(1) { node.norm = .group(groups); return true }
    case ("activation", 1):
      if let value = LayerGraph.Activation(rawValue: values[0]) {
        node.activation = value
        return true
      }
    case ("cell", 1):
      guard let system = RecurrentSystem(named: values[0]), system.readsMaps,
        system.name != RecurrentSystem.graphName
      else {
        let known = RecurrentSystem.all.filter {
          $0.readsMaps && $0.name != RecurrentSystem.graphName
        }
        throw LayerGraph.Problem(
          description: "\(node.name) has the cell \(values[0]); cells on maps are "
            + known.map(\.name).joined(separator: ", "))
      }
      node.cell = system.name
      return true
    case ("pool", 2), ("pool", 3):
      guard let kind = ImagePooling.Kind(rawValue: values[0]) else { return false }
      if values[1] == "all" && values.count == 2 {
        node.pool = LayerGraph.Pool(kind: kind, kernel: 0, stride: 1)
        return true
      }
      if let kernel = number(1, upTo: 99), values.count == 2 || number(2, upTo: 99) != nil {
        node.pool = LayerGraph.Pool(kind: kind, kernel: kernel, stride: number(2) ?? kernel)
        return true
      }
    default: break
    }
    return false
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}
