// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// Creates a dataspace of `shape`, which the caller closes.
///
/// In `maximum`, `nil` marks a dimension without limit.
func makeDataspace(
  _ shape: [Int], maximum: [Int?]? = nil, _ operation: String, _ path: String
) throws(HDF5Error) -> hid_t {
  guard elementCount(shape) != nil else {
    throw HDF5Error(operation, path, "shape \(shape) is negative or overflows")
  }
  if shape.isEmpty {
    return try call(operation, path) { H5Screate(H5S_SCALAR) }
  }
  let extents = shape.map(hsize_t.init)
  guard let maximum else {
    return try call(operation, path) { H5Screate_simple(CInt(shape.count), extents, nil) }
  }
  guard maximum.count == shape.count,
    zip(shape, maximum).allSatisfy({ extent, limit in limit.map { $0 >= extent } ?? true })
  else {
    throw HDF5Error(operation, path, "maximum shape \(maximum) does not hold shape \(shape)")
  }
  let limits = maximum.map { $0.map(hsize_t.init) ?? CHDF5_UNLIMITED() }
  return try call(operation, path) { H5Screate_simple(CInt(shape.count), extents, limits) }
}

/// Returns the shape of a dataspace, and throws if Swift cannot count its elements.
func shape(of space: hid_t, _ operation: String, _ path: String) throws(HDF5Error) -> [Int] {
  if H5Sget_simple_extent_type(space) == H5S_NULL { return [0] }
  let rank = try call(operation, path) { H5Sget_simple_extent_ndims(space) }
  var extents = [hsize_t](repeating: 0, count: Int(rank))
  try call(operation, path) { H5Sget_simple_extent_dims(space, &extents, nil) }
  let shape = extents.map { Int(exactly: $0) ?? -1 }
  guard elementCount(shape) != nil else {
    throw HDF5Error(operation, path, "the file declares shape \(extents), whose size overflows")
  }
  return shape
}
