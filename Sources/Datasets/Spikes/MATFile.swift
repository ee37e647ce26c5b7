// SPDX-License-Identifier: Apache-2.0

import Files
import Gzip

/// The numeric arrays of a MATLAB file of version 5 (`save -v6` and `-v7`). Arrays in structures of
/// one element have names such as `session.counts`.
///
/// The format is described by MathWorks, "MAT-File Format" (2023), chapter 1. This is our own
/// reader, instead of libmatio, because memory must be proportional to a file's size and not to the
/// sizes that it declares.
struct MATFile: StoredArrays {
  let path: String
  let arrays: [(name: String, shape: [Int])]
  private let stored: [String: MATArray]

  var kind: String { "MATLAB 5" }

  static let maximumBytes = 1 << 31

  /// Whether a file begins like one of this version.
  static func begins(_ bytes: [UInt8]) -> Bool {
    bytes.count >= 128 && bytes.starts(with: "MATLAB 5.0".utf8)
      && ([0x49, 0x4d] == bytes[126..<128] || [0x4d, 0x49] == bytes[126..<128])
  }

  init(_ path: String) throws(DatasetError) {
    let bytes: [UInt8]?
    do {
      bytes = try DurableFiles.contents(of: path, limit: Self.maximumBytes)
    } catch {
      throw DatasetError(path, "cannot be read (\(error))", cure: "check the path")
    }
    guard let bytes else {
      throw DatasetError(
        path, "has more than \(Self.maximumBytes >> 20) MB", cure: "save it with -v7.3")
    }
    try self.init(parsing: bytes, path: path)
  }

  /// Parses the contents of a file.
  init(parsing bytes: [UInt8], path: String) throws(DatasetError) {
    self.path = path
    guard Self.begins(bytes) else {
      throw DatasetError(
        path, "is not a MATLAB 5 file", cure: "save it with -v7 or -v7.3")
    }
    var found: [String: MATArray] = [:]
    var names: [String] = []
    var room = Self.maximumBytes
    var reader = MATReader(bytes, from: 128, isBig: bytes[126] == 0x4d, path)
    while !reader.isAtEnd {
      let element = try reader.element()
      var inner = MATReader(element.bytes, element.range, isBig: reader.isBig, path)
      if element.type == MATReader.compressed {
        let content: [UInt8]
        do {
          content = try inflated(
            element.bytes[element.range], path: path, maximumBytes: room
          ) { Self.declaredBytes($0, isBig: reader.isBig) }
        } catch {
          throw DatasetError(error)
        }
        room -= content.count
        // Only the start of anything else was decompressed.
        guard Self.declaredBytes(content[...], isBig: reader.isBig) != 0 else { continue }
        var outer = MATReader(content, from: 0, isBig: reader.isBig, path)
        let matrix = try outer.element()
        inner = MATReader(matrix.bytes, matrix.range, isBig: reader.isBig, path)
      } else if element.type != MATReader.matrix {
        continue
      }
      try inner.arrays(named: nil, depth: 0) { name, array in
        if found.updateValue(array, forKey: name) == nil { names.append(name) }
      }
    }
    stored = found
    arrays = names.map { ($0, found[$0]!.shape) }
  }

  /// The size of a matrix element according to its tag; 0 for any other element, and nil if the tag
  /// is not complete.
  private static func declaredBytes(_ content: ArraySlice<UInt8>, isBig: Bool) -> Int? {
    guard content.count >= 8 else { return nil }
    func word(_ bytes: ArraySlice<UInt8>) -> Int {
      (isBig ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | Int($1) }
    }
    guard word(content.prefix(4)) == Int(MATReader.matrix) else { return 0 }
    return 8 + word(content.dropFirst(4).prefix(4))
  }

  func read(_ name: String) throws(DatasetError) -> StoredArray {
    StoredArray(
      shape: stored[name]!.shape, isColumnMajor: true, values: try numbers(name, as: Float.self))
  }

  /// The numbers of an array that is in the list, the first index running fastest.
  func numbers<Number: BinaryFloatingPoint>(
    _ name: String, as type: Number.Type
  ) throws(DatasetError) -> [Number] {
    let array = stored[name]!
    guard !array.isComplex else {
      throw DatasetError(path, "\(name) holds complex numbers", cure: "store real numbers")
    }
    return try array.values(path, name)
  }
}

/// A numeric array of the file.
struct MATArray {
  let shape: [Int]
  let isComplex: Bool
  /// The type of the stored numbers, which may be smaller than the type of the array.
  fileprivate let numbers: MATReader.Element
  fileprivate let isBig: Bool

