// SPDX-License-Identifier: Apache-2.0

import HDF5

/// Reads rows of numbers from one file or several consecutive ones. One thread uses a reader at a
/// time.
final class RowReader: Sendable {
  let isBytes: Bool
  /// Whether the numbers are read as 64 bits, and the caller checks them.
  let isWide: Bool
  let joined: JoinedDataset

  init(
    _ files: DatasetFiles, _ name: String, wide: Bool = false, cacheBytes: Int
  ) throws(DatasetError) {
    joined = try JoinedDataset(files, name, cacheBytes: cacheBytes)
    isWide = wide
    isBytes = !wide && joined.pieces.allSatisfy { $0.elementType == .uint8 }
  }

  var shape: [Int] { joined.shape }

  /// The rows of each file.
  var rowsOfFiles: [Int] { joined.pieces.map(\.rows.count) }

  /// The first of the files.
  var path: String { joined.pieces.first?.path ?? "" }

  /// The type in which the numbers are stored.
  var kept: ElementType { isWide ? .float64 : isBytes ? .uint8 : .float32 }

  var elementBytes: Int {
    isWide ? MemoryLayout<Double>.size : isBytes ? 1 : MemoryLayout<Float>.size
  }

  /// Closes the files. A later read opens them again.
  func close() { joined.close() }

  /// Reads a range of rows, which may be in several files.
  ///
  /// - Throws: `DatasetError`, also if a number is not finite, or if a row differs from what was
  ///   written
  func read(_ rows: Range<Int>) throws(DatasetError) -> StoredNumbers {
    if isWide { return .doubles(try doubles(rows)) }
    var bytes: [UInt8] = []
    var floats: [Float] = []
    try joined.forEachPiece(of: rows) { piece, rows in
      if isBytes {
        let read = try joined.read(piece, rows, as: UInt8.self)
        if bytes.isEmpty { bytes = read } else { bytes += read }
      } else {
        let read = try numbers(of: piece, rows)
        try check(read, of: piece, from: rows.lowerBound)
        if floats.isEmpty { floats = read } else { floats += read }
      }
    }
    return isBytes ? .bytes(bytes) : .floats(floats)
  }

  private func doubles(_ rows: Range<Int>) throws(DatasetError) -> [Double] {
    var doubles: [Double] = []
    try joined.forEachPiece(of: rows) { piece, rows in
      doubles += try joined.read(piece, rows, as: Double.self)
    }
    return doubles
  }

  private func check(
    _ values: [Float], of piece: JoinedDataset.Piece, from row: Int
  ) throws(DatasetError) {
    guard let place = StoredNumbers.floats(values).firstNotFinite else { return }
    let width = shape.dropFirst().reduce(1, *)
    // A finite number of 64 bits may be infinite in 32 bits.
    let here = row + place / width..<row + place / width + 1
    let stored = try? joined.read(piece, here, as: Double.self)[place % width]
    let isTooLarge = stored?.isFinite == true
    throw DatasetError(
      piece.path,
      "\(joined.name)[\(here.lowerBound)] holds \(stored ?? Double(values[place]))"
        + " (number \(place % width) of its row)" + (isTooLarge ? ", too large for float32" : ""),
      cure: isTooLarge
        ? "scale the inputs" : "remove such sequences, or replace the value")
  }

  /// From here on, float32 cannot represent every whole number.
  private static let largestExact: Float = 16_777_216

  /// A note about numbers that lose digits in float32, the type of all calculations.
  func note(on numbers: StoredNumbers) -> String? {
    let wide: [ElementType] = [.int32, .int64, .uint32, .uint64, .float64]
    guard case .floats(let values) = numbers,
      joined.pieces.contains(where: { wide.contains($0.elementType) }),
      let largest = values.lazy.map(abs).max(), largest > Self.largestExact
    else { return nil }
    return "\(path): \(joined.name) holds numbers up to \(largest): float32 rounds numbers beyond"
      + " 16777216; subtract an offset, or scale"
  }

  /// Rows as floats, regardless of their stored type.
  private func numbers(of piece: JoinedDataset.Piece, _ rows: Range<Int>) throws -> [Float] {
    switch piece.elementType {
    case .uint8: try joined.read(piece, rows, as: UInt8.self).map { Float($0) }
    case .int32: try joined.read(piece, rows, as: Int32.self).map { Float($0) }
    default: try joined.read(piece, rows, as: Float.self)
    }
  }
}
