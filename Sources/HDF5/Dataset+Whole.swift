// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

extension Dataset {
  /// Returns all elements.
  ///
  /// - Parameters:
  ///   - type: the type of the returned numbers
  ///   - maximumElements: the count above which the dataset is refused, because a damaged file may
  ///     declare any shape
  ///
  /// The corresponding C function is `H5Dread`.
  public func read<Scalar: HDF5Scalar>(
    as type: Scalar.Type, maximumElements: Int = Dataset.defaultMaximumElements
  ) throws(HDF5Error) -> [Scalar] {
    guard count <= maximumElements else {
      throw HDF5Error(
        "read", handle.path,
        "shape \(shape) has \(count) elements, more than the limit of \(maximumElements)")
    }
    return try read(as: type, at: shape.map { _ in 0 }, count: shape)
  }

  /// Replaces all elements.
  ///
  /// The corresponding C function is `H5Dwrite`.
  public func write<Scalar: HDF5Scalar>(_ values: [Scalar]) throws(HDF5Error) {
    try write(values.span, at: shape.map { _ in 0 }, count: shape)
  }
}
