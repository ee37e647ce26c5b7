// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

extension Dataset {
  /// Returns all elements of a dataset of strings, of fixed or variable length.
  ///
  /// - Parameter maximumElements: the count above which the dataset is refused
  /// - Throws: `HDF5Error` if its elements are not strings
  ///
  /// The corresponding C function is `H5Dread`.
  public func readStrings(maximumElements: Int) throws(HDF5Error) -> [String] {
    func refuse(_ detail: String) -> HDF5Error { HDF5Error("read", handle.path, detail) }
    let type = try call("read the type", handle.path) { H5Dget_type(handle.id) }
    defer { H5Tclose(type) }
    guard H5Tget_class(type) == H5T_STRING else { throw refuse("it is not a string") }
    guard count <= maximumElements else {
      throw refuse("it has \(count) strings, more than the limit of \(maximumElements)")
    }
    guard count > 0 else { return [] }
    if H5Tis_variable_str(type) > 0 { return try variableStrings(type) }
    let length = H5Tget_size(type)
    let (size, overflow) = count.multipliedReportingOverflow(by: length)
    guard length > 0, !overflow, size <= Self.maximumStringBytes else {
      throw refuse("its \(count) strings have \(length) bytes each")
    }
    var bytes = [UInt8](repeating: 0, count: size)
    try call("read", handle.path) {
      H5Dread(handle.id, type, CHDF5_ALL(), CHDF5_ALL(), CHDF5_DEFAULT(), &bytes)
    }
    let isSpacePadded = H5Tget_strpad(type) == H5T_STR_SPACEPAD
    return stride(from: 0, to: size, by: length).map { start in
      var text = bytes[start..<start + length].prefix { $0 != 0 }
      while isSpacePadded, text.last == UInt8(ascii: " ") { text.removeLast() }
      return String(decoding: text, as: UTF8.self)
    }
  }

  /// The limit on the bytes of a dataset of fixed-length strings.
  private static var maximumStringBytes: Int { 1 << 30 }

  /// Returns strings for which HDF5 allocates memory.
  private func variableStrings(_ type: hid_t) throws(HDF5Error) -> [String] {
    let space = try call("read the shape", handle.path) { H5Dget_space(handle.id) }
    defer { H5Sclose(space) }
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    try call("read", handle.path) {
      H5Dread(handle.id, type, CHDF5_ALL(), CHDF5_ALL(), CHDF5_DEFAULT(), &pointers)
    }
    defer { H5Dvlen_reclaim(type, space, CHDF5_DEFAULT(), &pointers) }
    return pointers.map { $0.map { String(cString: $0) } ?? "" }
  }
}
