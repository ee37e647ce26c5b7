// SPDX-License-Identifier: Apache-2.0

import Gzip
import HDF5

/// Checksums of a data set file in addition to those of HDF5.
///
/// HDF5's own checksum, fletcher32, cannot tell a word of zeros from a word of ones, so a lost disk
/// block can go unnoticed. A file that `prepare` made therefore has, next to each dataset of its
/// parts and its vocabulary,
///
///     NAME_crc32 [blocks] uint32, attribute rows: how many rows a block has, the last one fewer
///
/// with zlib's CRC-32 of each block of rows, of some KiB, over the little-endian bytes of the
/// numbers. Of inputs and texts, the blocks that are read are compared. Datasets that are read
/// whole are compared whole. Datasets without checksums are not compared.
enum DatasetChecksums {
  /// The smallest size of a block, unless the dataset is smaller.
  private static let blockBytes = 1 << 12

  static let damaged = "the file is damaged: make it again"

  /// The datasets that get checksums, if a file has them.
  private static let names =
    DatasetFile.Part.allCases.flatMap { part in
      DatasetFile.partNames.map { "\(part.rawValue)/\($0)" }
    } + ["vocabulary/text", "vocabulary/offsets"]

  /// The name of the checksums of a dataset.
  static func name(of name: String) -> String { name + "_crc32" }

  /// Adds checksums to a file that is otherwise complete.
  static func add(to file: HDF5.File) throws {
    for name in names where file.contains(name) {
      let dataset = try file.dataset(name)
      guard dataset.count > 0, let width = dataset.elementType.width else { continue }
      // A nonzero count bounds the products of the extents.
      let rowBytes = dataset.shape.dropFirst().reduce(width, *)
      let rows = (blockBytes + rowBytes - 1) / rowBytes
      let sums = try Self.sums(of: dataset, rowsInBlock: rows)
      try file.write(sums, to: Self.name(of: name), shape: [sums.count], fletcher32: true)
        .setAttribute("rows", rows)
    }
  }

  /// Refuses a dataset whose numbers differ from the ones that were written.
  static func check(_ name: String, in file: HDF5.File, _ path: String) throws {
    let dataset = try file.dataset(name)
    guard let checksums = try BlockChecksums(of: name, in: file, path, dataset: dataset) else {
      return
    }
    let found = try sums(of: dataset, rowsInBlock: checksums.rows)
    guard let wrong = zip(found, checksums.sums).enumerated().first(where: { $1.0 != $1.1 })
    else { return }
    throw error(name, row: wrong.offset * checksums.rows, path)
  }

  static func error(_ name: String, row: Int, _ path: String) -> DatasetError {
    DatasetError(
      path, "\(name)[\(row)], or one soon after it, is not what was written: its CRC-32 is another",
      cure: damaged)
  }

  private static func sums(of dataset: Dataset, rowsInBlock rows: Int) throws -> [UInt32] {
    switch dataset.elementType {
    case .uint8: try sums(of: dataset, as: UInt8.self, rows)
    case .float32: try sums(of: dataset, as: Float.self, rows)
    case .float64: try sums(of: dataset, as: Double.self, rows)
    case .int32: try sums(of: dataset, as: Int32.self, rows)
    default: try sums(of: dataset, as: Int64.self, rows)
    }
  }

  private static func sums<Scalar: HDF5Scalar>(
    of dataset: Dataset, as type: Scalar.Type, _ rows: Int
  ) throws -> [UInt32] {
    var sums: [UInt32] = []
    let extent = dataset.shape[0]
    // Many blocks at a time, because HDF5 unpacks a chunk again for each read.
    let step = rows * max(1, (1 << 22) / blockBytes)
    for start in stride(from: 0, to: extent, by: step) {
      let here = start..<min(start + step, extent)
      let values = try dataset.read(rows: here, as: type)
      sums += BlockChecksums.sums(of: values.span, rows: here.count, rowsInBlock: rows)
    }
    return sums
  }
}

/// The checksums of one dataset in one file.
struct BlockChecksums: Sendable {
  /// The number of rows in a block; the last may have fewer.
  let rows: Int
  let sums: [UInt32]
  private let extent: Int

  /// The checksums in the file; nil if it has none.
  ///
  /// - Throws: `DatasetError` if they do not fit the dataset
  init?(
    of name: String, in file: HDF5.File, _ path: String, dataset: Dataset
  ) throws(DatasetError) {
    let sumsName = DatasetChecksums.name(of: name)
    guard dataset.count > 0, dataset.elementType.width != nil, file.contains(sumsName) else {
      return nil
    }
    extent = dataset.shape[0]
    do {
      let stored = try file.dataset(sumsName)
      try stored.requireStored()
      rows = try stored.intAttribute("rows") ?? 0
      guard rows > 0, stored.shape == [(extent - 1) / rows + 1] else {
        throw DatasetError(
          path, "\(sumsName) is \(stored.shape) of \(rows) rows each for \(dataset.shape)",
          cure: DatasetChecksums.damaged)
      }
      sums = try stored.read(as: UInt32.self)
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, error, cure: DatasetChecksums.damaged)
    }
  }

  /// The rows of all blocks that hold some of these.
  func wholeBlocks(of rows: Range<Int>) -> Range<Int> {
    let start = rows.lowerBound / self.rows * self.rows
    let last = (rows.upperBound - 1) / self.rows * self.rows
    return start..<min(last + min(self.rows, extent - last), extent)
  }

  /// The first row of the first block that differs from what was written.
  ///
  /// - Parameters:
  ///   - values: the rows of whole blocks
  ///   - start: the row of the file that is the first of them
  func firstWrong<Scalar: BitwiseCopyable>(
    _ values: Span<Scalar>, of blocks: Range<Int>
  ) -> Int? {
    let found = Self.sums(of: values, rows: blocks.count, rowsInBlock: rows)
    let first = blocks.lowerBound / rows
    let wrong = found.indices.first { found[$0] != sums[first + $0] }
    return wrong.map { (first + $0) * rows }
  }

  static func sums<Scalar: BitwiseCopyable>(
    of values: Span<Scalar>, rows: Int, rowsInBlock: Int
  ) -> [UInt32] {
    let width = values.count / max(rows, 1)
    return stride(from: 0, to: rows, by: rowsInBlock).map { start in
      let end = start + min(rowsInBlock, rows - start)
      return CRC32.of(values.extracting(start * width..<end * width))
    }
  }
}

extension ElementType {
  /// The bytes per number of each type that has checksums.
  fileprivate var width: Int? {
    switch self {
    case .uint8: 1
    case .float32, .int32: 4
    case .float64, .int64: 8
    default: nil
    }
  }
}

extension Dataset {
  /// The numbers of a range of rows.
  func read<Scalar: HDF5Scalar>(
    rows: Range<Int>, as type: Scalar.Type
  ) throws(HDF5Error) -> [Scalar] {
    try read(
      as: type, at: [rows.lowerBound] + shape.dropFirst().map { _ in 0 },
      count: [rows.count] + shape.dropFirst())
  }
}
