// SPDX-License-Identifier: Apache-2.0

/// The data that the layers of a graph share: the sizes of the call, and the valid steps.
struct LayerRun {
  let graph: GraphBuilder
  /// N, as a list of one number.
  let rows: GraphValue
  /// The number of each step of the call, 0 ... T - 1, [T].
  let places: GraphValue
  /// The number of steps before the call, as a list of one number.
  let firstStep: GraphValue?
  /// The valid steps of each sequence, [N]; nil if all are.
  let lengths: GraphValue?

  /// Zeros [N] and the shape of a row.
  func zeros(_ shape: [Int]) -> GraphValue {
    let zero = graph.constant([0], shape: [1] + shape.map { _ in 1 })
    return .apply("Expand", [zero, withRows(shape)])
  }

  /// Repeats one row, [1] and its shape, to N rows; N rows are unchanged.
  func forEachRow(_ value: GraphValue, _ shape: [Int]) -> GraphValue {
    .apply("Expand", [value, withRows(shape)])
  }

  /// The list of N and the sizes of a row.
  func withRows(_ shape: [Int]) -> GraphValue {
    shape.isEmpty
      ? rows : .apply("Concat", [rows, graph.whole(shape)], [.int("axis", 0)])
  }

  /// A sequence [T, N, ...] whose valid steps are in the opposite order.
  func reversed(_ x: GraphValue) -> GraphValue {
    let ends =
      lengths ?? .apply("Expand", [.apply("Shape", [places]), rows])
    return .apply(
      "ReverseSequence", [x, ends], [.int("time_axis", 0), .int("batch_axis", 1)])
  }
}

/// A layer as nodes of a graph.
protocol ExportedLayer {
  /// The states that it carries from step to step, with the shape of a row.
  var states: [(name: String, shape: [Int])] { get }
  /// Whether a step depends on its number.
  var usesStepNumber: Bool { get }

  /// Adds the layer.
  ///
  /// - Parameters:
  ///   - x: [T, N, C]
  ///   - before: the states before the first step; nil is zeros
  /// - Returns: [T, N, H], and the states after the last valid step
  func run(
    _ x: GraphValue, from before: [GraphValue]?, _ run: LayerRun
  ) -> (y: GraphValue, after: [GraphValue])
}

/// Two layers, of which the second reads each sequence from its last step to its first.
struct BothWaysGraph: ExportedLayer {
  let forward: any ExportedLayer
  let reverse: any ExportedLayer

  var states: [(name: String, shape: [Int])] { [] }
  var usesStepNumber: Bool { forward.usesStepNumber }

  func run(
    _ x: GraphValue, from before: [GraphValue]?, _ run: LayerRun
  ) -> (y: GraphValue, after: [GraphValue]) {
    let (y, _) = forward.run(x, from: nil, run)
    let (z, _) = reverse.run(run.reversed(x), from: nil, run)
    return (.apply("Concat", [y, run.reversed(z)], [.int("axis", 2)]), [])
  }
}
