// SPDX-License-Identifier: Apache-2.0

import HDF5

/// The HDF5 library, which must be thread-safe so that separate threads can write checkpoints and
/// read data ahead.
struct HDF5Check {
  var version: String
  var isThreadSafe: Bool
  var hasDeflate: Bool

  static func here() -> HDF5Check {
    HDF5Check(
      version: HDF5Library.version, isThreadSafe: HDF5Library.isThreadSafe,
      hasDeflate: HDF5Library.hasDeflate)
  }

  var finding: Finding {
    guard isThreadSafe else {
      return .note(
        "HDF5",
        "\(version), built without thread safety: training waits while data are read and"
          + " checkpoints are written",
        cure: "apt-get install libhdf5-103-1, or build it with --enable-threadsafe")
    }
    guard hasDeflate else {
      return .note(
        "HDF5", "\(version), without deflate: compressed data sets cannot be read",
        cure: "build it with zlib, or prepare data without --compress")
    }
    return .good("HDF5", "\(version), thread-safe, with deflate")
  }
}
