// SPDX-License-Identifier: Apache-2.0

/// How the numbers of a text are read.
struct FieldNumber {
  /// Whether a comma may be the decimal sign, which it may unless it separates fields.
  var allowsDecimalComma = false
  /// How missing values are treated. All choices but `refuse` read them as NaN and fill them in
  /// later.
  var missing = MissingValues.refuse
  /// What to do about a field that is not a number.
  var cure = "check the format, see prepare --help"

  /// The words for a missing value, in any letter case.
  private static let missingWords: Set<String> = [
    "", "?", "nan", "-nan", "na", "n/a", "null", "none",
  ]

  static func isMissing(_ field: ArraySlice<UInt8>) -> Bool {
    field.count <= 4 && missingWords.contains(TextTable.string(field).lowercased())
  }

  /// The number in a field; nil if it is not a number.
  func value(_ field: ArraySlice<UInt8>) -> Float? {
    guard let value = Float(TextTable.string(field)) ?? withComma(field) else { return nil }
    return value.isFinite ? value : nil
  }

  /// Whether a field is a number with a decimal comma.
  func hasComma(_ field: ArraySlice<UInt8>) -> Bool {
    allowsDecimalComma && field.contains(UInt8(ascii: ","))
  }

  private func withComma(_ field: ArraySlice<UInt8>) -> Float? {
    guard hasComma(field), !field.contains(UInt8(ascii: ".")) else { return nil }
    return Float(TextTable.string(ArraySlice(field.map { $0 == 0x2c ? 0x2e : $0 })))
  }

  /// The number in a field, which must be finite; NaN for a missing one that is filled in later.
  func read(_ field: ArraySlice<UInt8>, path: String, line: Int) throws(DatasetError) -> Float {
    if let value = value(field) { return value }
    guard Self.isMissing(field) else {
      throw DatasetError(
        "\(path):\(line)", "\(quoted(field)) is not a number", cure: cure)
    }
    guard missing == .refuse else { return .nan }
    throw DatasetError(
      "\(path):\(line)", "has a missing value (\(quoted(field)))",
      cure: "fill it in, leave the sequence out, or choose --missing zero, carry or drop")
  }
}

/// A field as a message shows it: in quotes, on one line, and shortened if it is long.
func quoted(_ field: some Sequence<UInt8>) -> String {
  let text = String(decoding: Array(field.prefix(80)), as: UTF8.self)
  let line = text.prefix(40).map { $0.isNewline ? " " : $0 }
  return "\"\(String(line))\""
}
