// SPDX-License-Identifier: Apache-2.0

/// Returns the number of elements of a shape; `nil` if an extent is negative or the product exceeds
/// `Int`.
func elementCount(_ shape: [Int]) -> Int? {
  var count = 1
  var overflow = false
  for extent in shape {
    if extent < 0 { return nil }
    if extent == 0 { return 0 }
  }
  for extent in shape where !overflow {
    (count, overflow) = count.multipliedReportingOverflow(by: extent)
  }
  return overflow ? nil : count
}

/// Throws unless the block of `count` elements from `offset` on lies inside `shape`.
///
/// - Returns: the number of elements of the block.
func checkedCount(
  of shape: [Int], at offset: [Int], count: [Int], _ operation: String, _ path: String
) throws(HDF5Error) -> Int {
  guard offset.count == shape.count, count.count == shape.count else {
    throw HDF5Error(
      operation, path,
      "offset \(offset) and count \(count) need one number for each dimension of shape \(shape)")
  }
  for axis in shape.indices {
    // The sum of offset and count is not computed, because it might overflow.
    guard offset[axis] >= 0, count[axis] >= 0, offset[axis] <= shape[axis],
      count[axis] <= shape[axis] - offset[axis]
    else {
      throw HDF5Error(
        operation, path, "count \(count) at offset \(offset) is outside of shape \(shape)")
    }
  }
  guard let total = elementCount(count) else {
    throw HDF5Error(operation, path, "the size of count \(count) overflows")
  }
  return total
}

/// Throws unless memory for `elements` numbers of type `Scalar` can be allocated.
func requireMemory<Scalar>(
  for elements: Int, of type: Scalar.Type, _ path: String
) throws(HDF5Error) {
  let (bytes, overflow) = elements.multipliedReportingOverflow(by: MemoryLayout<Scalar>.stride)
  guard !overflow, canAllocate(bytes) else {
    throw HDF5Error("read", path, "there is not enough memory for \(elements) elements of \(type)")
  }
}
