// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// The type of a dataset's elements in the file.
public enum ElementType: String, Hashable, Sendable {
  case float16, float32, float64
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  /// Text of fixed or variable length.
  case string
  /// Integers with names. h5py stores Boolean values as an enumeration of `FALSE` and `TRUE`.
  case enumeration
  /// A type that is not a number, such as a compound, a reference or a list of variable length.
  case other

  /// Whether the elements are floating-point numbers.
  public var isFloat: Bool { [.float16, .float32, .float64].contains(self) }

  /// Whether the elements are numbers, which HDF5 converts to any other type of number.
  public var isNumber: Bool { self != .string && self != .other }

  /// Names the type with identifier `type`.
  init(_ type: hid_t) {
    let size = H5Tget_size(type)
    let isSigned = H5Tget_sign(type) != H5T_SGN_NONE
    self =
      switch (H5Tget_class(type), size) {
      case (H5T_FLOAT, 2): .float16
      case (H5T_FLOAT, 4): .float32
      case (H5T_FLOAT, 8): .float64
      case (H5T_INTEGER, 1): isSigned ? .int8 : .uint8
      case (H5T_INTEGER, 2): isSigned ? .int16 : .uint16
      case (H5T_INTEGER, 4): isSigned ? .int32 : .uint32
      case (H5T_INTEGER, 8): isSigned ? .int64 : .uint64
      case (H5T_STRING, _): .string
      case (H5T_ENUM, 1...8): .enumeration
      default: .other
      }
  }
}
