// SPDX-License-Identifier: Apache-2.0

import Files
import HDF5

/// A dataset that is split over several files under one name, joined along its first axis.
///
/// Only a few of the files are open at a time; see `OpenFileLimit`. HDF5 has a lock of its own, but
/// an object here has none, so only one thread may use it at a time.
struct JoinedDataset: @unchecked Sendable {
  /// The rows of one file.
  struct Piece {
    let path: String
    /// The number of the file.
    let number: Int
    let shape: [Int]
    let elementType: ElementType
    /// The rows of the whole that this file has.
    let rows: Range<Int>
    let checksums: BlockChecksums?
  }

  let name: String
  /// The shape of the whole, [N, ...].
  let shape: [Int]
  let pieces: [Piece]
  private let cacheBytes: Int
  private let open: OpenFilePool<Dataset>

  /// Opens the dataset in all files.
  ///
  /// - Parameters:
  ///   - files: the files with their paths, in order
  ///   - cacheBytes: the memory for unpacked pieces of all files
  init(
    _ files: DatasetFiles, _ name: String, cacheBytes: Int,
    limit: Int = OpenFileLimit.shared
  ) throws(DatasetError) {
    self.name = name
    self.cacheBytes = cacheBytes / max(files.count, 1)
    open = OpenFilePool(limit: limit)
    var pieces: [Piece] = []
    var count = 0
    for (number, (path, file)) in files.enumerated() {
      let dataset = try Self.open(name, in: file, path, cacheBytes: self.cacheBytes)
      let shape = dataset.shape
      guard shape.count >= 1, shape.allSatisfy({ $0 > 0 }) else {
        throw DatasetError(path, "\(name) is \(shape)", cure: "it must hold sequences: [N, ...]")
      }
      if let first = pieces.first, first.shape.dropFirst() != shape.dropFirst() {
        throw DatasetError(
          path, "\(name) is \(shape), but in \(first.path) it is \(first.shape)",
          cure: "all but the first number must agree in all files")
      }
      let end = count.addingReportingOverflow(shape[0])
      guard !end.overflow else {
        throw DatasetError(
          path, "\(name) is \(shape)", cure: "the file is damaged: make it again")
      }
      pieces.append(
        Piece(
          path: path, number: number, shape: shape, elementType: dataset.elementType,
          rows: count..<end.partialValue,
          checksums: files.areOurs
            ? try BlockChecksums(of: name, in: file, path, dataset: dataset) : nil))
      open.keep(dataset, number)
      count = end.partialValue
    }
    self.pieces = pieces
    shape = [count] + (pieces.first?.shape.dropFirst() ?? [])
  }

  /// Opens a dataset, and checks that its numbers are stored in the file.
  private static func open(
    _ name: String, in file: HDF5.File, _ path: String, cacheBytes: Int
  ) throws(DatasetError) -> Dataset {
    do {
      guard !file.isGroup(name) else {
        throw DatasetError(
          path, "\(name): cannot open the dataset: it is a group",
          cure: "name a dataset in it; `momentum-dist inspect` lists what a file holds")
      }
      let dataset = try file.dataset(name, cacheBytes: cacheBytes)
      guard dataset.elementType.isNumber else {
        throw DatasetError(
          path, "\(name) does not hold numbers but \(dataset.typeDescription)",
          cure: "name another dataset, or store numbers")
      }
      try dataset.requireStored()
      return dataset
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, error, cure: "the file is damaged or foreign: make it again")
    }
  }

  /// The dataset of a piece, opened again if it was closed.
  private func dataset(of piece: Piece) throws -> Dataset {
    if let dataset = open[piece.number] { return dataset }
    let file = try HDF5.File.open(piece.path)
    let dataset = try file.dataset(name, cacheBytes: cacheBytes)
    guard dataset.shape == piece.shape, dataset.elementType == piece.elementType else {
      throw DatasetError(
        piece.path, "\(name) changed from \(piece.shape) to \(dataset.shape)",
        cure: "do not change the file while it is being read")
    }
    open.keep(dataset, piece.number)
    return dataset
  }

  /// Closes the files. A later read opens them again.
  func close() { open.removeAll() }

  /// Calls `body` for each file that has some of these rows of the whole, with the rows of the
  /// file. Errors that it throws get the file's path.
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
    let dataset = try dataset(of: piece)
    guard let checksums = piece.checksums, piece.elementType == Scalar.elementType else {
      return try dataset.read(rows: rows, as: type)
    }
    let blocks = checksums.wholeBlocks(of: rows)
    let values = try dataset.read(rows: blocks, as: type)
    if let wrong = checksums.firstWrong(values.span, of: blocks) {
      throw DatasetChecksums.error(name, row: wrong, piece.path)
    }
    if blocks == rows { return values }
    let width = values.count / blocks.count
    let start = (rows.lowerBound - blocks.lowerBound) * width
    return Array(values[start..<start + rows.count * width])
  }
}
