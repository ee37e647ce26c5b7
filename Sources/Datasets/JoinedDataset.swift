import HDF5

/// A dataset of one name that several files hold one after the other, joined along its first axis.
///
/// HDF5 has a lock of its own, but the objects here do not: one thread uses an object at a time.
struct JoinedDataset: @unchecked Sendable {
  /// What one file holds of it.
  struct Piece {
    let path: String
    let dataset: Dataset
    /// The rows of the whole that lie here.
    let rows: Range<Int>
    let checksums: BlockChecksums?
  }

  let name: String
  /// The shape of the whole, [N, ...].
  let shape: [Int]
  let pieces: [Piece]

  /// Opens the dataset in all files.
  ///
  /// - Parameters:
  ///   - files: open files with their paths, in order
  ///   - cacheBytes: memory for pieces of all files that HDF5 has unpacked
  init(
    _ files: [(path: String, file: HDF5.File)], _ name: String, cacheBytes: Int
  ) throws(DatasetError) {
    var pieces: [Piece] = []
    var count = 0
    for (path, file) in files {
      let dataset = try Self.open(name, in: file, path, cacheBytes: cacheBytes / files.count)
      let shape = dataset.shape
      guard shape.count >= 1, shape.allSatisfy({ $0 > 0 }) else {
        throw DatasetError(path, "\(name) is \(shape)", cure: "it must hold sequences: [N, ...]")
      }
      if let first = pieces.first, first.dataset.shape.dropFirst() != shape.dropFirst() {
        throw DatasetError(
          path, "\(name) is \(shape), in \(first.path) it is \(first.dataset.shape)",
          cure: "all but the first number must agree in all files")
      }
      let end = count.addingReportingOverflow(shape[0])
      guard !end.overflow else {
        throw DatasetError(
          path, "\(name) is \(shape)", cure: "the file is damaged: make it again")
      }
      pieces.append(
        Piece(
          path: path, dataset: dataset, rows: count..<end.partialValue,
          checksums: try BlockChecksums(of: name, in: file, path, dataset: dataset)))
      count = end.partialValue
    }
    self.name = name
    self.pieces = pieces
    shape = [count] + (pieces.first?.dataset.shape.dropFirst() ?? [])
  }

  /// Opens a dataset whose numbers the file really holds.
  private static func open(
    _ name: String, in file: HDF5.File, _ path: String, cacheBytes: Int
  ) throws(DatasetError) -> Dataset {
    do {
      let dataset = try file.dataset(name, cacheBytes: cacheBytes)
      guard dataset.elementType != .string, dataset.elementType != .other else {
        throw DatasetError(path, "\(name) does not hold numbers", cure: "name another dataset")
      }
      try dataset.requireStored()
      return dataset
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, error, cure: "the file is damaged or foreign: make it again")
    }
  }

  /// Calls `body` for each file that holds some of these rows of the whole, with the rows of the
  /// file. What it throws gets the file's path.
  func forEachPiece(
    of rows: Range<Int>, _ body: (Piece, Range<Int>) throws -> Void
  ) throws(DatasetError) {
    for piece in pieces where piece.rows.overlaps(rows) {
      let here = piece.rows.clamped(to: rows)
      let start = here.lowerBound - piece.rows.lowerBound
      do {
        try body(piece, start..<start + here.count)
      } catch let error as DatasetError {
        throw error
      } catch {
        throw DatasetError(piece.path, error, cure: "the file is damaged: make it again")
      }
    }
  }

  /// The numbers of some rows of a piece, as they are stored, compared with their checksums.
  ///
  /// - Parameter rows: of the file
  func read<Scalar: HDF5Scalar>(
    _ piece: Piece, _ rows: Range<Int>, as type: Scalar.Type
  ) throws -> [Scalar] {
    guard let checksums = piece.checksums, piece.dataset.elementType == Scalar.elementType else {
      return try piece.dataset.read(rows: rows, as: type)
    }
    let blocks = checksums.wholeBlocks(of: rows)
    let values = try piece.dataset.read(rows: blocks, as: type)
    if let wrong = checksums.firstWrong(values.span, of: blocks) {
      throw DatasetChecksums.error(name, row: wrong, piece.path)
    }
    if blocks == rows { return values }
    let width = values.count / blocks.count
    let start = (rows.lowerBound - blocks.lowerBound) * width
    return Array(values[start..<start + rows.count * width])
  }
}
