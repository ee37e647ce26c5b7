// SPDX-License-Identifier: Apache-2.0

extension Location {
  /// Creates a dataset that holds `values`.
  ///
  /// Without a shape it is one-dimensional. The other parameters are those of
  /// `createDataset(_:of:shape:chunk:deflate:fletcher32:maximumShape:)`.
  @discardableResult
  public func write<Scalar: HDF5Scalar>(
    _ values: [Scalar], to name: String, shape: [Int]? = nil, chunk: [Int]? = nil,
    deflate: Int? = nil, fletcher32: Bool = false
  ) throws(HDF5Error) -> Dataset {
    let shape = shape ?? [values.count]
    guard elementCount(shape) == values.count else {
      throw HDF5Error(
        "write", handle.path(of: name), "\(values.count) values do not fill shape \(shape)")
    }
    let dataset = try createDataset(
      name, of: Scalar.self, shape: shape, chunk: chunk, deflate: deflate, fletcher32: fletcher32)
    try dataset.write(values)
    return dataset
  }

  /// Returns all elements of a dataset, in row-major order.
  ///
  /// - Parameters:
  ///   - name: the name of the dataset
  ///   - type: the type of the returned numbers
  ///   - maximumElements: the count above which the dataset is refused
  public func readAll<Scalar: HDF5Scalar>(
    _ name: String, as type: Scalar.Type, maximumElements: Int = Dataset.defaultMaximumElements
  ) throws(HDF5Error) -> [Scalar] {
    try dataset(name).read(as: type, maximumElements: maximumElements)
  }
}
