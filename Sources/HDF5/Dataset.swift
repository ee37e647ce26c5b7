// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// A multi-dimensional array in a file.
///
/// Elements are in row-major order. Sizes that do not match throw an error and do not trap, because
/// they may come from a damaged file.
public final class Dataset: AttributeHolder {
  /// The default limit on the number of elements of a dataset that is read as a whole.
  public static let defaultMaximumElements = 1 << 33

  /// The open dataset.
  public let handle: ObjectHandle

  /// The extents of the dataset; empty for a single value.
  public private(set) var shape: [Int]

  /// The type of the elements in the file.
  public let elementType: ElementType

  /// The number of elements.
  public var count: Int {
    elementCount(shape)!  // checked whenever the shape is set
  }

  /// Wraps an open dataset, which is closed on deinitialisation.
  init(_ id: hid_t, _ path: String) throws(HDF5Error) {
    handle = ObjectHandle(id, path: path, close: H5Dclose)
    try Dataset.refuseEndlessView(id, path)
    shape = try Dataset.shape(of: id, path)
    let type = try call("read the type", path) { H5Dget_type(id) }
    defer { H5Tclose(type) }
    elementType = ElementType(type)
  }

  /// Changes the extents, within the maximum shape given at creation.
  ///
  /// New elements are zero. Elements outside the new extents are lost.
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

  /// Throws if the dataset is an unlimited view of datasets in other files. HDF5 would open those
  /// files, whatever they are, to determine its shape.
  private static func refuseEndlessView(_ id: hid_t, _ path: String) throws(HDF5Error) {
    let properties = try call("read the layout", path) { H5Dget_create_plist(id) }
    defer { H5Pclose(properties) }
    guard H5Pget_layout(properties) == H5D_VIRTUAL else { return }
    var count = 0
    try call("read the layout", path) { H5Pget_virtual_count(properties, &count) }
    for index in 0..<count {
      let space = try call("read the layout", path) { H5Pget_virtual_vspace(properties, index) }
      defer { H5Sclose(space) }
      guard H5Sget_select_npoints(space) >= 0, !hasUnlimitedBlocks(space) else {
        throw HDF5Error(
          "use", path, "it is virtual, a view of other datasets that may be missing",
          cure: "name the files that it refers to, or copy it with h5py: g[name] = f[name][...]")
      }
    }
  }

  private static func hasUnlimitedBlocks(_ space: hid_t) -> Bool {
    let rank = Int(H5Sget_simple_extent_ndims(space))
    guard rank > 0, H5Sis_regular_hyperslab(space) > 0 else { return false }
    var count = [hsize_t](repeating: 0, count: rank)
    var block = count
    H5Sget_regular_hyperslab(space, nil, nil, &count, &block)
    return (count + block).contains(CHDF5_UNLIMITED())
  }

  private static func shape(of id: hid_t, _ path: String) throws(HDF5Error) -> [Int] {
    let space = try call("read the shape", path) { H5Dget_space(id) }
    defer { H5Sclose(space) }
    return try HDF5.shape(of: space, "read the shape", path)
  }
}
