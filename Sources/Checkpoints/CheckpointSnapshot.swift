// SPDX-License-Identifier: Apache-2.0

import Tensors

/// A tensor of a running program and its place in a checkpoint.
public struct LiveTensor {
  /// The path in the files, such as `parameters/rnn.weight_ih_l0`.
  public let path: String
  /// The rows that this rank has.
  public let tensor: Tensor<Float>
  /// The indices of these rows.
  public let rows: Range<Int>
  /// The shape of the whole tensor.
  public let shape: [Int]

  public init(path: String, tensor: Tensor<Float>) {
    self.path = path
    self.tensor = tensor
    shape = tensor.shape
    rows = 0..<(shape.first ?? 1)
  }

  /// Some rows of a tensor; other ranks have the others.
  public init(path: String, tensor: Tensor<Float>, rows: Range<Int>, of shape: [Int]) {
    precondition(
      tensor.count == rows.count * shape.dropFirst().reduce(1, *),
      "\(tensor.count) elements for rows \(rows) of shape \(shape)")
    self.path = path
    self.tensor = tensor
    self.rows = rows
    self.shape = shape
  }
}

/// A copy of the content of one shard file of a checkpoint at one moment: training continues while
/// a thread writes it.
///
/// The copy has the shard's rows of every tensor, and for shard 0 also the whole parameters, for
/// their checksum. Its memory is kept for the next copy, because fresh memory costs several times
/// as much as the copying itself. One thread uses it at a time: `copy(_:)` is called only after the
/// thread that wrote the last one is done.
public final class CheckpointSnapshot: @unchecked Sendable {
  /// Rows of a tensor.
  struct Slice {
    let path: String
    /// The shape of the whole tensor.
    let shape: [Int]
    /// The rows of the shard.
    let rows: Range<Int>
    /// The rows that are held, including those of the shard.
    let held: Range<Int>
    let values: Tensor<Float>

    /// The rows for the shard file.
    var shardValues: Tensor<Float> {
      let width = shape.dropFirst().reduce(1, *)
      let start = (rows.lowerBound - held.lowerBound) * width
      return values.elements(start..<start + rows.count * width)
    }
  }

  /// The shard that this rank writes, from 0.
  public let shard: Int
  /// The number of shards, one for each rank.
  public let shards: Int
  private(set) var slices: [Slice] = []
  private var memory = Tensor<Float>(shape: [0])

  public init(shard: Int, of shards: Int) {
    self.shard = shard
    self.shards = shards
  }

  /// Every tensor's path and whole shape, in order.
  public var entries: [CheckpointManifest.TensorEntry] {
    slices.map { .init(path: $0.path, shape: $0.shape) }
  }

  /// Bytes of memory that the copy takes.
  public var bytes: Int { memory.count * MemoryLayout<Float>.size }

  /// Copies the tensors as they are now.
  public func copy(_ tensors: [LiveTensor]) {
    let places = tensors.map { place(of: $0) }
    let count = places.reduce(0) { $0 + $1.held.count * $1.width }
    slices = []
    if memory.count < count { memory = Tensor(shape: [count]) }
    var start = 0
    for (live, place) in zip(tensors, places) {
      let size = place.held.count * place.width
      let values = memory.elements(start..<start + size)
      let source = (place.held.lowerBound - live.rows.lowerBound) * place.width
      values.copy(from: live.tensor.elements(source..<source + size))
      slices.append(
        Slice(
          path: live.path, shape: live.shape, rows: place.rows, held: place.held,
          values: values))
      start += size
    }
  }

  private func place(of live: LiveTensor) -> (rows: Range<Int>, held: Range<Int>, width: Int) {
    let rows = RowSlice(shard, of: shards).rows(of: live.shape)
    let isHashed =
      shard == 0 && ParametersDigest.groups.contains { live.path.hasPrefix($0) }
    let held = isHashed ? 0..<(live.shape.first ?? 1) : rows
    precondition(
      held.isEmpty || live.rows.clamped(to: held) == held,
      "\(live.path): rows \(held) are needed, but only \(live.rows) are here")
    return (rows, held, live.shape.dropFirst().reduce(1, *))
  }

  /// SHA-256 over the parameters; see `ParametersDigest`. Only shard 0 has them all.
  func parametersSHA256() -> String {
    precondition(shard == 0, "only shard 0 holds the whole parameters")
    return ParametersDigest.sha256(of: slices)
  }
}
