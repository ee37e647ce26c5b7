// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// A group of datasets and other groups.
public final class Group: Location, AttributeHolder {
  /// The open group.
  public let handle: ObjectHandle

  init(_ id: hid_t, _ path: String) {
    handle = ObjectHandle(id, path: path, close: H5Gclose)
  }
}
