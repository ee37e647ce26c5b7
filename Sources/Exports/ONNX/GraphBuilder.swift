// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Foundation

/// Collects the nodes of a graph, or of the body of a loop in it, and the constants of the whole
/// model.
final class GraphBuilder {
  private(set) var nodes: [ONNXNode] = []
  /// The number of loops that enclose it.
  let depth: Int
  private let shared: Shared

  /// The data that the graph and all bodies in it share.
  private final class Shared {
    var constants: [ONNXTensorValue] = []
    /// How often each name was requested.
    var names: [String: Int] = [:]
    /// Small constants, by their content.
    var known: [String: String] = [:]
  }

  init() { (depth, shared) = (0, Shared()) }

  private init(in outer: GraphBuilder) { (depth, shared) = (outer.depth + 1, outer.shared) }

  /// The graph, with its inputs and outputs.
  func graph(_ inputs: [ONNXValueInfo], _ outputs: [ONNXValueInfo]) -> ONNXGraph {
    .with {
      $0.name = depth == 0 ? "model" : "step"
      $0.node = nodes
      $0.initializer = depth == 0 ? shared.constants : []
      ($0.input, $0.output) = (inputs, outputs)
    }
  }

  // MARK: Values

  /// An unused name: the requested one, or that name followed by a number.
  func name(_ wanted: String) -> String {
    let count = shared.names[wanted, default: 0]
    shared.names[wanted] = count + 1
    return count == 0 ? wanted : name("\(wanted)_\(count)")
  }

  /// An input of this graph.
  func input(_ name: String) -> GraphValue { GraphValue(name: self.name(name), graph: self) }

  /// Constant numbers. They may be an input's default, under the name of that input.
  func constant(_ values: [Float], shape: [Int], named name: String? = nil) -> GraphValue {
    let key = values.count == 1 && name == nil ? "\(values[0]) \(shape)" : nil
    return constant(
      .float, shape, key: key, named: name, SafetensorsFile.littleEndian(values))
  }

  /// The same in Double.
  func doubles(_ values: [Double], shape: [Int]) -> GraphValue {
    constant(.double, shape, key: nil, named: nil, bytes(values.map(\.bitPattern)))
  }

  /// A list of whole numbers.
  func whole(_ values: [Int], named name: String? = nil) -> GraphValue {
    constant(
      .int64, [values.count], key: name == nil ? "\(values)" : nil, named: name,
      bytes(values.map { UInt64(bitPattern: Int64($0)) }))
  }

  /// A single whole number.
  func whole(_ value: Int) -> GraphValue {
    constant(
      .int64, [], key: "\(value)", named: nil, bytes([UInt64(bitPattern: Int64(value))]))
  }

  private func constant(
    _ type: ONNXTensorValue.DataType, _ shape: [Int], key: String?, named wanted: String?,
    _ data: Data
  ) -> GraphValue {
    let key = key.map { "\(type) \($0)" }
    if let key, let name = shared.known[key] { return GraphValue(name: name, graph: nil) }
    let name = name(wanted ?? "constant")
    shared.known[key ?? name] = name
    shared.constants.append(
      .with {
        $0.name = name
        $0.dataType = Int32(type.rawValue)
        $0.dims = shape.map(Int64.init)
        $0.rawData = data
      })
    return GraphValue(name: name, graph: nil)
  }

  private func bytes(_ words: [UInt64]) -> Data {
    var data = Data(capacity: 8 * words.count)
    for word in words {
      for byte in 0..<8 { data.append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(byte)))) }
    }
    return data
  }

  // MARK: Nodes

  func apply(
    _ operation: String, _ operands: [GraphValue?], _ attributes: [ONNXAttribute] = [],
    results: Int
  ) -> [GraphValue] {
    let outputs = (0..<results).map { _ in name(operation.lowercased()) }
    add(operation, operands, attributes, outputs)
    return outputs.map { GraphValue(name: $0, graph: self) }
  }

  /// Adds a node. An operand that is nil is left out, as ONNX allows for some operators.
  func apply(
    _ operation: String, _ operands: [GraphValue?], _ attributes: [ONNXAttribute] = []
  ) -> GraphValue {
    apply(operation, operands, attributes, results: 1)[0]
  }

  /// The same value under another name.
  func rename(_ value: GraphValue, _ wanted: String) -> GraphValue {
    let name = name(wanted)
    add("Identity", [value], [], [name])
    return GraphValue(name: name, graph: self)
  }

  private func add(
    _ operation: String, _ operands: [GraphValue?], _ attributes: [ONNXAttribute],
    _ outputs: [String]
  ) {
    nodes.append(
      .with {
        $0.opType = operation
        $0.name = "node_\(outputs[0])"
        $0.input = operands.map { $0?.name ?? "" }
        $0.output = outputs
        $0.attribute = attributes
      })
  }

  /// Runs a body for each element of the first axis of some sequences.
  ///
  /// - Parameters:
  ///   - states: the values that the body reads and replaces, before the first element
  ///   - sequences: the sequences, of which the body gets one element at a time
  ///   - body: one step
  /// - Returns: the states after the last step, and the body's outputs at each step, [T, ...]
  func scan(
    _ states: [GraphValue], over sequences: [GraphValue],
    _ body: (_ before: [GraphValue], _ elements: [GraphValue]) -> (
      after: [GraphValue], outputs: [GraphValue]
    )
  ) -> (after: [GraphValue], outputs: [GraphValue]) {
    let inner = GraphBuilder(in: self)
    let before = states.map { _ in inner.input("before") }
    let elements = sequences.map { _ in inner.input("element") }
    let (after, outputs) = body(before, elements)
    // An output gets its own name, even if it is also a state or an input of the graph.
    let given =
      after.map { inner.rename($0, "after") } + outputs.map { inner.rename($0, "output") }
    let graph = inner.graph((before + elements).map(\.bare), given.map(\.bare))
    let results = apply(
      "Scan", states + sequences,
      [.graph("body", graph), .int("num_scan_inputs", sequences.count)], results: given.count)
    return (Array(results[..<after.count]), Array(results[after.count...]))
  }
}

extension GraphValue {
  /// Its name without a type, which is enough inside a loop.
  fileprivate var bare: ONNXValueInfo { .with { $0.name = name } }
}
