// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

/// The MPI datatype of a scalar type.
public struct Datatype {
  let rawValue: MPI_Datatype

  init(_ rawValue: MPI_Datatype) {
    self.rawValue = rawValue
  }
}

/// A type whose values MPI can send and reduce.
public protocol MPIScalar: BitwiseCopyable, Sendable {
  /// The datatype given to MPI for this type.
  static var datatype: Datatype { get }

  /// The value that fills a buffer before MPI writes to it.
  static var zero: Self { get }
}

extension Float: MPIScalar {
  /// The corresponding C constant is `MPI_FLOAT`.
  public static var datatype: Datatype { Datatype(COpenMPI_FLOAT()) }
}

extension Double: MPIScalar {
  /// The corresponding C constant is `MPI_DOUBLE`.
  public static var datatype: Datatype { Datatype(COpenMPI_DOUBLE()) }
}

extension Int32: MPIScalar {
  /// The corresponding C constant is `MPI_INT32_T`.
  public static var datatype: Datatype { Datatype(COpenMPI_INT32()) }
}

extension Int64: MPIScalar {
  /// The corresponding C constant is `MPI_INT64_T`.
  public static var datatype: Datatype { Datatype(COpenMPI_INT64()) }
}

extension Int: MPIScalar {
  /// The corresponding C constant is `MPI_INT64_T`.
  public static var datatype: Datatype { Datatype(COpenMPI_INT64()) }
}

extension UInt8: MPIScalar {
  /// The corresponding C constant is `MPI_UINT8_T`.
  public static var datatype: Datatype { Datatype(COpenMPI_UINT8()) }
}

extension UInt64: MPIScalar {
  /// The corresponding C constant is `MPI_UINT64_T`.
  public static var datatype: Datatype { Datatype(COpenMPI_UINT64()) }
}
