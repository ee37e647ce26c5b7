import Digests
import Gzip
import HDF5

/// Checksums of a data set file besides those of HDF5.
///
/// HDF5's own, fletcher32, takes a word of zeros and one of ones for the same, so that a block of a
/// disk that was lost can go unseen. Therefore a file that `prepare` made holds
///
///     inputs_crc32 [rows of inputs] uint32     the CRC-32 of each row of `inputs`, as zlib has it
///     an attribute sha256 of every other dataset: of all its numbers
///
/// of the little-endian bytes of the numbers. A row is compared when it is read, wherever it is
/// kept; the others as a whole when the file is opened. What has no checksum is not compared.
enum DatasetChecksums {
  static let attribute = "sha256"
  private static let pieceBytes = 1 << 22

  /// The name of the dataset with the checksums of the rows of another.
  static func rows(of name: String) -> String { name + "_crc32" }

  /// Adds the checksums of all parts to a file that is complete but for them.
  static func add(to file: HDF5.File) throws {
    for part in DatasetFile.Part.allCases.map(\.rawValue) where file.contains(part) {
      let inputs = "\(part)/inputs"
      if file.contains(inputs) {
        let sums = try rowSums(of: file.dataset(inputs))
        try file.write(sums, to: rows(of: inputs), shape: [sums.count], fletcher32: true)
      }
      for name in ["targets", "offsets", "tokens"] where file.contains("\(part)/\(name)") {
        let dataset = try file.dataset("\(part)/\(name)")
        try dataset.setAttribute(attribute, try digest(of: dataset))
      }
    }
  }

  /// Refuses a dataset whose numbers are not those that were written.
  ///
  /// - Parameter limit: bytes above which the numbers are not read for this
  static func check(
    _ dataset: Dataset, _ name: String, _ path: String, limit: Int = .max
  ) throws {
    guard let written = try dataset.stringAttribute(attribute) else { return }
    let bytes = dataset.count.multipliedReportingOverflow(by: width(of: dataset.elementType))
    guard !bytes.overflow, bytes.partialValue <= limit else { return }
    guard try digest(of: dataset) == written else {
      throw DatasetError(
        path, "\(name) does not have the SHA-256 that it was written with", cure: damaged)
    }
  }

  static let damaged = "the file is damaged: make it again"

  // MARK: Bytes

  private static func width(of type: ElementType) -> Int {
    switch type {
    case .int8, .uint8: 1
    case .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    default: 8
    }
  }

  private static func rowSums(of dataset: Dataset) throws -> [UInt32] {
    var sums = RowSums(width: dataset.shape.dropFirst().reduce(1, *))
    try lend(dataset, to: &sums)
    return sums.sums
  }

  private static func digest(of dataset: Dataset) throws -> String {
    var whole = WholeDigest()
    try lend(dataset, to: &whole)
    return whole.digest.finalize()
  }

  /// Lends all numbers as they are stored, some rows at a time.
  private static func lend(_ dataset: Dataset, to taker: inout some NumberTaker) throws {
    switch dataset.elementType {
    case .uint8: try lend(dataset, as: UInt8.self, to: &taker)
    case .float32: try lend(dataset, as: Float.self, to: &taker)
    case .float64: try lend(dataset, as: Double.self, to: &taker)
    case .int32: try lend(dataset, as: Int32.self, to: &taker)
    default: try lend(dataset, as: Int64.self, to: &taker)
    }
  }

  private static func lend<Scalar: HDF5Scalar>(
    _ dataset: Dataset, as type: Scalar.Type, to taker: inout some NumberTaker
  ) throws {
    let (shape, extent) = (dataset.shape, dataset.shape.first ?? 0)
    let rowBytes = shape.dropFirst().reduce(MemoryLayout<Scalar>.size, *)
    let rows = max(1, pieceBytes / max(rowBytes, 1))
    for start in stride(from: 0, to: extent, by: rows) {
      let values = try dataset.read(
        as: type, at: [start] + shape.dropFirst().map { _ in 0 },
        count: [min(rows, extent - start)] + shape.dropFirst())
      taker.take(values.span)
    }
  }
}

/// What goes over the numbers of a dataset, some rows at a time.
private protocol NumberTaker {
  mutating func take<Scalar: HDF5Scalar>(_ values: Span<Scalar>)
}

private struct RowSums: NumberTaker {
  /// Numbers in a row.
  let width: Int
  var sums: [UInt32] = []

  mutating func take<Scalar: HDF5Scalar>(_ values: Span<Scalar>) {
    for start in stride(from: 0, to: values.count, by: max(width, 1)) {
      sums.append(CRC32.of(values.extracting(start..<start + width)))
    }
  }
}

private struct WholeDigest: NumberTaker {
  let digest = SHA256Digest()

  mutating func take<Scalar: HDF5Scalar>(_ values: Span<Scalar>) { digest.update(values) }
}

/// The checksums of the rows of one file's inputs.
struct RowChecksums: Sendable {
  private let sums: [UInt32]
  private let type: ElementType

  /// What the file has of them; nil if it has none.
  init?(
    of name: String, in file: HDF5.File, _ path: String, dataset: Dataset
  ) throws(DatasetError) {
    let sumsName = DatasetChecksums.rows(of: name)
    guard file.contains(sumsName), [.uint8, .float32, .int32].contains(dataset.elementType) else {
      return nil
    }
    do {
      let stored = try file.dataset(sumsName)
      try stored.requireStored()
      guard stored.shape == [dataset.shape.first ?? 0] else {
        throw DatasetError(
          path, "\(sumsName) is \(stored.shape) for \(name) of \(dataset.shape)",
          cure: DatasetChecksums.damaged)
      }
      sums = try stored.read(as: UInt32.self)
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, "\(error)", cure: DatasetChecksums.damaged)
    }
    type = dataset.elementType
  }

  /// The first row, counted from 0, that does not have its checksum.
  ///
  /// - Parameters:
  ///   - bytes: whole rows, as they are stored
  ///   - start: which row of the file is the first of them
  func firstWrong(_ bytes: [UInt8], from start: Int, rows: Int) -> Int? {
    firstWrong(bytes.span, from: start, rows: rows)
  }

  /// Likewise of numbers that were read as floats, whatever they are stored as.
  func firstWrong(_ values: [Float], from start: Int, rows: Int) -> Int? {
    switch type {
    case .uint8:
      // A number that is none of the stored type has no place in such a file.
      let bytes = values.map { UInt8(exactly: $0) ?? .max }
      return firstWrong(bytes.span, from: start, rows: rows)
    case .int32:
      let numbers = values.map { Int32(exactly: $0) ?? .min }
      return firstWrong(numbers.span, from: start, rows: rows)
    default: return firstWrong(values.span, from: start, rows: rows)
    }
  }

  private func firstWrong<Scalar: BitwiseCopyable>(
    _ values: Span<Scalar>, from start: Int, rows: Int
  ) -> Int? {
    guard rows > 0 else { return nil }
    let width = values.count / rows
    return (0..<rows).first { row in
      CRC32.of(values.extracting(row * width..<(row + 1) * width)) != sums[start + row]
    }
  }
}