  /// The numbers, with the first index running fastest.
  fileprivate func values<Number: BinaryFloatingPoint>(
    _ path: String, _ name: String
  ) throws(DatasetError) -> [Number] {
    let width = MATReader.widths[numbers.type] ?? 0
    let count = shape.reduce(1, *)
    guard width > 0, count <= StoredArray.maximumCount, numbers.range.count == count * width else {
      throw DatasetError(
        path, "\(name) declares \(shape) and holds \(numbers.range.count) bytes",
        cure: "the file is damaged: save it again")
    }
    let bytes = numbers.bytes
    return (0..<count).map { index in
      let start = numbers.range.lowerBound + index * width
      var word: UInt64 = 0
      for place in 0..<width {
        word = word << 8 | UInt64(bytes[isBig ? start + place : start + width - 1 - place])
      }
      switch numbers.type {
      case 1: return Number(Int8(truncatingIfNeeded: word))
      case 3: return Number(Int16(truncatingIfNeeded: word))
      case 5: return Number(Int32(truncatingIfNeeded: word))
      case 7: return Number(Float(bitPattern: UInt32(word)))
      case 9: return Number(Double(bitPattern: word))
      case 12: return Number(Int64(bitPattern: word))
      default: return Number(word)
      }
    }
  }
}

/// Reads elements: a type, a size, and as many bytes, padded to eight.
struct MATReader {
  struct Element {
    let type: UInt32
    let bytes: [UInt8]
    let range: Range<Int>
  }

  static let matrix: UInt32 = 14
  static let compressed: UInt32 = 15
  /// The bytes per number of each type: int8, uint8, int16, uint16, int32, uint32, single, double,
  /// int64 and uint64.
  static let widths: [UInt32: Int] = [
    1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8,
  ]
  private static let structure = 2
  /// double, single, int8 ... uint64.
  private static let numericClasses = 6...15
  private static let deepest = 8

  let isBig: Bool
  private let bytes: [UInt8]
  private var place: Int
  private let end: Int
  private let path: String

  init(_ bytes: [UInt8], from start: Int, isBig: Bool, _ path: String) {
    self.init(bytes, start..<bytes.count, isBig: isBig, path)
  }

  init(_ bytes: [UInt8], _ range: Range<Int>, isBig: Bool, _ path: String) {
    (self.bytes, place, end) = (bytes, range.lowerBound, range.upperBound)
    (self.isBig, self.path) = (isBig, path)
  }

  /// If fewer bytes remain than an element's tag has, they are padding.
  var isAtEnd: Bool { end - place < 8 }

  private var damaged: DatasetError {
    DatasetError(path, "is damaged at byte \(place)", cure: "save it again")
  }

  private func word(_ place: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[isBig ? place + $1 : place + 3 - $1]) }
  }

  /// The next element.
  mutating func element() throws(DatasetError) -> Element {
    guard !isAtEnd else { throw damaged }
    let (first, second) = (word(place), word(place + 4))
    if first >> 16 != 0 {
      // Data of up to four bytes are stored in the tag itself.
      guard first >> 16 <= 4 else { throw damaged }
      defer { place += 8 }
      return Element(
        type: first & 0xffff, bytes: bytes, range: place + 4..<place + 4 + Int(first >> 16))
    }
    let start = place + 8
    guard Int(second) <= end - start else { throw damaged }
    let padding = first == Self.compressed ? 0 : (8 - Int(second) % 8) % 8
    place = min(start + Int(second) + padding, end)
    return Element(type: first, bytes: bytes, range: start..<start + Int(second))
  }

  private mutating func integers() throws(DatasetError) -> [Int] {
    let element = try element()
    guard element.type == 5 || element.type == 6, element.range.count % 4 == 0 else {
      throw damaged
    }
    return stride(from: element.range.lowerBound, to: element.range.upperBound, by: 4).map {
      Int(Int32(bitPattern: word($0)))
    }
  }

  private mutating func text() throws(DatasetError) -> [UInt8] {
    let element = try element()
    guard element.type == 1 || element.type == 2 else { throw damaged }
    return Array(bytes[element.range])
  }

  /// Finds the numeric arrays in the content of a matrix element.
  ///
  /// - Parameter outer: the name of a field; nil uses the array's own name
  mutating func arrays(
    named outer: String?, depth: Int, _ found: (String, MATArray) -> Void
  ) throws(DatasetError) {
    // An empty field has no content.
    guard !isAtEnd else { return }
    let flags = try integers()
    guard flags.count == 2 else { throw damaged }
    let (kind, isComplex) = (flags[0] & 0xff, flags[0] & 0x800 != 0)
    let isNumeric = Self.numericClasses.contains(kind)
    // Cells, characters, objects and sparse matrices are skipped.
    guard isNumeric || kind == Self.structure else { return }
    let shape = try integers()
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { throw damaged }
      count = product
    }
    let own = FileListing.onOneLine(String(decoding: try text(), as: UTF8.self))
    let name = outer ?? own
    if isNumeric {
      let numbers = try element()
      return found(
        name, MATArray(shape: shape, isComplex: isComplex, numbers: numbers, isBig: isBig))
    }
    guard count == 1, depth < Self.deepest else { return }
    let lengths = try integers()
    let names = try text()
    guard let length = lengths.first, length > 0 else { throw damaged }
    for start in stride(from: 0, to: names.count, by: length) {
      let field = names[start..<min(start + length, names.count)].prefix { $0 != 0 }
      let element = try element()
      guard element.type == Self.matrix else { throw damaged }
      var inner = MATReader(element.bytes, element.range, isBig: isBig, path)
      let text = FileListing.onOneLine(String(decoding: field, as: UTF8.self))
      try inner.arrays(named: "\(name).\(text)", depth: depth + 1, found)
    }
  }
}
