// SPDX-License-Identifier: Apache-2.0

import HDF5
import Tensors

extension SequenceFileSource {
  /// The labels of one file's sequences, [N, K]: 1, 0, or -1 if it is unknown whether a label
  /// applies. They may also be stored as floats.
  ///
  /// - Parameter count: N
  static func labels(
    of file: HDF5.File, _ name: String, count: Int, _ path: String
  ) throws -> SequenceTargets {
    let targets = try file.dataset(name)
    try targets.requireStored()
    let shape = targets.shape
    guard shape.count == 2, shape[0] == count, shape[1] > 0, targets.elementType.isNumber else {
      throw DatasetError(
        path,
        "\(name) is \(targets.elementType.isNumber ? "\(shape)" : targets.typeDescription) for"
          + " \(count) sequences", cure: "labels must be numbers [N, K], 1 or 0")
    }
    let values = try targets.read(as: Float.self)
    if let wrong = values.firstIndex(where: { $0 != 0 && $0 != 1 && $0 != -1 }) {
      throw DatasetError(
        path, "\(name)[\(wrong / shape[1])] holds \(values[wrong])",
        cure: "labels must be 1 or 0, or -1 where they are unknown")
    }
    return SequenceTargets(.labels(shape[1]), whole: values.map { Int32($0) })
  }
}
