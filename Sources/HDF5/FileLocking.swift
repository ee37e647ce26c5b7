// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

#if canImport(Darwin)
  internal import Darwin
#else
  internal import Glibc
#endif

/// Opens or creates a file with `body`, without locks if its file system has none.
///
/// HDF5 locks every file that it opens. It tolerates a file system that returns ENOSYS, but not one
/// that returns ENOLCK or EOPNOTSUPP.
///
/// - Parameters:
///   - access: the property list that `body` passes on
///   - body: the call; `isSecond` means that the first one failed to lock the file
func withLocksIfPossible(
  _ operation: String, _ path: String, access: hid_t, _ body: (_ isSecond: Bool) -> hid_t
) throws(HDF5Error) -> hid_t {
  do throws(HDF5Error) {
    return try call(operation, path) { body(false) }
  } catch {
    // A file that this process has already opened without locks cannot be opened with them.
    let isOpenWithout = error.detail.contains("locking flag values don't match")
    guard isOpenWithout || error.detail.contains("unable to lock file") && lacksLocks(path)
    else { throw error }
    H5Pset_file_locking(access, false, true)
    return try call(operation, path) { body(true) }
  }
}

/// Whether a file cannot be locked because its file system has no locks, and not because another
/// process has locked it.
///
/// The corresponding C function is `flock`.
private func lacksLocks(_ path: String) -> Bool {
  let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  guard file >= 0 else { return false }
  defer { close(file) }
  return flock(file, LOCK_SH | LOCK_NB) != 0 && errno != EWOULDBLOCK && errno != EINTR
}
