// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

/// A filter that compresses or checks the chunks of a dataset.
public struct Filter: Hashable, Sendable, CustomStringConvertible {
  /// The number in The HDF Group's list of filters.
  public let id: Int
  /// The name in that list, or else the name in the file.
  public let name: String
  /// Whether this process can undo it.
  public let isAvailable: Bool

  /// Such as "gzip", or "lzf (32000)" for a filter that is not part of HDF5.
  public var description: String { id < 256 ? name : "\(name) (\(id))" }

  /// The names of common filters.
  private static let known: [Int: String] = [
    1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset",
    305: "lzo", 307: "bzip2", 32000: "lzf", 32001: "blosc", 32003: "snappy", 32004: "lz4",
    32008: "bitshuffle", 32013: "zfp", 32015: "zstd", 32017: "sz", 32018: "fcidecomp",
    32024: "sz3", 32026: "blosc2", 32028: "sperr",
  ]

  init(id: Int, nameInFile: String) {
    self.id = id
    let stored = nameInFile.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    name = Self.known[id] ?? (stored.isEmpty ? "without a name" : stored)
    isAvailable = H5Zfilter_avail(H5Z_filter_t(clamping: id)) > 0
  }

  /// What to do if a filter is not available.
  var cure: String {
    "repack it with another filter, using `h5repack -f GZIP=4 in.h5 out.h5` or h5py, where this"
      + " one is installed"
      + (id == 32000 || id == 4
        ? "" : ", or install its plugin and set HDF5_PLUGIN_PATH (many: pip install hdf5plugin)")
  }
}

extension Dataset {
  /// The filters that were applied to the chunks when they were written, in order.
  ///
  /// The corresponding C function is `H5Pget_filter2`.
  public func filters() throws(HDF5Error) -> [Filter] {
    try withCreationProperties { (properties) throws(HDF5Error) in
      let count = try call("read the filters of", handle.path) { H5Pget_nfilters(properties) }
      var filters: [Filter] = []
      for index in 0..<UInt32(count) {
        var flags: UInt32 = 0
        var values = 0
        var name = [CChar](repeating: 0, count: 256)
        let id = try call("read the filters of", handle.path) {
          H5Pget_filter2(properties, index, &flags, &values, nil, name.count - 1, &name, nil)
        }
        let text = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        filters.append(
          Filter(id: Int(id), nameInFile: String(decoding: text, as: UTF8.self)))
      }
      return filters
    }
  }

  /// Throws if a filter was applied to a chunk that this process cannot undo.
  ///
  /// HDF5 skips a filter that does not make a chunk smaller, such as h5py's `lzf` on random
  /// numbers. Such chunks can be read.
  func requireFilters() throws(HDF5Error) {
    for (place, filter) in try filters().enumerated() where !filter.isAvailable {
      if try usesFilter(at: place) { throw error(of: filter) }
    }
  }

  /// The error of a failed read if a filter is the likely cause.
  func missingFilterError() -> HDF5Error? {
    guard let filter = (try? filters())?.first(where: { !$0.isAvailable }) else { return nil }
    return error(of: filter)
  }

  private func error(of filter: Filter) -> HDF5Error {
    HDF5Error(
      "read", handle.path,
      "it is packed by the filter \(filter.name) (number \(filter.id)), which is not installed here",
      cure: filter.cure)
  }

  /// Whether the filter at this place of the pipeline was applied to one of the first chunks.
  private func usesFilter(at place: Int) throws(HDF5Error) -> Bool {
    guard let (_, written) = try chunkCounts() else { return false }
    let space = try call("read the chunks of", handle.path) { H5Dget_space(handle.id) }
    defer { H5Sclose(space) }
    // HDF5 1.10 counts from the first chunk in each call, so only the first 1000 are checked.
    for number in 0..<min(written, 1000) {
      var offset = [hsize_t](repeating: 0, count: max(shape.count, 1))
      var (mask, address, bytes) = (UInt32(0), haddr_t(0), hsize_t(0))
      try call("read the chunks of", handle.path) {
        H5Dget_chunk_info(
          handle.id, space, hsize_t(number), &offset, &mask, &address, &bytes)
      }
      if mask & (1 << UInt32(place)) == 0 { return true }
    }
    return false
  }
}
