// SPDX-License-Identifier: Apache-2.0

/// A tensor of a graph, by its name. Operators on values add nodes, so that equations read as such.
struct GraphValue {
  let name: String
  /// The graph that computes it; nil for a constant, which every graph can use.
  let graph: GraphBuilder?

  /// The result of an operator of ONNX.
  ///
  /// The node belongs to the innermost graph of its operands: a loop's body can use values outside
  /// it, but nothing outside can use values of the body.
  static func apply(
    _ operation: String, _ operands: [GraphValue], _ attributes: [ONNXAttribute] = []
  ) -> GraphValue {
    graph(of: operands).apply(operation, operands, attributes)
  }

  /// The results of an operator with several results.
  static func apply(
    _ operation: String, _ operands: [GraphValue], _ attributes: [ONNXAttribute] = [],
    results: Int
  ) -> [GraphValue] {
    graph(of: operands).apply(operation, operands, attributes, results: results)
  }

  private static func graph(of operands: [GraphValue]) -> GraphBuilder {
    guard let graph = operands.compactMap(\.graph).max(by: { $0.depth < $1.depth }) else {
      preconditionFailure("an operator on constants alone")
    }
    return graph
  }

  static func + (a: GraphValue, b: GraphValue) -> GraphValue { apply("Add", [a, b]) }
  static func - (a: GraphValue, b: GraphValue) -> GraphValue { apply("Sub", [a, b]) }
  static func * (a: GraphValue, b: GraphValue) -> GraphValue { apply("Mul", [a, b]) }
  static func / (a: GraphValue, b: GraphValue) -> GraphValue { apply("Div", [a, b]) }

  static func * (factor: Double, a: GraphValue) -> GraphValue { a.number(factor) * a }
  static func + (term: Double, a: GraphValue) -> GraphValue { a.number(term) + a }
  static func - (term: Double, a: GraphValue) -> GraphValue { a.number(term) - a }

  /// A number as a constant that can be combined with this value, which is of Float.
  private func number(_ value: Double) -> GraphValue {
    Self.graph(of: [self]).constant([Float(value)], shape: [])
  }

  var sigmoid: GraphValue { .apply("Sigmoid", [self]) }
  var tanh: GraphValue { .apply("Tanh", [self]) }
  var squareRoot: GraphValue { .apply("Sqrt", [self]) }
  var rectified: GraphValue { .apply("Relu", [self]) }
  var elu: GraphValue { .apply("Elu", [self]) }
  var magnitude: GraphValue { .apply("Abs", [self]) }
  var sign: GraphValue { .apply("Sign", [self]) }

  func times(_ matrix: GraphValue) -> GraphValue { .apply("MatMul", [self, matrix]) }

  func cast(to type: ONNXTensorValue.DataType) -> GraphValue {
    .apply("Cast", [self], [.int("to", type.rawValue)])
  }

  func transposed(_ order: [Int]) -> GraphValue {
    .apply("Transpose", [self], [.ints("perm", order)])
  }

  /// Equal parts along an axis.
  func split(_ count: Int, axis: Int) -> [GraphValue] {
    GraphValue.apply("Split", [self], [.int("axis", axis)], results: count)
  }

  /// The value with an additional axis of one element at each of these places.
  func expandingAxes(_ axes: [Int]) -> GraphValue {
    .apply("Unsqueeze", [self, Self.graph(of: [self]).whole(axes)])
  }

  /// The value without these axes, which have one element.
  func droppingAxes(_ axes: [Int]) -> GraphValue {
    .apply("Squeeze", [self, Self.graph(of: [self]).whole(axes)])
  }

  /// The part from one place to another along an axis; negative places count from its end.
  func slice(_ from: Int, _ to: Int, axis: Int) -> GraphValue {
    let graph = Self.graph(of: [self])
    return .apply("Slice", [self, graph.whole([from]), graph.whole([to]), graph.whole([axis])])
  }

  /// The element at a place along an axis, without that axis; a negative place counts from its end.
  func element(_ place: Int, axis: Int) -> GraphValue {
    .apply(
      "Gather", [self, Self.graph(of: [self]).whole(place)], [.int("axis", axis)])
  }

  func sum(axes: [Int], keepingAxes: Bool) -> GraphValue {
    .apply(
      "ReduceSum", [self, Self.graph(of: [self]).whole(axes)],
      [.int("keepdims", keepingAxes ? 1 : 0)])
  }

  func mean(axes: [Int]) -> GraphValue {
    .apply("ReduceMean", [self], [.ints("axes", axes), .int("keepdims", 1)])
  }

  func reshaped(_ shape: [Int]) -> GraphValue {
    .apply("Reshape", [self, Self.graph(of: [self]).whole(shape)])
  }

  /// This value where a condition holds, and another value elsewhere.
  func kept(where condition: GraphValue, otherwise other: GraphValue) -> GraphValue {
    .apply("Where", [condition, self, other])
  }
}
