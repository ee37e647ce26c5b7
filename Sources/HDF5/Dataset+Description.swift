// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

extension Dataset {
  /// The type of the elements in words, such as "float32, big-endian" or "strings".
  ///
  /// A type that cannot be read is described as non-numeric.
  ///
  /// The corresponding C functions are `H5Dget_type` and `H5Tget_class`.
  public var typeDescription: String {
    let type = H5Dget_type(handle.id)
    defer { H5Tclose(type) }
    return describe(type)
  }

  /// The names of an enumeration's values, by value; `nil` if the type is not an enumeration.
  ///
  /// The corresponding C functions are `H5Tget_member_name` and `H5Tget_member_value`.
  public func enumerationNames() -> [Int: String]? {
    let type = H5Dget_type(handle.id)
    defer { H5Tclose(type) }
    guard H5Tget_class(type) == H5T_ENUM, H5Tget_size(type) <= MemoryLayout<Int>.size else {
      return nil
    }
    var names: [Int: String] = [:]
    for index in 0..<UInt32(clamping: H5Tget_nmembers(type)) {
      var value = 0
      guard let name = memberName(type, index), H5Tget_member_value(type, index, &value) >= 0,
        H5Tconvert(type, CHDF5_NATIVE_INT64(), 1, &value, nil, CHDF5_DEFAULT()) >= 0
      else { continue }
      names[value] = name
    }
    return names
  }

  /// How the numbers are stored: "contiguous", "chunks [10, 6, 3]", "virtual", "compact" or
  /// "external".
  ///
  /// The corresponding C function is `H5Pget_layout`.
  public func layoutDescription() throws(HDF5Error) -> String {
    if let chunk = try chunk() { return "chunks \(chunk)" }
    return try withCreationProperties { (properties) throws(HDF5Error) in
      switch H5Pget_layout(properties) {
      case H5D_VIRTUAL: "virtual"
      case H5D_COMPACT: "compact"
      default: H5Pget_external_count(properties) > 0 ? "external" : "contiguous"
      }
    }
  }

  private func describe(_ type: hid_t) -> String {
    let element = ElementType(type)
    switch H5Tget_class(type) {
    case H5T_INTEGER, H5T_FLOAT:
      let isBig = H5Tget_order(type) == H5T_ORDER_BE && H5Tget_size(type) > 1
      let name = element == .other ? "\(H5Tget_size(type) * 8)-bit numbers" : element.rawValue
      return name + (isBig ? ", big-endian" : "")
    case H5T_STRING:
      return H5Tis_variable_str(type) > 0 ? "strings" : "strings of \(H5Tget_size(type)) bytes"
    case H5T_ENUM:
      let names = memberNames(type)
      return names.sorted() == ["FALSE", "TRUE"]
        ? "Boolean" : "an enumeration of \(names.prefix(6).joined(separator: ", "))"
    case H5T_COMPOUND: return "records of \(memberNames(type).prefix(6).joined(separator: ", "))"
    case H5T_REFERENCE: return "references"
    case H5T_VLEN: return "lists of variable length"
    case H5T_ARRAY: return "arrays"
    case H5T_BITFIELD: return "bit fields"
    case H5T_OPAQUE: return "opaque bytes"
    default: return "values of a non-numeric type"
    }
  }

  private func memberNames(_ type: hid_t) -> [String] {
    (0..<UInt32(clamping: H5Tget_nmembers(type))).compactMap { memberName(type, $0) }
  }

  private func memberName(_ type: hid_t, _ index: UInt32) -> String? {
    guard let name = H5Tget_member_name(type, index) else { return nil }
    defer { H5free_memory(name) }
    return String(cString: name)
  }
}
