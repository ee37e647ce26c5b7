// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

extension Dataset {
  /// Reads the block of `count` elements from `offset` on into `buffer`, which must have that size.
  ///
  /// The corresponding C function is `H5Dread`.
  public func read<Scalar: HDF5Scalar>(
    into buffer: inout MutableSpan<Scalar>, at offset: [Int], count: [Int]
  ) throws(HDF5Error) {
    try buffer.withUnsafeMutableBufferPointer { (buffer) throws(HDF5Error) in
      try read(into: buffer, at: offset, count: count)
    }
  }

  /// Returns the block of `count` elements from `offset` on.
  ///
  /// The corresponding C function is `H5Dread`.
  public func read<Scalar: HDF5Scalar>(
    as type: Scalar.Type, at offset: [Int], count: [Int]
  ) throws(HDF5Error) -> [Scalar] {
    let total = try checkedCount(of: shape, at: offset, count: count, "read", handle.path)
    try requireMemory(for: total, of: type, handle.path)
    var result: Result<Void, HDF5Error> = .success(())
    let values = [Scalar](unsafeUninitializedCapacity: total) { buffer, initializedCount in
      result = Result { () throws(HDF5Error) in
        try read(
          into: UnsafeMutableBufferPointer(rebasing: buffer[..<total]), at: offset, count: count)
      }
      if case .success = result { initializedCount = total }
    }
    try result.get()
    return values
  }

  /// Writes `values` to the block of `count` elements from `offset` on.
  ///
  /// The corresponding C function is `H5Dwrite`.
  public func write<Scalar: HDF5Scalar>(
    _ values: Span<Scalar>, at offset: [Int], count: [Int]
  ) throws(HDF5Error) {
    try withSelection(values.count, at: offset, count: count, "write") {
      (memory, file) throws(HDF5Error) in
      try values.withUnsafeBufferPointer { (values) throws(HDF5Error) in
        try call("write", handle.path) {
          H5Dwrite(
            handle.id, Scalar.nativeTypeID, memory, file, CHDF5_DEFAULT(), values.baseAddress)
        }
      }
    }
  }

  /// Reads a block into memory, which need not be initialized.
  private func read<Scalar: HDF5Scalar>(
    into buffer: UnsafeMutableBufferPointer<Scalar>, at offset: [Int], count: [Int]
  ) throws(HDF5Error) {
    try withSelection(buffer.count, at: offset, count: count, "read") {
      (memory, file) throws(HDF5Error) in
      do throws(HDF5Error) {
        try call("read", handle.path) {
          H5Dread(
            handle.id, Scalar.nativeTypeID, memory, file, CHDF5_DEFAULT(), buffer.baseAddress)
        }
      } catch {
        // The chunk may have been compressed by a filter that is not available.
        throw missingFilterError() ?? error
      }
    }
  }

  /// Checks a block against the shape and lends its dataspaces, in memory and in the file.
  ///
  /// Nothing is transferred for an empty block.
  private func withSelection(
    _ elements: Int, at offset: [Int], count: [Int], _ operation: String,
    _ body: (_ memory: hid_t, _ file: hid_t) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    let path = handle.path
    guard elementType != .string else {
      throw HDF5Error(operation, path, "the elements are strings, not numbers")
    }
    let total = try checkedCount(of: shape, at: offset, count: count, operation, path)
    guard total == elements else {
      throw HDF5Error(
        operation, path, "count \(count) is \(total) elements, but the buffer has \(elements)")
    }
    if total == 0 { return }
    // The memory space has the rank of the file's. HDF5 copies other selections number by number.
    let memory = try makeDataspace(count, operation, path)
    defer { H5Sclose(memory) }
    let file = try call(operation, path) { H5Dget_space(handle.id) }
    defer { H5Sclose(file) }
    try select(offset, count, in: file, operation, path)
    try body(memory, file)
  }
}

/// Selects a block of a dataspace.
///
/// The corresponding C function is `H5Sselect_hyperslab`.
func select(
  _ offset: [Int], _ count: [Int], in space: hid_t, _ operation: String, _ path: String
) throws(HDF5Error) {
  if offset.isEmpty { return }  // a single value has no dimensions to select from
  let start = offset.map(hsize_t.init)
  let extents = count.map(hsize_t.init)
  try call(operation, path) {
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nil, extents, nil)
  }
}
