// SPDX-License-Identifier: Apache-2.0

import Foundation

// Makes attributes of nodes; the message types are generated from graph.proto.
extension ONNXAttribute {
  static func int(_ name: String, _ value: Int) -> ONNXAttribute {
    .with { ($0.name, $0.type, $0.i) = (name, .int, Int64(value)) }
  }

  static func ints(_ name: String, _ values: [Int]) -> ONNXAttribute {
    .with { ($0.name, $0.type, $0.ints) = (name, .ints, values.map(Int64.init)) }
  }

  static func float(_ name: String, _ value: Float) -> ONNXAttribute {
    .with { ($0.name, $0.type, $0.f) = (name, .float, value) }
  }

  static func graph(_ name: String, _ value: ONNXGraph) -> ONNXAttribute {
    .with { ($0.name, $0.type, $0.g) = (name, .graph, value) }
  }
}

extension ONNXValueInfo {
  /// An input or output of a model. A size that is free has a letter.
  init(
    _ name: String, _ type: ONNXTensorValue.DataType, _ shape: [String], _ explanation: String
  ) {
    self.init()
    self.name = name
    docString = explanation
    self.type.tensorType.elemType = Int32(type.rawValue)
    self.type.tensorType.shape.dim = shape.map { size in
      .with {
        if let number = Int64(size) { $0.dimValue = number } else { $0.dimParam = size }
      }
    }
  }
}
