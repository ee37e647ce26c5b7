// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// An open HDF5 object, which is closed when its last reference is released.
public final class ObjectHandle {
  let path: String
  private(set) var id: hid_t
  private let closeFunction: (hid_t) -> herr_t

  init(_ id: hid_t, path: String, close: @escaping (hid_t) -> herr_t) {
    self.id = id
    self.path = path
    closeFunction = close
  }

  deinit {
    if id >= 0 {
      CHDF5_silence()
      _ = closeFunction(id)
    }
  }

  /// Closes the object now; a second call does nothing.
  func close() throws(HDF5Error) {
    guard id >= 0 else { return }
    let closing = id
    id = -1
    try call("close", path) { closeFunction(closing) }
  }

  /// The path of an object with this name below this one.
  func path(of name: String) -> String {
    let name = name.hasPrefix("/") ? String(name.dropFirst()) : name
    if !path.contains(":/") { return "\(path):/\(name)" }
    return path.hasSuffix("/") ? path + name : "\(path)/\(name)"
  }
}
