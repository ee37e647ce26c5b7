// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// Calls a C function and throws an `HDF5Error` if it reports a failure.
///
/// The C functions of HDF5 return a negative value on failure and leave the reasons on an error
/// stack, which is not printed.
@discardableResult
func call<Status: SignedInteger>(
  _ operation: String, _ path: String, _ body: () -> Status
) throws(HDF5Error) -> Status {
  HDF5Library.checkThread()
  CHDF5_silence()
  let status = body()
  guard status >= 0 else { throw HDF5Error(operation, path, errorStack()) }
  return status
}

/// Returns an error in plain words if the file was probably written by a later HDF5 in a newer
/// format; `nil` if the cause is another one. A damaged file can cause the same error.
func newerFormat(_ error: HDF5Error) -> HDF5Error? {
  let signs = ["bad version number", "bad superblock version"]
  guard signs.contains(where: error.detail.contains) else { return nil }
  let version = HDF5Library.version
  return HDF5Error(
    error.operation, error.path,
    "it is damaged, or in a format that HDF5 \(version) does not know (\(error.detail))",
    cure: "write it for HDF5 1.10 (in h5py: libver=('earliest', 'v110')), or make it again")
}

/// Returns the innermost reason on the error stack, followed by the outermost one.
private func errorStack() -> String {
  var reasons: [String] = []
  withUnsafeMutablePointer(to: &reasons) { reasons in
    _ = H5Ewalk2(
      hid_t(H5E_DEFAULT), H5E_WALK_UPWARD,
      { _, entry, reasons in
        if let text = entry?.pointee.desc {
          let line = String(cString: text).split(whereSeparator: \.isNewline).joined(separator: " ")
          reasons?.assumingMemoryBound(to: [String].self).pointee.append(line)
        }
        return 0
      }, reasons)
  }
  guard let inner = reasons.first, let outer = reasons.last else { return "no reason given" }
  return inner == outer ? inner : "\(inner) (\(outer))"
}
