// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

extension AttributeHolder {
  /// Sets an attribute to an integer.
  ///
  /// The corresponding C function is `H5Awrite`.
  public func setAttribute(_ name: String, _ value: Int) throws(HDF5Error) {
    try setNumbers(name, [value], shape: [])
  }

  /// Sets an attribute to a number.
  ///
  /// The corresponding C function is `H5Awrite`.
  public func setAttribute(_ name: String, _ value: Double) throws(HDF5Error) {
    try setNumbers(name, [value], shape: [])
  }

  /// Sets an attribute to a list of integers.
  ///
  /// The corresponding C function is `H5Awrite`.
  public func setAttribute(_ name: String, _ values: [Int]) throws(HDF5Error) {
    try setNumbers(name, values, shape: [values.count])
  }

  /// Sets an attribute to a list of numbers.
  ///
  /// The corresponding C function is `H5Awrite`.
  public func setAttribute(_ name: String, _ values: [Double]) throws(HDF5Error) {
    try setNumbers(name, values, shape: [values.count])
  }

  /// Sets an attribute to a Boolean value, in h5py's form.
  ///
  /// The corresponding C function is `H5Awrite`, with an enumeration of `FALSE` and `TRUE`.
  public func setAttribute(_ name: String, _ value: Bool) throws(HDF5Error) {
    let path = "\(handle.path)@\(name)"
    let type = try call("write", path) { H5Tenum_create(CHDF5_NATIVE_INT8()) }
    defer { H5Tclose(type) }
    var byte: Int8 = 0
    try call("write", path) { H5Tenum_insert(type, "FALSE", &byte) }
    byte = 1
    try call("write", path) { H5Tenum_insert(type, "TRUE", &byte) }
    byte = value ? 1 : 0
    try createAttribute(name, type: type, shape: []) { H5Awrite($0, type, &byte) }
  }

  /// Returns an integer attribute, or `nil` if there is none.
  ///
  /// - Throws: `HDF5Error` if it is not one integer; 2.0 is one, 2.5 is not.
  ///
  /// The corresponding C function is `H5Aread`.
  public func intAttribute(_ name: String) throws(HDF5Error) -> Int? {
    try withAttribute(name) { (attribute) throws(HDF5Error) in
      try attribute.requireOne()
      return try attribute.integers()[0]
    }
  }

  /// Returns a numeric attribute, or `nil` if there is none.
  ///
  /// - Throws: `HDF5Error` if it is not one number.
  ///
  /// The corresponding C function is `H5Aread`.
  public func doubleAttribute(_ name: String) throws(HDF5Error) -> Double? {
    try withAttribute(name) { (attribute) throws(HDF5Error) in
      try attribute.requireOne()
      return try attribute.numbers(as: Double.self)[0]
    }
  }

  /// Returns a Boolean attribute, or `nil` if there is none. A number is true unless it is 0.
  ///
  /// - Throws: `HDF5Error` if it is not one Boolean value or integer.
  ///
  /// The corresponding C function is `H5Aread`.
  public func boolAttribute(_ name: String) throws(HDF5Error) -> Bool? {
    try intAttribute(name).map { $0 != 0 }
  }

  /// Returns an attribute that is a list of integers, or `nil` if there is none.
  ///
  /// The corresponding C function is `H5Aread`.
  public func intsAttribute(_ name: String) throws(HDF5Error) -> [Int]? {
    try withAttribute(name) { (attribute) throws(HDF5Error) in try attribute.integers() }
  }

  /// Returns an attribute that is a list of numbers, or `nil` if there is none.
  ///
  /// The corresponding C function is `H5Aread`.
  public func doublesAttribute(_ name: String) throws(HDF5Error) -> [Double]? {
    try withAttribute(name) { (attribute) throws(HDF5Error) in
      try attribute.numbers(as: Double.self)
    }
  }

  private func setNumbers<Scalar: HDF5Scalar>(
    _ name: String, _ values: [Scalar], shape: [Int]
  ) throws(HDF5Error) {
    let type = Scalar.nativeTypeID
    try createAttribute(name, type: type, shape: shape) { id in
      values.withUnsafeBufferPointer { values in
        // HDF5 refuses a null pointer, even if there are no values.
        var none: UInt8 = 0
        return values.isEmpty ? H5Awrite(id, type, &none) : H5Awrite(id, type, values.baseAddress)
      }
    }
  }
}

extension OpenAttribute {
  /// Returns the values as HDF5 converts them to `Scalar`.
  func numbers<Scalar: HDF5Scalar & Numeric>(as: Scalar.Type) throws(HDF5Error) -> [Scalar] {
    guard [H5T_INTEGER, H5T_FLOAT, H5T_ENUM].contains(H5Tget_class(type)) else {
      throw error("it is not a number")
    }
    try requireSize(bytesEach: MemoryLayout<Scalar>.size)
    if count == 0 { return [] }
    var values = [Scalar](repeating: 0, count: count)
    try call("read", path) { H5Aread(id, Scalar.nativeTypeID, &values) }
    return values
  }

  /// Returns the values as integers, without the silent clipping and rounding of HDF5.
  func integers() throws(HDF5Error) -> [Int] {
    let kind = H5Tget_class(type)
    let values: [Int?]
    if kind == H5T_FLOAT {
      values = try numbers(as: Double.self).map { Int(exactly: $0) }
    } else if kind == H5T_INTEGER, H5Tget_sign(type) == H5T_SGN_NONE {
      values = try numbers(as: UInt64.self).map { Int(exactly: $0) }
    } else {
      values = try numbers(as: Int.self)
    }
    let integers = values.compactMap { $0 }
    guard integers.count == values.count else { throw error("it is not an integer of 64 bits") }
    return integers
  }
}
