// SPDX-License-Identifier: Apache-2.0

import Files
import HDF5
import Threads

/// The rows of a dataset [N, ...] in one file or several consecutive ones.
///
/// Rows that fit are kept in memory as they are on disk. Rows of a larger dataset are read when
/// they are needed, and `prefetch(_:)` starts a thread that reads those that are needed next.
/// Numbers are checked when they are read; a number that is not finite is refused with its place.
///
/// One thread uses an object at a time. Each rank has its own, and opens the files by itself.
public final class StoredRows {
  /// The shape of the whole, [N, ...].
  public let shape: [Int]
  /// The count of numbers in a row.
  public let width: Int
  /// Whether the rows are kept in memory.
  public var isInMemory: Bool { memory != nil }
  /// Notes about the numbers that are kept in memory.
  var notes: [String] { memory.flatMap { reader.note(on: $0) }.map { [$0] } ?? [] }
  /// The rows of each file.
  var rowsOfFiles: [Int] { reader.rowsOfFiles }
  /// The memory of the numbers if they are kept in memory, in bytes.
  var bytes: Int { shape[0] * width * reader.elementBytes }

  let reader: RowReader
  let memory: StoredNumbers?
  private var pending: BackgroundJob<[RowBlock]>?
  private var fetched: [Int: RowBlock] = [:]

  /// The largest dataset that is kept in memory, in bytes.
  public static let memoryLimit = 1 << 30

  /// Opens a dataset of one name in all files.
  ///
  /// - Parameters:
  ///   - files: the files with their paths, in order
  ///   - wide: whether numbers are kept as 64 bits, and whether they are finite is not checked
  ///   - memoryLimit: the largest size, in bytes, that is kept in memory
  init(
    _ files: DatasetFiles, _ name: String, wide: Bool = false,
    memoryLimit: Int = StoredRows.memoryLimit
  ) throws(DatasetError) {
    reader = try RowReader(files, name, wide: wide, cacheBytes: max(memoryLimit / 8, 1 << 20))
    shape = reader.shape
    width = shape.dropFirst().reduce(1, *)
    let bytes = shape[0].multipliedReportingOverflow(by: width * reader.elementBytes)
    let fits = !bytes.overflow && bytes.partialValue <= memoryLimit
    memory = fits ? try reader.read(0..<shape[0]) : nil
    if fits { reader.close() }
  }

  /// Copies the numbers of a range of rows into `buffer`, which has room for exactly these.
  public func read(_ rows: Range<Int>, into buffer: inout [Float]) throws(DatasetError) {
    let (numbers, start) = try numbers(of: rows)
    numbers.copy(from: start, rows.count * width, &buffer)
  }

  /// A range of rows of numbers that are kept as 64 bits.
  func doubles(_ rows: Range<Int>) throws(DatasetError) -> ArraySlice<Double> {
    guard case (.doubles(let doubles), let start) = try numbers(of: rows) else {
      preconditionFailure("\(reader.joined.name) is not kept as 64 bits")
    }
    return doubles[start..<start + rows.count * width]
  }

  /// Numbers that include a range of rows, and the start of the range in them.
  private func numbers(
    of rows: Range<Int>
  ) throws(DatasetError) -> (numbers: StoredNumbers, start: Int) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= shape[0], "rows \(rows) of \(shape)")
    if let memory { return (memory, rows.lowerBound * width) }
    try collect()
    if let block = fetched[rows.lowerBound], block.rows == rows { return (block.numbers, 0) }
    return (try reader.read(rows), 0)
  }

  /// Starts to read ranges of rows that are needed next. Rows fetched before are released.
  ///
  /// The caller bounds the memory: one list of ranges is held at a time.
  public func prefetch(_ ranges: [Range<Int>]) throws(DatasetError) {
    guard memory == nil else { return }
    try collect()
    fetched = [:]
    let reader = reader
    pending = BackgroundJob("data", inPlace: !HDF5Library.isThreadSafe) {
      try Failpoint.dataPrefetch.pass(reader.path)
      // In the order of the file, because neighbours are often in the same chunk.
      return try ranges.sorted { $0.lowerBound < $1.lowerBound }.map {
        RowBlock(rows: $0, numbers: try reader.read($0))
      }
    }
  }

  /// Whether the rows of `prefetch(_:)` are read, so that taking them does not wait.
  public var isReady: Bool { pending?.isDone ?? true }

  /// Waits for the thread and takes the rows that it has read. After that this thread may use HDF5.
  private func collect() throws(DatasetError) {
    guard let job = pending else { return }
    pending = nil
    do {
      for block in try job.result() { fetched[block.rows.lowerBound] = block }
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(
        reader.path, error, cure: "check the disk", isDiskFailure: true)
    }
  }
}

/// Rows with their numbers.
private struct RowBlock: Sendable {
  let rows: Range<Int>
  let numbers: StoredNumbers
}

/// Numbers as they are on the disk: bytes stay bytes.
enum StoredNumbers: Sendable {
  case bytes([UInt8])
  case floats([Float])
  case doubles([Double])

  func copy(from start: Int, _ count: Int, _ buffer: inout [Float]) {
    if buffer.count != count { buffer = [Float](repeating: 0, count: count) }
    switch self {
    case .bytes(let bytes): for i in 0..<count { buffer[i] = Float(bytes[start + i]) }
    case .floats(let floats): for i in 0..<count { buffer[i] = floats[start + i] }
    case .doubles(let doubles): for i in 0..<count { buffer[i] = Float(doubles[start + i]) }
    }
  }

  /// The place of a number that is not finite.
  var firstNotFinite: Int? {
    guard case .floats(let floats) = self else { return nil }
    // All exponent bits are set. Whole numbers are compared because that takes few instructions.
    var found: UInt32 = 0
    for value in floats { found |= (value.bitPattern & 0x7f80_0000) == 0x7f80_0000 ? 1 : 0 }
    return found == 0 ? nil : floats.firstIndex { !$0.isFinite }
  }
}
