// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// A dataset in another file that fills a block of a virtual dataset.
public struct VirtualSource: Hashable, Sendable {
  /// The other file. A relative path starts from the folder of the file with the virtual dataset.
  public var file: String

  /// The name of the dataset in that file.
  public var dataset: String

  /// The shape of that dataset. All of it is used.
  public var shape: [Int]

  /// Where the block begins in the virtual dataset.
  public var offset: [Int]

  /// Creates a source.
  public init(file: String, dataset: String, shape: [Int], offset: [Int]) {
    self.file = file
    self.dataset = dataset
    self.shape = shape
    self.offset = offset
  }
}

extension Location {
  /// Creates a dataset that joins datasets of other files.
  ///
  /// Elements that no source covers read as zero. **A source whose file is missing also reads as
  /// zero**: HDF5 reports no error, so the reader must check that the files exist.
  ///
  /// The corresponding C function is `H5Pset_virtual`.
  @discardableResult
  public func createVirtualDataset<Scalar: HDF5Scalar>(
    _ name: String, of type: Scalar.Type, shape: [Int], sources: [VirtualSource]
  ) throws(HDF5Error) -> Dataset {
    let operation = "create the virtual dataset"
    let path = handle.path(of: name)
    let properties = try makePropertyList(CHDF5_DATASET_CREATE(), operation, path)
    defer { H5Pclose(properties) }
    for source in sources {
      let count = try checkedCount(
        of: shape, at: source.offset, count: source.shape, operation, path)
      guard count > 0 else { continue }
      let block = try makeDataspace(shape, operation, path)
      defer { H5Sclose(block) }
      try select(source.offset, source.shape, in: block, operation, path)
      let whole = try makeDataspace(source.shape, operation, path)
      defer { H5Sclose(whole) }
      try call(operation, path) {
        H5Pset_virtual(properties, block, source.file, source.dataset, whole)
      }
    }
    let space = try makeDataspace(shape, operation, path)
    defer { H5Sclose(space) }
    return try createDataset(name, Scalar.nativeTypeID, space, properties, path)
  }
}
