// SPDX-License-Identifier: Apache-2.0

/// An array of a .npy file, NumPy's own format (NEP 1): a header that names type and shape, and the
/// numbers.
///
/// Elements may be floats of 16, 32 or 64 bits, whole numbers of 8 to 64 bits, Boolean values, or
/// text of fixed width. Either byte order is read, in C or Fortran order.
public struct NumPyArray: Sendable {
  /// The kind of the elements.
  public enum Kind: Sendable {
    case float, whole, text
  }

  /// The origin of the array, for messages.
  public let path: String
  /// The extents, from the outermost in.
  public let shape: [Int]
  /// The type of the elements.
  public let kind: Kind
  /// NumPy's name of the type: "<f4".
  public let type: String

  private let bytes: ArraySlice<UInt8>
  private let elementBytes: Int

  /// Whether the elements are whole numbers of 8 bits.
  public var isBytes: Bool { kind == .whole && elementBytes == 1 }
  private let isBigEndian: Bool
  private let isSigned: Bool
  private let isFortran: Bool

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// Reads the content of a .npy file.
  ///
  /// - Parameters:
  ///   - content: the bytes of the file
  ///   - path: for messages
  public init(_ content: ArraySlice<UInt8>, path: String) throws(DatasetError) {
    self.path = path
    func damaged(_ problem: String) -> DatasetError {
      DatasetError(path, problem, cure: "save it again with numpy.save")
    }
    let start = content.startIndex
    guard content.starts(with: [0x93] + Array("NUMPY".utf8)), content.count > 12 else {
      throw damaged("is not a .npy file")
    }
    let isShort = content[start + 6] == 1
    let lengthBytes = isShort ? 2 : 4
    let length = (0..<lengthBytes).reduce(0) { $0 | Int(content[start + 8 + $1]) << (8 * $1) }
    let headerStart = start + 8 + lengthBytes
    guard length <= content.endIndex - headerStart else { throw damaged("ends in its header") }
    let header = String(decoding: content[headerStart..<headerStart + length], as: UTF8.self)
    guard let type = header.firstMatch(of: /'descr':\s*'([^']+)'/)?.1 else {
      throw DatasetError(
        path, "holds records with named fields", cure: "save each field as an array of its own")
    }
    guard let extents = header.firstMatch(of: /'shape':\s*\(([^)]*)\)/)?.1 else {
      throw damaged("has a header without a shape")
    }
    self.type = String(type)
    isFortran = header.contains(/'fortran_order':\s*True/)
    let written = extents.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
      .filter { !$0.isEmpty }
    shape = written.compactMap { Int($0) }
    guard shape.count == written.count else {
      throw damaged("has a shape that is not made of whole numbers")
    }
    (kind, elementBytes, isSigned) = try Self.element(self.type, path)
    isBigEndian = type.hasPrefix(">")
    bytes = content[(headerStart + length)...]
    var total = max(elementBytes, 1)
    for extent in shape {
      let product = total.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !product.overflow else { throw damaged("has the shape \(shape)") }
      total = product.partialValue
    }
    guard bytes.count >= total || elementBytes == 0 else {
      throw damaged("is cut short: \(bytes.count) of \(total) bytes of numbers are there")
    }
  }

  private static func element(
    _ type: String, _ path: String
  ) throws(DatasetError) -> (kind: Kind, bytes: Int, isSigned: Bool) {
    let size = min(Int(type.dropFirst(2)) ?? 0, 1 << 40)
    switch (type.dropFirst().first, size) {
    case ("f", 2), ("f", 4), ("f", 8): return (.float, size, true)
    case ("i", 1), ("i", 2), ("i", 4), ("i", 8): return (.whole, size, true)
    case ("u", 1), ("u", 2), ("u", 4), ("u", 8), ("b", 1): return (.whole, size, false)
    case ("U", 0...): return (.text, 4 * size, false)
    case ("S", 0...): return (.text, size, false)
    case ("O", _):
      throw DatasetError(
        path, "holds Python objects, such as sequences of unequal lengths",
        cure: "save them as one array of all steps [F, C] with `offsets` [N + 1] where each begins")
    default:
      throw DatasetError(
        path, "has dtype \(type)", cure: "convert it with astype(\"float32\")")
    }
  }

  /// The offset of the element at a row-major position.
  private func place(_ index: Int) -> Int {
    guard isFortran, shape.count > 1 else { return index }
    var (rest, place, stride) = (index, 0, count)
    for extent in shape.reversed() {
      stride /= extent
      place += rest % extent * stride
      rest /= extent
    }
    return place
  }

  private func bits(_ index: Int) -> UInt64 {
    let start = bytes.startIndex + place(index) * elementBytes
    var bits: UInt64 = 0
    for byte in 0..<elementBytes {
      let shift = 8 * (isBigEndian ? elementBytes - 1 - byte : byte)
      bits |= UInt64(bytes[start + byte]) << UInt64(shift)
    }
    return bits
  }

  /// The number at a row-major position.
  public func number(_ index: Int) -> Double {
    let bits = bits(index)
    switch (kind, elementBytes) {
    case (.float, 2): return Double(Float16(bitPattern: UInt16(truncatingIfNeeded: bits)))
    case (.float, 4): return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case (.float, _): return Double(bitPattern: bits)
    default: return isSigned ? Double(signed(bits)) : Double(bits)
    }
  }

  /// The whole number of the element's width.
  private func signed(_ bits: UInt64) -> Int64 {
    let unused = UInt64(64 - 8 * elementBytes)
    return Int64(bitPattern: bits << unused) >> Int64(unused)
  }

  /// The numbers, row-major, as floats of 32 bits.
  ///
  /// - Throws: `DatasetError` with the place of a number that is not finite in 32 bits
  public func floats(allowingMissing: Bool = false) throws(DatasetError) -> [Float] {
    try requireNumbers()
    var values: [Float] = []
    values.reserveCapacity(count)
    for index in 0..<count {
      let value = Float(number(index))
      if !value.isFinite, !(allowingMissing && value.isNaN) {
        throw DatasetError(
          path, "row \(index / max(count / max(shape.first ?? 1, 1), 1)) holds \(number(index))",
          cure: number(index).isNaN
            ? "replace the value, leave the sequence out, or choose --missing zero, carry or drop"
            : "remove such sequences, or replace the value")
      }
      values.append(value)
    }
    return values
  }

  /// The numbers as doubles, row-major.
  public func doubles() throws(DatasetError) -> [Double] {
    try requireNumbers()
    return (0..<count).map { number($0) }
  }

  private func requireNumbers() throws(DatasetError) {
    guard kind == .text else { return }
    throw DatasetError(path, "holds text, not numbers", cure: "save an array of numbers")
  }

  /// The elements as text, for the names of classes.
  public var texts: [String] {
    (0..<count).map { index in
      switch kind {
      case .text: break
      case .float: return "\(number(index))"
      // Not through a Double, which cannot distinguish all whole numbers above 2^53.
      case .whole: return isSigned ? "\(signed(bits(index)))" : "\(bits(index))"
      }
      let start = bytes.startIndex + place(index) * elementBytes
      let own = bytes[start..<start + elementBytes]
      guard type.dropFirst().first == "U" else {
        return String(decoding: own.prefix { $0 != 0 }, as: UTF8.self)
      }
      var text = String.UnicodeScalarView()
      for place in stride(from: start, to: start + elementBytes, by: 4) {
        let code = (0..<4).reduce(UInt32(0)) {
          $0 | UInt32(bytes[place + (isBigEndian ? 3 - $1 : $1)]) << UInt32(8 * $1)
        }
        guard code != 0 else { break }
        text.append(Unicode.Scalar(code) ?? "\u{FFFD}")
      }
      return String(text)
    }
  }
}

extension NumPyArray {
  /// The bytes of a .npy file.
  ///
  /// - Parameters:
  ///   - type: NumPy's name of the type, such as "<f4"
  ///   - data: the elements, row-major
  static func file(type: String, shape: [Int], data: [UInt8]) -> [UInt8] {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(extents)), }"
    // The numbers begin at a multiple of 64.
    let length = (10 + header.utf8.count + 1 + 63) / 64 * 64 - 10
    header += String(repeating: " ", count: length - header.utf8.count - 1) + "\n"
    return [0x93] + Array("NUMPY".utf8)
      + [1, 0, UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8)]
      + Array(header.utf8) + data
  }
}
