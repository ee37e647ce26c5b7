internal import CHDF5

/// The type of a dataset's elements in the file.
public enum ElementType: String, Hashable, Sendable {
  case float32, float64
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case string
  /// A type that has no Swift scalar, such as an enumeration, a compound or a half float.
  case other

  /// Names the type with identifier `type`.
  init(_ type: hid_t) {
    let size = H5Tget_size(type)
    let isSigned = H5Tget_sign(type) != H5T_SGN_NONE
    self =
      switch (H5Tget_class(type), size) {
      case (H5T_FLOAT, 4): .float32
      case (H5T_FLOAT, 8): .float64
      case (H5T_INTEGER, 1): isSigned ? .int8 : .uint8
      case (H5T_INTEGER, 2): isSigned ? .int16 : .uint16
      case (H5T_INTEGER, 4): isSigned ? .int32 : .uint32
      case (H5T_INTEGER, 8): isSigned ? .int64 : .uint64
      case (H5T_STRING, _): .string
      default: .other
      }
  }
}
