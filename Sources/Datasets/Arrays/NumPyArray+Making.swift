// SPDX-License-Identifier: Apache-2.0

extension NumPyArray {
  /// The bytes of a .npy file of texts.
  static func file(_ texts: [String]) -> [UInt8] {
    let width = max(texts.map(\.unicodeScalars.count).max() ?? 1, 1)
    var data: [UInt8] = []
    data.reserveCapacity(4 * width * texts.count)
    for text in texts {
      let scalars = text.unicodeScalars.map(\.value)
      for place in 0..<width {
        NumPyArchiveWriter.append(UInt64(place < scalars.count ? scalars[place] : 0), 4, to: &data)
      }
    }
    return file(type: "<U\(width)", shape: [texts.count], data: data)
  }

  /// An array of texts.
  init(_ texts: [String], path: String) throws(DatasetError) {
    try self.init(Self.file(texts)[...], path: path)
  }

  /// An array of numbers, row-major, which an element's bits, low byte first, follow from.
  ///
  /// - Parameter type: NumPy's name of the type, "<f4", of 4 or 8 bytes
  init<Number>(
    _ numbers: [Number], shape: [Int], type: String, path: String, bits: (Number) -> UInt64
  ) throws(DatasetError) {
    let size = type.hasSuffix("4") ? 4 : 8
    var data: [UInt8] = []
    data.reserveCapacity(size * numbers.count)
    for number in numbers { NumPyArchiveWriter.append(bits(number), size, to: &data) }
    try self.init(Self.file(type: type, shape: shape, data: data)[...], path: path)
  }

  /// An array of doubles, row-major.
  init(_ doubles: [Double], shape: [Int], path: String) throws(DatasetError) {
    try self.init(doubles, shape: shape, type: "<f8", path: path, bits: \.bitPattern)
  }

  /// An array of floats, row-major.
  init(_ floats: [Float], shape: [Int], path: String) throws(DatasetError) {
    try self.init(floats, shape: shape, type: "<f4", path: path) { UInt64($0.bitPattern) }
  }

  /// An array of whole numbers, row-major.
  init(_ whole: [Int64], shape: [Int], path: String) throws(DatasetError) {
    try self.init(whole, shape: shape, type: "<i8", path: path) { UInt64(bitPattern: $0) }
  }
}
