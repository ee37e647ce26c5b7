// SPDX-License-Identifier: Apache-2.0

import Gzip
import HDF5

/// Identifies a dataset of numbers: its shape and CRC-32 checksums, in 8 hexadecimal
/// digits.
///
/// `crc32` is over the little-endian bytes of all numbers, in the order of the files. It depends
/// neither on how many files hold them nor on chunks or compression. Files that `prepare` made have
/// checksums of blocks of rows, from which it is computed without reading the rows. For other files
/// it is computed if the numbers are in memory anyway.
///
/// `sample` is over evenly spaced runs of rows, at most 256 and 64 MiB in all. Only these are read
/// if a user's own file is large and streamed. A change that affects neither the shape nor those
/// rows is not detected.
///
/// The checksums detect accidental changes, not forgeries.
public struct Fingerprint: Codable, Sendable, Hashable {
  /// The extents of the dataset, all files together.
  public var shape: [Int]
  /// Over all numbers; nil if not all were read.
  public var crc32: String?
  /// Over a sample of the rows; nil if `crc32` was available without reading them.
  public var sample: String?

  public init(shape: [Int], crc32: UInt32? = nil, sample: UInt32? = nil) {
    self.shape = shape
    self.crc32 = crc32.map(Self.hexadecimal)
    self.sample = sample.map(Self.hexadecimal)
  }

  /// The fingerprint of numbers that are in memory.
  init<Scalar: BitwiseCopyable>(of values: [Scalar], shape: [Int]? = nil) {
    self.init(shape: shape ?? [values.count], crc32: CRC32.of(values.span))
  }

  /// Whether both describe the same numbers, as far as both are known.
  public func agrees(with other: Fingerprint) -> Bool {
    guard shape == other.shape else { return false }
    if let crc32, let known = other.crc32 { return crc32 == known }
    if let sample, let known = other.sample { return sample == known }
    return true
  }

  private static func hexadecimal(_ sum: UInt32) -> String {
    let digits = String(sum, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  private enum CodingKeys: String, CodingKey {
    case shape, crc32
    case sample = "sample_crc32"
  }

  /// The runs of rows that a sample takes.
  static func sampledRows(of rows: Int, rowBytes: Int) -> [Range<Int>] {
    let length = max(1, (1 << 12) / max(rowBytes, 1))
    let runs = max(2, min(256, (1 << 26) / max(length * rowBytes, 1)))
    guard rows / runs > length else { return [0..<rows] }
    return (0..<runs).map { run in
      // Divides first if the product could overflow.
      let start = Int(Double(rows - length) / Double(runs - 1) * Double(run))
      return start..<start + length
    }
  }

  /// One checksum over the checksums of the sampled runs.
  static func joined(_ sums: [UInt32]) -> UInt32 { CRC32.of(sums.span) }
}

extension StoredRows {
  /// The fingerprint of these rows.
  func fingerprint() throws(DatasetError) -> Fingerprint {
    if let sum = reader.joined.storedCRC32(reader.kept) {
      return Fingerprint(shape: shape, crc32: sum)
    }
    let rowBytes = width * reader.elementBytes
    var sums: [UInt32] = []
    for rows in Fingerprint.sampledRows(of: shape[0], rowBytes: rowBytes) {
      let numbers =
        if let memory {
          memory.crc32(rows.lowerBound * width..<rows.upperBound * width)
        } else {
          try reader.read(rows).crc32()
        }
      sums.append(numbers)
    }
    return Fingerprint(
      shape: shape, crc32: memory?.crc32(), sample: Fingerprint.joined(sums))
  }
}

extension StoredNumbers {
  /// Over all numbers, or over those at some positions.
  fileprivate func crc32(_ places: Range<Int>? = nil) -> UInt32 {
    switch self {
    case .bytes(let bytes): CRC32.of(bytes.span.extracting(places ?? 0..<bytes.count))
    case .floats(let floats): CRC32.of(floats.span.extracting(places ?? 0..<floats.count))
    case .doubles(let doubles): CRC32.of(doubles.span.extracting(places ?? 0..<doubles.count))
    }
  }
}

extension JoinedDataset {
  /// The CRC-32 of all numbers, from the checksums in the files; nil unless all files have them,
  /// and numbers of this type.
  func storedCRC32(_ type: ElementType) -> UInt32? {
    let width = shape.dropFirst().reduce(type == .uint8 ? 1 : type == .float64 ? 8 : 4, *)
    var sum: UInt32 = 0
    for piece in pieces {
      guard piece.elementType == type, let checksums = piece.checksums else { return nil }
      let blocks = checksums.sums.count
      let last = piece.rows.count - (blocks - 1) * checksums.rows
      let joining = CRC32.Joining(bytes: checksums.rows * width)
      for block in checksums.sums.dropLast() { sum = joining(sum, block) }
      sum = CRC32.Joining(bytes: last * width)(sum, checksums.sums[blocks - 1])
    }
    return sum
  }

  /// The fingerprint of whole numbers.
  func fingerprintOfIntegers() throws(DatasetError) -> Fingerprint {
    if let sum = storedCRC32(.int32) { return Fingerprint(shape: shape, crc32: sum) }
    let rowBytes = shape.dropFirst().reduce(MemoryLayout<Int32>.size, *)
    var sums: [UInt32] = []
    for rows in Fingerprint.sampledRows(of: shape[0], rowBytes: rowBytes) {
      var values: [Int32] = []
      try forEachPiece(of: rows) { piece, places in
        values += try read(piece, places, as: Int32.self)
      }
      sums.append(CRC32.of(values.span))
    }
    return Fingerprint(shape: shape, sample: Fingerprint.joined(sums))
  }
}
