// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// Links and views as other programs write them, for tests that they are refused. This program
/// itself never writes them.
extension Location {
  /// Makes a link to an object of another file, which need not exist.
  ///
  /// The corresponding C function is `H5Lcreate_external`.
  package func createLink(_ name: String, toFile file: String, _ target: String) throws(HDF5Error) {
    try createParents(of: name)
    try call("link", handle.path(of: name)) {
      H5Lcreate_external(file, target, handle.id, name, CHDF5_DEFAULT(), CHDF5_DEFAULT())
    }
  }

  /// Makes a link to another name in this file, which need not exist.
  ///
  /// The corresponding C function is `H5Lcreate_soft`.
  package func createLink(_ name: String, to target: String) throws(HDF5Error) {
    try createParents(of: name)
    try call("link", handle.path(of: name)) {
      H5Lcreate_soft(target, handle.id, name, CHDF5_DEFAULT(), CHDF5_DEFAULT())
    }
  }

  /// Makes a dataset of floats that is a view of another one and grows with it.
  ///
  /// The corresponding C function is `H5Pset_virtual`, with `H5S_UNLIMITED`.
  package func createEndlessView(
    _ name: String, ofFile file: String, _ dataset: String
  ) throws(HDF5Error) {
    let path = handle.path(of: name)
    try createParents(of: name)
    let properties = try makePropertyList(CHDF5_DATASET_CREATE(), "view", path)
    defer { H5Pclose(properties) }
    let (zero, endless) = ([hsize_t(0)], [CHDF5_UNLIMITED()])
    let space = try call("view", path) { H5Screate_simple(1, zero, endless) }
    defer { H5Sclose(space) }
    try call("view", path) {
      H5Sselect_hyperslab(space, H5S_SELECT_SET, zero, nil, endless, nil)
    }
    try call("view", path) { H5Pset_virtual(properties, space, file, dataset, space) }
    let id = try call("view", path) {
      H5Dcreate2(
        handle.id, name, CHDF5_NATIVE_FLOAT(), space, CHDF5_DEFAULT(), properties, CHDF5_DEFAULT())
    }
    H5Dclose(id)
  }
}
