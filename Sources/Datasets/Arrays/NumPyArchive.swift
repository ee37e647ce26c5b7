// SPDX-License-Identifier: Apache-2.0

import Files
import Gzip

/// The arrays of a .npz archive by name, or the single array of a .npy file; also those of a MATLAB or HDF5
/// file, and of folders of .npy files, as if NumPy had saved them.
public struct NumPyArchive: Sendable {
  /// The file, for messages.
  public let path: String
  /// The names of the arrays in their order; a .npy file has one without a name.
  public let names: [String]
  private let arrays: [String: NumPyArray]

  /// The most bytes of a file that are read.
  private static let limit = 1 << 36

  /// Reads all arrays of a file.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - wanted: the names of the arrays to read; nil means all. Others may be of any type
  public init(_ path: String, wanted: Set<String>? = nil) throws(DatasetError) {
    if let foreign = try Self.foreign(path, wanted) {
      self = foreign
      return
    }
    self.path = path
    let bytes: [UInt8]?
    do {
      bytes = try DurableFiles.contents(of: path, limit: Self.limit)
    } catch {
      throw DatasetError(path, "cannot be read (\(error))", cure: "check the path")
    }
    guard let bytes else {
      throw DatasetError(path, "is too large", cure: "store it as HDF5, which is streamed")
    }
    guard !bytes.starts(with: [0x1f, 0x8b]) else {
      throw DatasetError(path, "is packed by gzip", cure: "unpack it first, with gunzip")
    }
    guard !bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      names = [""]
      arrays = ["": try NumPyArray(bytes[...], path: path)]
      return
    }
    let zip = try ZipArchive(bytes, path: path)
    var found: [String: NumPyArray] = [:]
    var order: [String] = []
    for (name, entry) in zip.members where name.hasSuffix(".npy") {
      let key = String(name.dropLast(4))
      order.append(key)
      guard wanted?.contains(key) ?? true else { continue }
      found[key] = try NumPyArray(
        zip.content(of: entry, named: key)[...], path: "\(path): \(key)")
    }
    guard !order.isEmpty else {
      throw DatasetError(path, "holds no arrays", cure: "save some with numpy.savez")
    }
    (names, arrays) = (order, found)
  }

  /// Arrays that another reader found.
  init(_ path: String, names: [String], arrays: [String: NumPyArray]) {
    (self.path, self.names, self.arrays) = (path, names, arrays)
  }

  /// An array by its name; nil if there is none, or if it was not read.
  public subscript(name: String) -> NumPyArray? { arrays[name] }

  /// The first of some names that the archive has.
  ///
  /// In HDF5 `train/x` is called as `train_x` would be.
  public func first(of names: [String]) -> String? {
    for name in names {
      if let found = self.names.first(where: { $0 == name || $0.replacing("/", with: "_") == name })
      {
        return found
      }
    }
    return nil
  }
}

/// Writes a .npz archive: stored members, each an array.
public struct NumPyArchiveWriter {
  private var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0

  public init() {}

  /// Adds an array of floats.
  public mutating func add(_ name: String, _ values: [Float], shape: [Int]) {
    var data: [UInt8] = []
    data.reserveCapacity(4 * values.count)
    for value in values { Self.append(UInt64(value.bitPattern), 4, to: &data) }
    add(name, NumPyArray.file(type: "<f4", shape: shape, data: data))
  }

  /// Adds an array of whole numbers.
  public mutating func add(_ name: String, _ values: [Int32], shape: [Int]) {
    var data: [UInt8] = []
    data.reserveCapacity(4 * values.count)
    for value in values { Self.append(UInt64(UInt32(bitPattern: value)), 4, to: &data) }
    add(name, NumPyArray.file(type: "<i4", shape: shape, data: data))
  }

  /// Adds a list of texts.
  public mutating func add(_ name: String, _ texts: [String]) {
    add(name, NumPyArray.file(texts))
  }

  private mutating func add(_ name: String, _ file: [UInt8]) {
    let member = Array("\(name).npy".utf8)
    // All sizes have 64 bits, in an extra field. Time stamps are left out, so equal arrays make
    // equal bytes.
    var sizes: [UInt8] = []
    Self.append(1, 2, to: &sizes)
    Self.append(16, 2, to: &sizes)
    for _ in 0..<2 { Self.append(UInt64(file.count), 8, to: &sizes) }
    var common: [UInt8] = []
    for (value, size) in [(45, 2), (0, 2), (0, 2), (0, 2), (0x21, 2)] as [(UInt64, Int)] {
      Self.append(value, size, to: &common)
    }
    Self.append(UInt64(CRC32.of(file.span)), 4, to: &common)
    for _ in 0..<2 { Self.append(0xffff_ffff, 4, to: &common) }
    Self.append(UInt64(member.count), 2, to: &common)
    let offset = bytes.count
    bytes += [0x50, 0x4b, 3, 4] + common
    Self.append(UInt64(sizes.count), 2, to: &bytes)
    bytes += member + sizes + file
    var extra: [UInt8] = []
    Self.append(1, 2, to: &extra)
    Self.append(24, 2, to: &extra)
    for size in [file.count, file.count, offset] { Self.append(UInt64(size), 8, to: &extra) }
    directory += [0x50, 0x4b, 1, 2]
    Self.append(45, 2, to: &directory)
    directory += common
    Self.append(UInt64(extra.count), 2, to: &directory)
    for size in [2, 2, 2, 4] { Self.append(0, size, to: &directory) }
    Self.append(0xffff_ffff, 4, to: &directory)
    directory += member + extra
    count += 1
  }

  /// The bytes of the whole archive.
  public var archive: [UInt8] {
    let start = bytes.count
    var end = bytes + directory
    let large = end.count
    end += [0x50, 0x4b, 6, 6]
    for (value, size) in [
      (44, 8), (45, 2), (45, 2), (0, 4), (0, 4), (count, 8), (count, 8), (directory.count, 8),
      (start, 8),
    ] { Self.append(UInt64(value), size, to: &end) }
    end += [0x50, 0x4b, 6, 7]
    for (value, size) in [(0, 4), (large, 8), (1, 4)] {
      Self.append(UInt64(value), size, to: &end)
    }
    end += [0x50, 0x4b, 5, 6]
    for (value, size) in [
      (0, 2), (0, 2), (0xffff, 2), (0xffff, 2), (0xffff_ffff, 4), (0xffff_ffff, 4), (0, 2),
    ] { Self.append(UInt64(value), size, to: &end) }
    return end
  }

  static func append(_ value: UInt64, _ size: Int, to bytes: inout [UInt8]) {
    for byte in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))) }
  }
}
