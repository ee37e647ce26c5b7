import HDF5

/// The HDF5 library: checkpoints are written, and data read ahead, by threads of their own.
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
      return .wrong(
        "HDF5",
        "\(version), built without thread safety: a save beside training would spoil memory",
        cure:
          "apt-get install libhdf5-103-1, or build it with --enable-threadsafe; until then --set"
          + " checkpoint.background=false and data that fit dataset.memory")
    }
    guard hasDeflate else {
      return .note(
        "HDF5", "\(version), without deflate: compressed data sets cannot be read",
        cure: "build it with zlib, or prepare data without --compress")
    }
    return .good("HDF5", "\(version), thread-safe, with deflate")
  }
}
