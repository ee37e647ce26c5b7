// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// A place that holds named datasets and groups: a file or a group.
///
/// Names may be paths, such as `model/bias`, relative to the location. A path that begins with a
/// slash is relative to the root of the file.
public protocol Location: AnyObject {
  /// The open object.
  var handle: ObjectHandle { get }
}

extension Location {
  /// Creates a group, and the groups above it that do not exist.
  ///
  /// The corresponding C function is `H5Gcreate2`.
  @discardableResult
  public func createGroup(_ name: String) throws(HDF5Error) -> Group {
    try createParents(of: name)
    return try createOneGroup(name)
  }

  /// Creates the groups above `name` that do not exist.
  func createParents(of name: String) throws(HDF5Error) {
    var parent = name.hasPrefix("/") ? "/" : ""
    for component in name.split(separator: "/").dropLast() {
      parent += component
      if !contains(parent) { _ = try createOneGroup(parent) }
      parent += "/"
    }
  }

  /// Creates a group without time stamps, so that files with equal content have equal bytes.
  ///
  /// HDF5 itself could create the groups above it too, but with time stamps.
  private func createOneGroup(_ name: String) throws(HDF5Error) -> Group {
    let path = handle.path(of: name)
    let properties = try makePropertyList(CHDF5_GROUP_CREATE(), "create the group", path)
    defer { H5Pclose(properties) }
    let id = try call("create the group", path) {
      H5Gcreate2(handle.id, name, CHDF5_DEFAULT(), properties, CHDF5_DEFAULT())
    }
    return Group(id, path)
  }

  /// Opens a group.
  ///
  /// The corresponding C function is `H5Gopen2`.
  public func group(_ name: String) throws(HDF5Error) -> Group {
    let path = handle.path(of: name)
    let access = try ownFileOnly(CHDF5_GROUP_ACCESS(), "open the group", path)
    defer { H5Pclose(access) }
    do throws(HDF5Error) {
      let id = try call("open the group", path) { H5Gopen2(handle.id, name, access) }
      return Group(id, path)
    } catch {
      throw refusedLink(path) ?? error
    }
  }

  /// Opens a dataset.
  ///
  /// - Parameters:
  ///   - name: the name of the dataset
  ///   - cacheBytes: the bytes of memory for chunks that were read; nil is HDF5's default of 1 MiB
  ///
  /// The corresponding C functions are `H5Dopen2` and `H5Pset_chunk_cache`.
  public func dataset(_ name: String, cacheBytes: Int? = nil) throws(HDF5Error) -> Dataset {
    let path = handle.path(of: name)
    let access = try ownFileOnly(CHDF5_DATASET_ACCESS(), "open the dataset", path)
    defer { H5Pclose(access) }
    if let cacheBytes {
      // The number of slots is a prime far above the number of chunks that fit, as HDF5's
      // documentation advises.
      try call("open the dataset", path) { H5Pset_chunk_cache(access, 12_421, cacheBytes, 0.75) }
    }
    do throws(HDF5Error) {
      let id = try call("open the dataset", path) { H5Dopen2(handle.id, name, access) }
      return try Dataset(id, path)
    } catch {
      throw refusedLink(path) ?? newerFormat(error) ?? error
    }
  }

  /// Returns whether there is an object of this name. A link to another file counts, and is not
  /// followed.
  ///
  /// The corresponding C functions are `H5Lexists` and `H5Oexists_by_name`.
  public func contains(_ name: String) -> Bool {
    CHDF5_silence()
    let access = CHDF5_own_file_only(H5Pcreate(CHDF5_LINK_ACCESS()))
    defer { H5Pclose(access) }
    // Each step of the path is checked, because HDF5 fails if one of them is missing.
    var path = name.hasPrefix("/") ? "/" : ""
    for component in name.split(separator: "/") {
      path += component
      guard H5Lexists(handle.id, path, access) > 0 else { return false }
      if H5Oexists_by_name(handle.id, path, access) <= 0 { return CHDF5_refused_link()[0] != 0 }
      path += "/"
    }
    return handle.id >= 0 && !path.isEmpty
  }

  /// Returns whether there is a group of this name.
  ///
  /// The corresponding C functions are `H5Oopen` and `H5Iget_type`.
  public func isGroup(_ name: String) -> Bool {
    guard contains(name) else { return false }
    let access = CHDF5_own_file_only(H5Pcreate(CHDF5_LINK_ACCESS()))
    defer { H5Pclose(access) }
    let id = H5Oopen(handle.id, name, access)
    guard id >= 0 else { return false }
    defer { H5Oclose(id) }
    return H5Iget_type(id) == H5I_GROUP
  }

  /// Returns the address in its file of the object with this name, or `nil` if there is none. Two
  /// names of one object have the same address.
  ///
  /// The corresponding C function is `H5Oget_info_by_name2`.
  public func address(of name: String) -> UInt64? {
    CHDF5_silence()
    let access = CHDF5_own_file_only(H5Pcreate(CHDF5_LINK_ACCESS()))
    defer { H5Pclose(access) }
    var address: haddr_t = 0
    return CHDF5_object_address(handle.id, name, access, &address) >= 0 ? UInt64(address) : nil
  }

  /// Returns the names of the objects directly in this location, sorted.
  ///
  /// The corresponding C function is `H5Literate`.
  public func childNames() throws(HDF5Error) -> [String] {
    var names: [String] = []
    _ = try withUnsafeMutablePointer(to: &names) { (names) throws(HDF5Error) in
      try call("list", handle.path) {
        CHDF5_visit_names(
          handle.id,
          { name, context in
            guard let name, let context else { return }
            context.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
          }, names)
      }
    }
    return names.sorted()
  }
}

/// Returns properties of class `kind` that open only objects of the file itself. A link to another
/// file is not followed, and the error names that file.
private func ownFileOnly(
  _ kind: hid_t, _ operation: String, _ path: String
) throws(HDF5Error) -> hid_t {
  CHDF5_own_file_only(try call(operation, path) { H5Pcreate(kind) })
}

/// The error for a link that was not followed; `nil` if the last call did not fail at such a link.
private func refusedLink(_ path: String) -> HDF5Error? {
  let name = CHDF5_refused_link()!
  guard name[0] != 0 else { return nil }
  return HDF5Error(
    "use", path, "it is a link to the file \(String(cString: name).debugDescription)",
    cure: "name that file instead")
}

/// Returns properties of class `kind` for a new object without time stamps. The caller closes them.
func makePropertyList(
  _ kind: hid_t, _ operation: String, _ path: String
) throws(HDF5Error) -> hid_t {
  let list = try call(operation, path) { H5Pcreate(kind) }
  H5Pset_obj_track_times(list, false)
  return list
}
