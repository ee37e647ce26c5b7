internal import CHDF5

/// Calls a C function and throws an `HDF5Error` when it reports a failure.
///
/// The C functions of HDF5 return a negative value on failure and leave the reasons on an
/// error stack. Their printing is turned off, once for each thread.
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
