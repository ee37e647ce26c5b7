// SPDX-License-Identifier: Apache-2.0

import Gzip

/// An array of bytes in the IDX format of the MNIST files.
///
/// The format: two zero bytes, a type code (8 is unsigned byte), the number of dimensions, each
/// extent as a big-endian 32-bit integer, then the elements in row-major order.
public struct IDXArray: Sendable {
  /// The extents, from the outermost in.
  public let shape: [Int]
  /// The elements, row-major.
  public let bytes: [UInt8]

  /// Parses the contents of a file.
  ///
  /// - Parameters:
  ///   - file: the bytes of the file
  ///   - dimensions: the number that the caller expects
  ///   - path: for messages
  public init(parsing file: [UInt8], dimensions: Int, path: String) throws(DatasetError) {
    let expected = "expected an IDX file of unsigned bytes with \(dimensions) dimension(s)"
    guard !file.isEmpty else {
      throw DatasetError(path, "is empty", cure: "download it again")
    }
    let header = 4 + 4 * dimensions
    guard file.count >= 4 else {
      throw DatasetError(path, "ends after \(file.count) bytes", cure: "download it again")
    }
    guard file[0] == 0, file[1] == 0, file[2] == 8, Int(file[3]) == dimensions else {
      let magic = file[0..<4].map { hexadecimal($0) }.joined(separator: " ")
      throw DatasetError(
        path, "starts with the bytes \(magic)",
        cure: "\(expected): 00 00 08 \(hexadecimal(UInt8(dimensions))); "
          + "check that images and labels are not swapped")
    }
    guard file.count >= header else {
      throw DatasetError(path, "ends within its header", cure: "download it again")
    }
    let shape = (0..<dimensions).map { dimension in
      file[4 + 4 * dimension..<8 + 4 * dimension].reduce(0) { $0 << 8 | Int($1) }
    }
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow else {
        throw DatasetError(path, "declares the shape \(shape)", cure: "download it again")
      }
      count = product
    }
    guard file.count - header == count else {
      // Reading stops soon after the size that the header declares, so more is not counted.
      let found = file.count - header > count ? "more" : "\(file.count - header)"
      throw DatasetError(
        path, "declares \(count) bytes of data (shape \(shape)) and holds \(found)",
        cure: "it is truncated or damaged: download it again")
    }
    self.shape = shape
    bytes = Array(file[header...])
  }

  /// Reads a file, gzipped or not.
  public init(contentsOf path: String, dimensions: Int) throws(DatasetError) {
    let file: [UInt8]
    do {
      file = try readPossiblyGzipped(path) { Self.declaredBytes($0, dimensions: dimensions) }
    } catch {
      throw DatasetError(error)
    }
    try self.init(parsing: file, dimensions: dimensions, path: path)
  }

  /// The size of the whole file according to its header; nil if more of the header is needed. A
  /// file that will be refused for its header counts as long as its header.
  private static func declaredBytes(_ start: ArraySlice<UInt8>, dimensions: Int) -> Int? {
    let header = 4 + 4 * dimensions
    guard start.count >= header else { return nil }
    guard start.starts(with: [0, 0, 8, UInt8(dimensions)]) else { return header }
    var count = 1
    for dimension in 0..<dimensions {
      let extent = start.dropFirst(4 + 4 * dimension).prefix(4).reduce(0) { $0 << 8 | Int($1) }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow { return header }
      count = product
    }
    let (sum, overflow) = count.addingReportingOverflow(header)
    return overflow ? header : sum
  }
}

private func hexadecimal(_ byte: UInt8) -> String {
  let text = String(byte, radix: 16)
  return text.count == 1 ? "0" + text : text
}
