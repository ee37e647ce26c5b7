// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// Chunks of a dataset that are missing from the file although the dataset's shape needs them.
public struct MissingChunks: Hashable, Sendable, CustomStringConvertible {
  /// How many chunks the shape needs.
  public let needed: Int
  /// How many of them were never written.
  public let missing: Int
  /// The index along the first axis of the first row of the first missing chunk.
  public let firstRow: Int
  /// Whether all chunks after the first missing one are missing too, so that the writer probably
  /// ended there.
  public let isRest: Bool

  /// Which chunks are missing, and how they would be read.
  public var description: String {
    if missing == needed {
      return "none of its \(needed) chunks was ever written: all of it would read as the fill value"
    }
    let place = isRest ? "from row \(firstRow) on" : "the first of them at row \(firstRow)"
    return "\(missing) of its \(needed) chunks were never written, \(place): they would read as the"
      + " fill value"
  }

  /// What the user can do about it.
  public var cure: String {
    missing == needed
      ? Self.writeFillValue
      : "write the rest or shorten the dataset; if the fill value is meant, write it out:"
        + " d[...] = d[...] in h5py"
  }

  static let writeFillValue =
    "write the numbers; if the fill value is meant, write it out: d[...] = d[...] in h5py"
}

extension Dataset {
  /// How many chunks the shape needs and how many the file has; `nil` if it is not chunked.
  ///
  /// The corresponding C function is `H5Dget_num_chunks`.
  public func chunkCounts() throws(HDF5Error) -> (needed: Int, written: Int)? {
    guard let grid = try chunkGrid() else { return nil }
    guard let needed = elementCount(grid) else {
      throw HDF5Error("count the chunks of", handle.path, "shape \(shape) needs too many chunks")
    }
    var written: hsize_t = 0
    if needed > 0 {
      // HDF5 1.10 does not take H5S_ALL for the whole.
      let space = try call("count the chunks of", handle.path) { H5Dget_space(handle.id) }
      defer { H5Sclose(space) }
      try call("count the chunks of", handle.path) {
        H5Dget_num_chunks(handle.id, space, &written)
      }
    }
    return (needed, Int(clamping: written))
  }

  /// The chunks that were never written; `nil` if there are none.
  ///
  /// HDF5 gives the fill value for them, mostly zero, and reports no error.
  ///
  /// The corresponding C functions are `H5Dget_num_chunks` and `H5Dget_chunk_storage_size`.
  public func missingChunks() throws(HDF5Error) -> MissingChunks? {
    guard let (needed, written) = try chunkCounts(), written < needed, let grid = try chunkGrid(),
      let chunk = try chunk()
    else { return nil }
    // The chunks before the first missing one were all written, so the search ends early.
    var first = 0
    while first < written, isWritten(offset(ofChunk: first, in: grid, chunk)) { first += 1 }
    return MissingChunks(
      needed: needed, missing: needed - written,
      firstRow: Int(clamping: offset(ofChunk: first, in: grid, chunk)[0]),
      isRest: first == written)
  }

  /// The number of chunks along each axis; `nil` if the dataset is not chunked.
  private func chunkGrid() throws(HDF5Error) -> [Int]? {
    guard let chunk = try chunk(), chunk.count == shape.count, chunk.allSatisfy({ $0 > 0 }) else {
      return nil
    }
    return zip(shape, chunk).map { extent, side in extent / side + (extent % side > 0 ? 1 : 0) }
  }

  /// The offset of the chunk with this number in row-major order.
  private func offset(ofChunk number: Int, in grid: [Int], _ chunk: [Int]) -> [hsize_t] {
    var rest = number
    var offset = [hsize_t](repeating: 0, count: grid.count)
    for axis in grid.indices.reversed() {
      offset[axis] = hsize_t(rest % grid[axis] * chunk[axis])
      rest /= grid[axis]
    }
    return offset
  }

  private func isWritten(_ offset: [hsize_t]) -> Bool {
    var bytes: hsize_t = 0
    CHDF5_silence()
    return H5Dget_chunk_storage_size(handle.id, offset, &bytes) >= 0 && bytes > 0
  }
}
