// SPDX-License-Identifier: Apache-2.0

import Kernels
import Layers
import Tensors

/// The output of a layer of a stack, or of a node of a graph, at each step: one of the stack's
/// states.
public struct LayerOutput: Sendable, Hashable {
  /// "layer0", or the name of a node.
  public let name: String
  /// The name of the state.
  let state: String
  /// The shape of a step: [H], or [Y, X, C] of maps.
  public let shape: [Int]
}

extension SequenceModel {
  /// The outputs of all layers from the lowest up, and of all nodes of a graph of layers in their
  /// order; layers without a state have none.
  public var layerOutputs: [LayerOutput] {
    let levels = stack.levels.map(\.states)
    var rest = stack.states[...]
    return levels.enumerated().flatMap { level, states -> [LayerOutput] in
      // The stack adds the level to the names of its states; their order is the level's own.
      let named = rest.prefix(states.count)
      rest = rest.dropFirst(states.count)
      let prefix = levels.count > 1 ? "layer\(level)/" : ""
      var outputs: [LayerOutput] = []
      for (own, state) in zip(states, named) {
        // The first of a node's states is its output. The last node comes first.
        let node = own.name.contains(".") ? own.name.prefix { $0 != "." } : ""
        let name = node.isEmpty ? "layer\(level)" : prefix + node
        guard !outputs.contains(where: { $0.name == name }) else { continue }
        outputs.append(LayerOutput(name: name, state: state.name, shape: state.shape))
      }
      return outputs.reversed()
    }
  }

  /// The output of each layer at each step, [N, T] and the shape of the output, with zeros after
  /// the end of a sequence. The steps are run one by one.
  public func layerOutputs(
    _ batch: SequenceBatch<Scalar>, from start: LayerState<Scalar>?, firstStep: Int,
    _ parameters: ParameterBuffer<Scalar>
  ) -> [Tensor<Scalar>] {
    let (T, N, wanted) = (batch.x.shape[0], batch.x.shape[1], layerOutputs)
    let results = wanted.map { Tensor<Scalar>(shape: [N, T] + $0.shape) }
    guard N > 0 else { return results }
    if workspaces.isEmpty { workspaces.append(Workspace()) }
    let times = batch.elapsed
    var state = start
    for t in 0..<T {
      let input = SequenceInput(
        batch.x.rows(t..<t + 1), times: times.map { $0.rows(t..<t + 1) },
        firstStep: firstStep + t)
      state =
        stack.forward(
          input, from: state, parameters, keeping: .finalState, in: workspaces[0]
        ).final
      for (output, result) in zip(wanted, results) {
        let values = state![output.state]!
        for n in 0..<N where t < batch.lengths?[n] ?? T {
          result.row(n).row(t).copy(from: values.row(n))
        }
      }
    }
    return results
  }
}
