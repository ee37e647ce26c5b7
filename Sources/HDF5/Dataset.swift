internal import CHDF5

/// A multi-dimensional array in a file.
///
/// Elements are in row-major order. A failed check of sizes throws, for the sizes may come
/// from a damaged file.
public final class Dataset: AttributeHolder {
  /// The number of elements above which a dataset is not read as a whole by default.
  public static let defaultMaximumElements = 1 << 33

  /// The open dataset.
  public let handle: ObjectHandle

  /// The extents of the dataset, none for a single value.
  public private(set) var shape: [Int]

  /// The type of the elements in the file.
  public let elementType: ElementType

  /// The number of elements.
  public var count: Int {
    elementCount(shape)!  // checked whenever the shape is set
  }

  /// Wraps an open dataset, which is closed at the end.
  init(_ id: hid_t, _ path: String) throws(HDF5Error) {
    handle = ObjectHandle(id, path: path, close: H5Dclose)
    shape = try Dataset.shape(of: id, path)
    let type = try call("read the type", path) { H5Dget_type(id) }
    defer { H5Tclose(type) }
    elementType = ElementType(type)
  }

  /// Changes the extents, within the maximum shape given at creation.
  ///
  /// New elements are zero; elements outside of the new extents are lost.
  ///
  /// The corresponding C function is `H5Dset_extent`.
  public func extend(to shape: [Int]) throws(HDF5Error) {
    guard shape.count == self.shape.count, elementCount(shape) != nil else {
      throw HDF5Error("extend", handle.path, "shape \(self.shape) cannot become \(shape)")
    }
    let extents = shape.map(hsize_t.init)
    try call("extend", handle.path) { H5Dset_extent(handle.id, extents) }
    self.shape = try Dataset.shape(of: handle.id, handle.path)
  }

  private static func shape(of id: hid_t, _ path: String) throws(HDF5Error) -> [Int] {
    let space = try call("read the shape", path) { H5Dget_space(id) }
    defer { H5Sclose(space) }
    return try HDF5.shape(of: space, "read the shape", path)
  }
}
