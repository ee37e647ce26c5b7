// SPDX-License-Identifier: Apache-2.0

import MPI
import Tensors

/// Gathers the parameters on every rank after each rank has updated its own rows.
public struct SliceGather {
  private let communicator: Communicator

  public init(_ communicator: Communicator) {
    self.communicator = communicator
  }

  /// The rows of this rank.
  public var slice: RowSlice { RowSlice(communicator.rank, of: communicator.size) }

  /// Fills in the rows of the other ranks, in place. Numbers are only copied, so all ranks get the
  /// same bits. Every rank calls this with the same parameters.
  public func complete(
    _ buffer: ParameterBuffer<Float>, _ entries: [ParameterEntry]
  ) throws(MPIError) {
    let slices = (0..<communicator.size).map { RowSlice($0, of: communicator.size) }
    for entry in entries {
      let parts = slices.map { $0.elements(of: entry) }
      let start = entry.range.lowerBound
      try communicator.allgather(
        UnsafeMutableBufferPointer(start: buffer.flat.pointer + start, count: entry.range.count),
        counts: parts.map(\.count), offsets: parts.map { $0.lowerBound - start })
    }
  }
}
