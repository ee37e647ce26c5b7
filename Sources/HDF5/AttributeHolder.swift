// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// An object with named attributes: a file, a group or a dataset.
public protocol AttributeHolder: AnyObject {
  /// The open object.
  var handle: ObjectHandle { get }
}

extension AttributeHolder {
  /// Returns the names of the attributes, sorted.
  ///
  /// The corresponding C function is `H5Aiterate2`.
  public func attributeNames() throws(HDF5Error) -> [String] {
    var names: [String] = []
    try withUnsafeMutablePointer(to: &names) { (names) throws(HDF5Error) in
      _ = try call("list the attributes", handle.path) {
        H5Aiterate2(
          handle.id, H5_INDEX_NAME, H5_ITER_INC, nil,
          { _, name, _, names in
            if let name {
              names?.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
            }
            return 0
          }, names)
      }
    }
    return names.sorted()
  }

  /// Returns whether there is an attribute of this name that is one integer.
  ///
  /// The corresponding C function is `H5Tget_class`.
  public func hasIntegerAttribute(_ name: String) throws(HDF5Error) -> Bool {
    try withAttribute(name) { $0.count == 1 && H5Tget_class($0.type) == H5T_INTEGER } ?? false
  }

  /// Returns whether there is an attribute of this name that is one string.
  ///
  /// The corresponding C function is `H5Tget_class`.
  public func hasStringAttribute(_ name: String) throws(HDF5Error) -> Bool {
    try withAttribute(name) { $0.count == 1 && H5Tget_class($0.type) == H5T_STRING } ?? false
  }

  /// Creates an attribute, replacing one with the same name, and lends it for writing.
  func createAttribute(
    _ name: String, type: hid_t, shape: [Int], _ write: (hid_t) -> herr_t
  ) throws(HDF5Error) {
    let operation = "write"
    let path = "\(handle.path)@\(name)"
    let space = try makeDataspace(shape, operation, path)
    defer { H5Sclose(space) }
    if try call(operation, path, { H5Aexists(handle.id, name) }) > 0 {
      try call(operation, path) { H5Adelete(handle.id, name) }
    }
    let id = try call(operation, path) {
      H5Acreate2(handle.id, name, type, space, CHDF5_DEFAULT(), CHDF5_DEFAULT())
    }
    defer { H5Aclose(id) }
    try call(operation, path) { write(id) }
  }

  /// Lends an attribute to `body`, or returns `nil` if there is none of this name.
  func withAttribute<Value>(
    _ name: String, _ body: (OpenAttribute) throws(HDF5Error) -> Value
  ) throws(HDF5Error) -> Value? {
    let path = "\(handle.path)@\(name)"
    guard try call("read", path, { H5Aexists(handle.id, name) }) > 0 else { return nil }
    let id = try call("read", path) { H5Aopen(handle.id, name, CHDF5_DEFAULT()) }
    defer { H5Aclose(id) }
    let type = try call("read", path) { H5Aget_type(id) }
    defer { H5Tclose(type) }
    let space = try call("read", path) { H5Aget_space(id) }
    defer { H5Sclose(space) }
    let extents = try shape(of: space, "read", path)
    return try body(
      OpenAttribute(id: id, type: type, space: space, count: elementCount(extents)!, path: path))
  }
}

/// An attribute that is open for reading.
struct OpenAttribute {
  let id: hid_t
  let type: hid_t
  let space: hid_t
  let count: Int
  let path: String

  /// The most bytes an attribute may have; a larger size comes from a damaged file.
  static let maximumBytes = 1 << 28

  /// Throws if the values take more than `maximumBytes`.
  func requireSize(bytesEach: Int) throws(HDF5Error) {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: bytesEach)
    guard !overflow, bytes <= OpenAttribute.maximumBytes else {
      throw error("\(count) values of \(bytesEach) bytes are too many for an attribute")
    }
  }

  /// Throws unless there is exactly one value.
  func requireOne() throws(HDF5Error) {
    guard count == 1 else { throw error("it has \(count) values instead of one") }
  }

  /// Returns an error of reading the attribute.
  func error(_ detail: String) -> HDF5Error {
    HDF5Error("read", path, detail)
  }
}
