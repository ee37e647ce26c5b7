// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

extension AttributeHolder {
  /// Sets an attribute to a string.
  ///
  /// Up to 32 KiB, the type has a fixed length and the string is stored in the object's header,
  /// which has a checksum. Strings of variable length are stored in a heap without one, and HDF5
  /// 1.10 reads beyond its memory if that heap is damaged.
  ///
  /// The corresponding C function is `H5Awrite`.
  public func setAttribute(_ name: String, _ value: String) throws(HDF5Error) {
    try setStrings(name, [value], shape: [])
  }

  /// Sets an attribute to a list of strings.
  ///
  /// The type is chosen as for a single string.
  ///
  /// The corresponding C function is `H5Awrite`.
  public func setAttribute(_ name: String, _ values: [String]) throws(HDF5Error) {
    try setStrings(name, values, shape: [values.count])
  }

  /// Returns a string attribute, of fixed or variable length, or `nil` if there is none.
  ///
  /// - Throws: `HDF5Error` if it is not one string.
  ///
  /// The corresponding C function is `H5Aread`.
  public func stringAttribute(_ name: String) throws(HDF5Error) -> String? {
    try withAttribute(name) { (attribute) throws(HDF5Error) in
      try attribute.requireOne()
      return try attribute.strings()[0]
    }
  }

  /// Returns an attribute that is a list of strings, or `nil` if there is none.
  ///
  /// - Throws: `HDF5Error` if it holds no strings.
  ///
  /// The corresponding C function is `H5Aread`.
  public func stringsAttribute(_ name: String) throws(HDF5Error) -> [String]? {
    try withAttribute(name) { (attribute) throws(HDF5Error) in try attribute.strings() }
  }

  private func setStrings(
    _ name: String, _ values: [String], shape: [Int]
  ) throws(HDF5Error) {
    let path = "\(handle.path)@\(name)"
    guard !values.contains(where: { $0.utf8.contains(0) }) else {
      throw HDF5Error("write", path, "a string contains a zero byte")
    }
    let type = try call("write", path) { H5Tcopy(CHDF5_C_S1()) }
    defer { H5Tclose(type) }
    try call("write", path) { H5Tset_cset(type, H5T_CSET_UTF8) }
    let length = max(1, values.map(\.utf8.count).max() ?? 1)
    if values.count * length <= Self.headerBytes {
      return try setFixed(name, values, length: length, type: type, shape: shape, path)
    }
    try call("write", path) { H5Tset_size(type, CHDF5_VARIABLE()) }

    // The strings are stored one after the other, each with its zero byte.
    var characters: [CChar] = []
    var starts: [Int] = []
    for value in values {
      starts.append(characters.count)
      characters += value.utf8CString
    }
    try createAttribute(name, type: type, shape: shape) { id in
      characters.withUnsafeBufferPointer { characters in
        var pointers = starts.map { start in characters.baseAddress.map { $0 + start } }
        if pointers.isEmpty { pointers.append(nil) }  // HDF5 refuses a null pointer
        return H5Awrite(id, type, &pointers)
      }
    }
  }

  /// The most bytes of strings that are stored in an object's header. The header has room for its
  /// other parts.
  private static var headerBytes: Int { 1 << 15 }

  private func setFixed(
    _ name: String, _ values: [String], length: Int, type: hid_t, shape: [Int], _ path: String
  ) throws(HDF5Error) {
    try call("write", path) { H5Tset_size(type, length) }
    try call("write", path) { H5Tset_strpad(type, H5T_STR_NULLPAD) }
    var bytes: [UInt8] = []
    for value in values {
      bytes += Array(value.utf8)
      bytes += [UInt8](repeating: 0, count: length - value.utf8.count)
    }
    if bytes.isEmpty { bytes.append(0) }  // HDF5 refuses a null pointer
    try createAttribute(name, type: type, shape: shape) { id in H5Awrite(id, type, bytes) }
  }
}

extension OpenAttribute {
  /// Returns the values as strings.
  func strings() throws(HDF5Error) -> [String] {
    guard H5Tget_class(type) == H5T_STRING else { throw error("it is not a string") }
    if count == 0 { return [] }
    return try H5Tis_variable_str(type) > 0 ? variableStrings() : fixedStrings()
  }

  /// Returns strings for which HDF5 allocates memory.
  private func variableStrings() throws(HDF5Error) -> [String] {
    try requireSize(bytesEach: MemoryLayout<UnsafePointer<CChar>>.size)
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    try call("read", path) { H5Aread(id, type, &pointers) }
    defer { H5Dvlen_reclaim(type, space, CHDF5_DEFAULT(), &pointers) }
    return pointers.map { $0.map { String(cString: $0) } ?? "" }
  }

  /// Returns consecutive strings, padded to the same length.
  private func fixedStrings() throws(HDF5Error) -> [String] {
    let length = H5Tget_size(type)
    guard length > 0 else { throw error("it has strings of no length") }
    try requireSize(bytesEach: length)
    var bytes = [UInt8](repeating: 0, count: count * length)
    try call("read", path) { H5Aread(id, type, &bytes) }
    let isSpacePadded = H5Tget_strpad(type) == H5T_STR_SPACEPAD
    return stride(from: 0, to: bytes.count, by: length).map { start in
      var text = bytes[start..<start + length].prefix { $0 != 0 }
      while isSpacePadded, text.last == UInt8(ascii: " ") { text.removeLast() }
      return String(decoding: text, as: UTF8.self)
    }
  }
}
