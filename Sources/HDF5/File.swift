// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// An HDF5 file, and its root group.
///
///     let file = try File.create("shard.h5")
///     try file.write([1, 2, 3] as [Float], to: "model/bias", fletcher32: true)
///     try file.setAttribute("step", 100)
///     try file.close()
///
/// Objects opened through a file keep it open until they are released, or until `close()`.
public final class File: Location, AttributeHolder {
  /// How a file is opened.
  public enum AccessMode: Hashable, Sendable {
    case readOnly, readWrite
  }

  /// The open root group.
  public let handle: ObjectHandle

  private let isWritable: Bool

  private init(_ id: hid_t, _ path: String, isWritable: Bool) {
    handle = ObjectHandle(id, path: path, close: H5Fclose)
    self.isWritable = isWritable
  }

  /// Opens a file.
  ///
  /// The corresponding C function is `H5Fopen`.
  public static func open(
    _ path: String, _ mode: AccessMode = .readOnly
  ) throws(HDF5Error) -> File {
    if let reason = reasonNotToOpen(path, writing: mode == .readWrite) {
      throw HDF5Error("open", path, reason)
    }
    let access = try makeAccessList(path)
    defer { H5Pclose(access) }
    let flags = mode == .readWrite ? CHDF5_ACC_RDWR() : CHDF5_ACC_RDONLY()
    do throws(HDF5Error) {
      let id = try withLocksIfPossible("open", path, access: access) { _ in
        H5Fopen(path, flags, access)
      }
      return File(id, path, isWritable: mode == .readWrite)
    } catch {
      throw explained(error)
    }
  }

  /// Opens a file that was read into memory, for reading only. The file itself need not exist any
  /// more.
  ///
  /// - Parameters:
  ///   - image: the bytes of the file
  ///   - path: its name in errors
  ///
  /// The corresponding C function is `H5Pset_file_image`.
  public static func open(image: [UInt8], named path: String) throws(HDF5Error) -> File {
    let access = try makeAccessList(path)
    defer { H5Pclose(access) }
    try call("open", path) { H5Pset_fapl_core(access, 1 << 20, false) }
    var image = image
    try call("open", path) { H5Pset_file_image(access, &image, image.count) }
    let id = try call("open", path) { H5Fopen(path, CHDF5_ACC_RDONLY(), access) }
    return File(id, path, isWritable: false)
  }

  /// A stand-in for a file that could not be opened: every operation on it throws or finds nothing.
  public static func unopened(_ path: String) -> File { File(-1, path, isWritable: false) }

  /// The format of a new file, which determines the versions of HDF5 that can read it.
  public enum Format: Hashable, Sendable {
    /// The format of HDF5 1.10, with checksums in all its structures.
    case current
    /// The oldest format that can hold the content, the default of other programs.
    case earliest
  }

  /// Creates a file, replacing an existing one if `overwrite` is true.
  ///
  /// The corresponding C function is `H5Fcreate`.
  public static func create(
    _ path: String, overwrite: Bool = true, format: Format = .current
  ) throws(HDF5Error) -> File {
    let access = try makeAccessList(
      path, oldest: format == .current ? H5F_LIBVER_V110 : H5F_LIBVER_EARLIEST)
    defer { H5Pclose(access) }
    let creation = try makePropertyList(CHDF5_FILE_CREATE(), "create", path)
    defer { H5Pclose(creation) }
    let flags = overwrite ? CHDF5_ACC_TRUNC() : CHDF5_ACC_EXCL()
    do throws(HDF5Error) {
      let id = try withLocksIfPossible("create", path, access: access) { isSecond in
        // The first call created the file but could not lock it.
        H5Fcreate(path, isSecond ? CHDF5_ACC_TRUNC() : flags, creation, access)
      }
      return File(id, path, isWritable: true)
    } catch {
      throw explained(error)
    }
  }

  /// Passes everything written so far to the operating system.
  ///
  /// The corresponding C function is `H5Fflush`, with `H5F_SCOPE_GLOBAL`.
  public func flush() throws(HDF5Error) {
    try call("flush", handle.path) { H5Fflush(handle.id, H5F_SCOPE_GLOBAL) }
  }

  /// Closes the file and the groups and datasets that were opened through it. Using them then
  /// throws.
  ///
  /// A second call does nothing. A file that is released is closed too, but then a failure to write
  /// its last data is not reported.
  ///
  /// The corresponding C function is `H5Fclose`.
  public func close() throws(HDF5Error) {
    guard handle.id >= 0 else { return }
    if isWritable { try flush() }
    let count = try call("close", handle.path) {
      H5Fget_obj_count(handle.id, CHDF5_LOCAL_OBJECTS())
    }
    var objects = [hid_t](repeating: -1, count: Int(count))
    try call("close", handle.path) {
      H5Fget_obj_ids(handle.id, CHDF5_LOCAL_OBJECTS(), objects.count, &objects)
    }
    for object in objects { H5Oclose(object) }
    try handle.close()
  }

  /// Returns the access properties for a file.
  ///
  /// By default the format is that of HDF5 1.10, which has checksums in all its structures. The
  /// format of 1.8 has none in the indices of chunks.
  private static func makeAccessList(
    _ path: String, oldest: H5F_libver_t = H5F_LIBVER_V18
  ) throws(HDF5Error) -> hid_t {
    let list = try call("open", path) { H5Pcreate(CHDF5_FILE_ACCESS()) }
    H5Pset_libver_bounds(list, oldest, H5F_LIBVER_V110)
    return list
  }

  /// Returns an error from opening a file in plain words, if its cause is known.
  private static func explained(_ error: HDF5Error) -> HDF5Error {
    if error.detail.contains("file is already open for") {
      return HDF5Error(
        error.operation, error.path,
        "a program has it open for writing, or ended without closing it (\(error.detail))",
        cure: "wait until it is closed; if nothing writes to it, run `h5clear -s FILE`")
    }
    if let newer = newerFormat(error) { return newer }
    let detail =
      if error.detail.contains("file signature not found") {
        "this is not an HDF5 file"
      } else if error.detail.contains("unable to lock file") {
        "the file is locked, by another process or by a file system without locks; "
          + "if nothing else writes to it, set HDF5_USE_FILE_LOCKING=FALSE (\(error.detail))"
      } else {
        error.detail
      }
    return HDF5Error(error.operation, error.path, detail)
  }
}
