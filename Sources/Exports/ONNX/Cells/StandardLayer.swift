// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import KernelInterface

/// A plain RNN, LSTM or GRU as ONNX's operator of that name.
///
/// ONNX orders the gates of an LSTM i, o, f, c and those of a GRU z, r, h. With
/// `linear_before_reset`, its GRU has the equations of `GRUBody`.
struct StandardLayer: ExportedLayer {
  private let operation: String
  private let hidden: Int
  /// [1, G·H, C], [1, G·H, H] and [1, 2 G·H].
  private let weights: [GraphValue]

  init(_ body: BodyKind, _ tensors: LayerTensors, in graph: GraphBuilder) throws(ExportError) {
    let (name, order) =
      switch body {
      case .lstm: ("LSTM", [0, 3, 1, 2])
      case .gru: ("GRU", [1, 0, 2])
      case .tanh, .modReLU: ("RNN", [0])
      }
    let weight = try tensors.require("weight_hh")
    (operation, hidden) = (name, weight.shape[1])
    func direction(_ tensor: CheckpointTensor, _ part: String) -> GraphValue {
      graph.constant(
        tensor.withBlocks(order).values, shape: [1] + tensor.shape, named: "\(name)_\(part)")
    }
    let biases = try [tensors.require("bias_ih"), tensors.require("bias_hh")]
    weights = [
      direction(try tensors.require("weight_ih"), "W"), direction(weight, "R"),
      graph.constant(
        biases.flatMap { $0.withBlocks(order).values }, shape: [1, 2 * weight.shape[0]],
        named: "\(name)_B"),
    ]
  }

  var states: [(name: String, shape: [Int])] {
    (operation == "LSTM" ? ["h", "c"] : ["h"]).map { ($0, [hidden]) }
  }
  var usesStepNumber: Bool { false }

  func run(
    _ x: GraphValue, from before: [GraphValue]?, _ run: LayerRun
  ) -> (y: GraphValue, after: [GraphValue]) {
    let start = before?.map { $0.expandingAxes([0]) } ?? []
    let results = run.graph.apply(
      operation, [x] + weights + [run.lengths?.cast(to: .int32)] + start,
      [.int("hidden_size", hidden)]
        + (operation == "GRU" ? [.int("linear_before_reset", 1)] : []),
      results: 1 + states.count)
    return (results[0].droppingAxes([1]), results.dropFirst().map { $0.droppingAxes([0]) })
  }
}
