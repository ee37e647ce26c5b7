// SPDX-License-Identifier: Apache-2.0

/// A tensor of a checkpoint: a copy of its numbers, its shape, and its path.
public struct CheckpointTensor: Sendable {
  /// The path in the files, such as `parameters/rnn.weight_ih_l0`.
  public var path: String
  /// The extents, from the outermost in.
  public var shape: [Int]
  /// The numbers, row-major.
  public var values: [Float]

  public init(path: String, shape: [Int], values: [Float]) {
    precondition(shape.reduce(1, *) == values.count, "\(values.count) values for shape \(shape)")
    self.path = path
    self.shape = shape
    self.values = values
  }
}
