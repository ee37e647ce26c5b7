// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// A type whose values HDF5 reads and writes.
///
/// HDF5 converts between the numeric types, so a dataset may be read as a type other than the
/// stored one.
public protocol HDF5Scalar: BitwiseCopyable, Sendable {
  /// The identifier that HDF5 gives the type in memory.
  static var nativeTypeID: Int64 { get }

  /// The same type, as a dataset of it reports.
  static var elementType: ElementType { get }
}

extension Float: HDF5Scalar {
  /// The corresponding C constant is `H5T_NATIVE_FLOAT`.
  public static var nativeTypeID: Int64 { CHDF5_NATIVE_FLOAT() }

  /// The same type, as a dataset of it reports.
  public static var elementType: ElementType { .float32 }
}

extension Double: HDF5Scalar {
  /// The corresponding C constant is `H5T_NATIVE_DOUBLE`.
  public static var nativeTypeID: Int64 { CHDF5_NATIVE_DOUBLE() }

  /// The same type, as a dataset of it reports.
  public static var elementType: ElementType { .float64 }
}

extension Int8: HDF5Scalar {
  /// The corresponding C constant is `H5T_NATIVE_INT8`.
  public static var nativeTypeID: Int64 { CHDF5_NATIVE_INT8() }

  /// The same type, as a dataset of it reports.
  public static var elementType: ElementType { .int8 }
}

extension UInt8: HDF5Scalar {
  /// The corresponding C constant is `H5T_NATIVE_UINT8`.
  public static var nativeTypeID: Int64 { CHDF5_NATIVE_UINT8() }

  /// The same type, as a dataset of it reports.
  public static var elementType: ElementType { .uint8 }
}

extension Int16: HDF5Scalar {
  /// The corresponding C constant is `H5T_NATIVE_INT16`.
  public static var nativeTypeID: Int64 { CHDF5_NATIVE_INT16() }

  /// The same type, as a dataset of it reports.
  public static var elementType: ElementType { .int16 }
}

extension UInt16: HDF5Scalar {
  /// The corresponding C constant is `H5T_NATIVE_UINT16`.
  public static var nativeTypeID: Int64 { CHDF5_NATIVE_UINT16() }

  /// The same type, as a dataset of it reports.
  public static var elementType: ElementType { .uint16 }
}

extension Int32: HDF5Scalar {
  /// The corresponding C constant is `H5T_NATIVE_INT32`.
  public static var nativeTypeID: Int64 { CHDF5_NATIVE_INT32() }

  /// The same type, as a dataset of it reports.
  public static var elementType: ElementType { .int32 }
}

extension UInt32: HDF5Scalar {
  /// The corresponding C constant is `H5T_NATIVE_UINT32`.
  public static var nativeTypeID: Int64 { CHDF5_NATIVE_UINT32() }

  /// The same type, as a dataset of it reports.
  public static var elementType: ElementType { .uint32 }
}

extension Int64: HDF5Scalar {
  /// The corresponding C constant is `H5T_NATIVE_INT64`.
  public static var nativeTypeID: Int64 { CHDF5_NATIVE_INT64() }

  /// The same type, as a dataset of it reports.
  public static var elementType: ElementType { .int64 }
}

extension UInt64: HDF5Scalar {
  /// The corresponding C constant is `H5T_NATIVE_UINT64`.
  public static var nativeTypeID: Int64 { CHDF5_NATIVE_UINT64() }

  /// The same type, as a dataset of it reports.
  public static var elementType: ElementType { .uint64 }
}

extension Int: HDF5Scalar {
  /// The corresponding C constant is `H5T_NATIVE_INT64`.
  public static var nativeTypeID: Int64 { CHDF5_NATIVE_INT64() }

  /// The same type, as a dataset of it reports.
  public static var elementType: ElementType { .int64 }
}
