import HDF5

/// Reads rows of numbers that one or several files hold one after the other. One thread uses a
/// reader at a time.
final class RowReader: Sendable {
  let isBytes: Bool
  let joined: JoinedDataset

  init(
    _ files: [(path: String, file: HDF5.File)], _ name: String, cacheBytes: Int
  ) throws(DatasetError) {
    joined = try JoinedDataset(files, name, cacheBytes: cacheBytes)
    isBytes = joined.pieces.allSatisfy { $0.dataset.elementType == .uint8 }
  }

  var shape: [Int] { joined.shape }

  /// The rows that each file holds.
  var rowsOfFiles: [Int] { joined.pieces.map(\.rows.count) }

  /// The first of the files.
  var path: String { joined.pieces.first?.path ?? "" }

  var elementBytes: Int { isBytes ? 1 : MemoryLayout<Float>.size }

  /// Reads a range of rows, which may lie in several files.
  ///
  /// - Throws: `DatasetError`, also where a number is not finite or a row not what was written
  func read(_ rows: Range<Int>) throws(DatasetError) -> StoredNumbers {
    var bytes: [UInt8] = []
    var floats: [Float] = []
    try joined.forEachPiece(of: rows) { piece, rows in
      if isBytes {
        let read = try joined.read(piece, rows, as: UInt8.self)
        if bytes.isEmpty { bytes = read } else { bytes += read }
      } else {
        let read = try numbers(of: piece, rows)
        try check(read, in: piece.path, from: rows.lowerBound)
        if floats.isEmpty { floats = read } else { floats += read }
      }
    }
    return isBytes ? .bytes(bytes) : .floats(floats)
  }

  private func check(_ values: [Float], in path: String, from row: Int) throws(DatasetError) {
    guard let place = StoredNumbers.floats(values).firstNotFinite else { return }
    let width = shape.dropFirst().reduce(1, *)
    throw DatasetError(
      path,
      "\(joined.name)[\(row + place / width)] holds \(values[place])"
        + " (number \(place % width) of its row)",
      cure: "take such sequences out, or replace the number")
  }

  /// Rows as floats, whatever they are stored as.
  private func numbers(of piece: JoinedDataset.Piece, _ rows: Range<Int>) throws -> [Float] {
    switch piece.dataset.elementType {
    case .uint8: try joined.read(piece, rows, as: UInt8.self).map { Float($0) }
    case .int32: try joined.read(piece, rows, as: Int32.self).map { Float($0) }
    default: try joined.read(piece, rows, as: Float.self)
    }
  }
}
