// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

extension Location {
  /// Creates a dataset, and the groups above it that do not exist.
  ///
  /// - Parameters:
  ///   - name: the name of the dataset
  ///   - type: the type of its elements
  ///   - shape: the extents of the dataset, which may be zero; empty for a single value
  ///   - chunk: the shape of the chunks in which the dataset is stored; `nil` if it is chosen. The
  ///     options below need chunks, which then have at most 1 MiB
  ///   - deflate: the level of compression, 0 to 9
  ///   - fletcher32: whether each chunk has a checksum, so that reading a damaged one throws
  ///   - maximumShape: the limit to which the dataset can be extended; `nil` for a dimension
  ///     without limit
  ///
  /// The corresponding C function is `H5Dcreate2`.
  @discardableResult
  public func createDataset<Scalar: HDF5Scalar>(
    _ name: String, of type: Scalar.Type, shape: [Int], chunk: [Int]? = nil,
    deflate: Int? = nil, fletcher32: Bool = false, maximumShape: [Int?]? = nil
  ) throws(HDF5Error) -> Dataset {
    let operation = "create the dataset"
    let path = handle.path(of: name)
    let space = try makeDataspace(shape, maximum: maximumShape, operation, path)
    defer { H5Sclose(space) }
    let properties = try makePropertyList(CHDF5_DATASET_CREATE(), operation, path)
    defer { H5Pclose(properties) }

    if chunk != nil || deflate != nil || fletcher32 || maximumShape != nil {
      let chunk = try chunkShape(
        chunk, shape: shape, maximum: maximumShape, elementBytes: MemoryLayout<Scalar>.size, path)
      let extents = chunk.map(hsize_t.init)
      try call(operation, path) { H5Pset_chunk(properties, CInt(extents.count), extents) }
    }
    if let deflate {
      guard 0...9 ~= deflate else {
        throw HDF5Error(operation, path, "deflate levels are 0 to 9, found \(deflate)")
      }
      try call(operation, path) { H5Pset_shuffle(properties) }
      try call(operation, path) { H5Pset_deflate(properties, UInt32(deflate)) }
    }
    if fletcher32 {
      try call(operation, path) { H5Pset_fletcher32(properties) }
    }
    return try createDataset(name, Scalar.nativeTypeID, space, properties, path)
  }

  /// Creates a dataset with the given properties.
  func createDataset(
    _ name: String, _ type: hid_t, _ space: hid_t, _ properties: hid_t, _ path: String
  ) throws(HDF5Error) -> Dataset {
    try createParents(of: name)
    let id = try call("create the dataset", path) {
      H5Dcreate2(handle.id, name, type, space, CHDF5_DEFAULT(), properties, CHDF5_DEFAULT())
    }
    return try Dataset(id, path)
  }
}

/// The most bytes of a chunk whose shape the caller does not choose.
let maximumChunkBytes = 1 << 20

/// Returns the chunk shape of a dataset: `requested`, or a default. It is never larger than the
/// dataset can become.
///
/// A default chunk is a block of whole rows if a row of the last dimensions fits, because rows are
/// read together.
func chunkShape(
  _ requested: [Int]?, shape: [Int], maximum: [Int?]?, elementBytes: Int, _ path: String
) throws(HDF5Error) -> [Int] {
  let operation = "create the dataset"
  guard !shape.isEmpty else {
    throw HDF5Error(operation, path, "a single value has no chunks; give it shape [1]")
  }
  let limits = maximum ?? shape
  if let requested {
    guard requested.count == shape.count, requested.allSatisfy({ $0 > 0 }) else {
      throw HDF5Error(operation, path, "chunk \(requested) does not suit shape \(shape)")
    }
    return zip(requested, limits).map { max(1, min($0, $1 ?? $0)) }
  }

  // A dimension that starts empty would otherwise be stored one element at a time.
  var chunk = zip(shape, limits).map { extent, limit in
    limit == extent ? max(1, extent) : max(1, min(max(extent, 256), limit ?? Int.max))
  }
  var room = maximumChunkBytes / elementBytes
  for axis in chunk.indices.reversed() {
    chunk[axis] = min(chunk[axis], room)
    room = max(1, room / chunk[axis])
  }
  return chunk
}
