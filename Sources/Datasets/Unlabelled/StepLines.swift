// SPDX-License-Identifier: Apache-2.0

/// The steps of one sequence that arrives step by step, as lines of C numbers.
///
/// Numbers are separated by commas, semicolons, tabs or spaces. A first line without any number,
/// such as column names, is skipped, and so are empty lines.
public struct StepLines {
  /// The origin of the lines, for messages.
  public let path: String
  /// C.
  public let features: Int
  private var line = 0
  private var hasSteps = false

  public init(_ path: String, features: Int) {
    (self.path, self.features) = (path, features)
  }

  /// The numbers of the next step, [C]; nil at the end.
  ///
  /// - Parameter read: the next line; nil at the end
  /// - Throws: `DatasetError` with the number of a line that is not C finite numbers
  public mutating func next(_ read: () -> String?) throws(DatasetError) -> [Float]? {
    while let text = read() {
      line += 1
      let fields = Self.fields(Array(text.utf8))
      guard !fields.isEmpty else { continue }
      let reader = FieldNumber(
        allowsDecimalComma: text.utf8.contains(UInt8(ascii: ";")),
        cure: "give \(features) numbers on each line")
      if !hasSteps, fields.allSatisfy({ reader.value($0) == nil && !FieldNumber.isMissing($0) }) {
        hasSteps = true
        continue
      }
      hasSteps = true
      guard fields.count == features else {
        throw DatasetError(
          "\(path):\(line)", "has \(fields.count) numbers, but the run learned from \(features)",
          cure: "give \(features) numbers on each line, in the order of the training")
      }
      var values: [Float] = []
      for field in fields {
        if FieldNumber.isMissing(field) {
          throw DatasetError(
            "\(path):\(line)", "has a missing value (\(quoted(field)))",
            cure: "fill it in: a stream cannot leave out a step")
        }
        values.append(try reader.read(field, path: path, line: line))
      }
      return values
    }
    return nil
  }

  private static func fields(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
    let marks: [UInt8] = [0x3b, 0x09, 0x2c]  // ; tab ,
    guard let mark = marks.first(where: bytes.contains) else {
      return bytes.split(whereSeparator: isSpace)
    }
    return bytes.split(separator: mark, omittingEmptySubsequences: false).map { field in
      var field = field.drop(while: isSpace)
      while let last = field.last, isSpace(last) { field.removeLast() }
      return field
    }
  }
}
