// SPDX-License-Identifier: Apache-2.0

import Checkpoints

/// The parameters of a layer in one direction, by their own names, such as `weight_ih`.
struct LayerTensors {
  private let tensors: [String: CheckpointTensor]
  private let prefix: String
  private let suffix: String

  /// - Parameters:
  ///   - tensors: all parameters and buffers of a model, by name
  ///   - prefix: such as `rnn.`
  ///   - suffix: such as `_l0_reverse`
  init(_ tensors: [String: CheckpointTensor], prefix: String, suffix: String) {
    (self.tensors, self.prefix, self.suffix) = (tensors, prefix, suffix)
  }

  /// The parameters of a part of the layer, whose names begin with that of the part.
  func inside(_ part: String) -> LayerTensors {
    LayerTensors(tensors, prefix: "\(prefix)\(part).", suffix: suffix)
  }

  func find(_ name: String) -> CheckpointTensor? { tensors["\(prefix)\(name)\(suffix)"] }

  /// - Throws: `ExportError` if there is none
  func require(_ name: String) throws(ExportError) -> CheckpointTensor {
    guard let tensor = find(name) else {
      throw ExportError(
        "the checkpoint has no \(prefix)\(name)\(suffix), which its model needs; name another"
          + " checkpoint")
    }
    return tensor
  }

  /// A constant with the parameter.
  func constant(_ name: String, in graph: GraphBuilder) throws(ExportError) -> GraphValue {
    let tensor = try require(name)
    return graph.constant(
      tensor.values, shape: tensor.shape, named: "\(prefix)\(name)\(suffix)")
  }

  /// A constant with the parameter; nil if the layer has no such parameter.
  func constantIfAny(_ name: String, in graph: GraphBuilder) throws(ExportError) -> GraphValue? {
    find(name) == nil ? nil : try constant(name, in: graph)
  }

  /// A constant with a matrix [rows, columns] as [columns, rows], for a product with row vectors.
  func transposed(_ name: String, in graph: GraphBuilder) throws(ExportError) -> GraphValue {
    let tensor = try require(name).transposed
    return graph.constant(
      tensor.values, shape: tensor.shape, named: "\(prefix)\(name)\(suffix)")
  }
}

extension CheckpointTensor {
  /// A matrix with its rows as columns.
  var transposed: CheckpointTensor {
    let (rows, columns) = (shape[0], shape[1])
    var numbers = [Float](repeating: 0, count: values.count)
    for row in 0..<rows {
      for column in 0..<columns { numbers[column * rows + row] = values[row * columns + column] }
    }
    return CheckpointTensor(path: path, shape: [columns, rows], values: numbers)
  }

  /// The same blocks of rows in another order.
  func withBlocks(_ order: [Int]) -> CheckpointTensor {
    let size = values.count / order.count
    return CheckpointTensor(
      path: path, shape: shape, values: order.flatMap { values[$0 * size..<($0 + 1) * size] })
  }
}
