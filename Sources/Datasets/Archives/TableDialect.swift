// SPDX-License-Identifier: Apache-2.0

/// The detected form of a table: its separator, its header, its index column.
struct TableDialect {
  let separator: Unicode.Scalar
  /// The names of the columns; nil if there is no header, or if it does not fit.
  private(set) var header: [String]?
  /// Lines before the first record.
  private(set) var headerLines: Int
  /// Whether the first column is an index, by its name or because the user says so.
  let hasIndex: Bool

  private static let sampleCount = 50
  private static let candidates: [Unicode.Scalar] = [",", ";", "\t", "|", " "]
  /// Common names of the column of the class.
  private static let labelNames: Set<String> = [
    "label", "labels", "class", "classes", "target", "targets", "category", "classlabel",
    "class_label",
  ]
  /// Common names of a column that numbers the lines.
  private static let indexNames: Set<String> = ["", "unnamed: 0", "index", "idx", "#", "rownames"]

  init(_ bytes: [UInt8], path: String, _ format: CSVFormat) throws(DatasetError) {
    separator = format.separator ?? Self.separator(of: bytes, format)
    (header, headerLines) = (nil, format.headerLines ?? 0)
    if let lines = format.headerLines, lines > 0 {
      var scanner = RecordScanner(bytes, path: path, separator: separator)
      let names = try scanner.skip(lines: lines)?.map { TextTable.string($0) }
      let width = try scanner.next()?.fields.count
      header = names?.count == width ? names : nil
    } else if format.headerLines == nil {
      // Errors in the records are reported when they are read.
      let sample = Self.sample(bytes, separator, Self.sampleCount)
      let isNamed =
        format.id != nil || format.time != nil || format.target != nil || !format.values.isEmpty
      if let first = sample.first,
        isNamed || Self.isHeader(first, before: Array(sample.dropFirst()), separator, format)
      {
        header = first.fields.map { TextTable.string($0) }
        // R writes row names in a first column that the header does not name.
        if let width = header?.count, sample.count > 1,
          sample.dropFirst().allSatisfy({ $0.fields.count == width + 1 })
        {
          header?.insert("", at: 0)
        }
        var scanner = RecordScanner(bytes, path: path, separator: separator)
        _ = try scanner.next()
        headerLines = scanner.linesRead
      }
    }
    let isNamedIndex =
      format.id == nil && header.map { Self.indexNames.contains($0[0].lowercased()) } == true
    hasIndex = format.index == .yes || format.index == .auto && isNamedIndex
  }

  private static func sample(
    _ bytes: [UInt8], _ separator: Unicode.Scalar, _ count: Int
  ) -> [RecordScanner.Record] {
    var scanner = RecordScanner(bytes, path: "", separator: separator)
    var records: [RecordScanner.Record] = []
    while records.count < count, let record = try? scanner.next() { records.append(record) }
    return records
  }

  /// The separator that makes the most fields valid: values are numbers, and the class has no other
  /// separator. Of equally good ones, the separator that makes more fields.
  private static func separator(of bytes: [UInt8], _ format: CSVFormat) -> Unicode.Scalar {
    var best: (separator: Unicode.Scalar, share: Double, fields: Int)?
    for candidate in candidates {
      var records = sample(bytes, candidate, sampleCount)
      if records.count > 1 { records.removeFirst() }  // the first may be a header
      guard !records.isEmpty, records.allSatisfy({ $0.fields.count > 1 }) else { continue }
      let number = FieldNumber(allowsDecimalComma: candidate != ",")
      let others = candidates.filter { $0 != candidate && $0 != " " }.map { UInt8(ascii: $0) }
      var (right, fields) = (0, 0)
      for record in records {
        let (label, values) = parts(record.fields[...], format)
        fields += record.fields.count
        right += values.count { number.value($0) != nil || FieldNumber.isMissing($0) }
        if !label.contains(where: { others.contains($0) }) { right += 1 }
      }
      let share = Double(right) / Double(fields)
      if best.map({ (share, fields) > ($0.share, $0.fields) }) ?? true {
        best = (candidate, share, fields)
      }
    }
    return best?.separator ?? ","
  }

  private typealias Fields = ArraySlice<ArraySlice<UInt8>>

  /// The class and the values of a record of a wide table.
  private static func parts(
    _ fields: Fields, _ format: CSVFormat
  ) -> (label: ArraySlice<UInt8>, values: Fields) {
    format.isUnlabelled
      ? ([], fields)
      : format.labelComesFirst
        ? (fields[fields.startIndex], fields.dropFirst())
        : (fields[fields.endIndex - 1], fields.dropLast())
  }

  /// Whether a record names the columns: it has words where the following records have numbers, a
  /// word for the class that no record has as its class, or the numbers of the columns from 0.
  private static func isHeader(
    _ first: RecordScanner.Record, before others: [RecordScanner.Record],
    _ separator: Unicode.Scalar, _ format: CSVFormat
  ) -> Bool {
    // A column without a name is an index, not a class.
    let skipped = first.fields[0].isEmpty ? 1 : 0
    guard let second = others.first, first.fields.count > 1 + skipped,
      others.allSatisfy({ $0.fields.count > 1 + skipped })
    else { return false }
    let reader = FieldNumber(allowsDecimalComma: separator != ",")
    let (label, values) = parts(first.fields[skipped...], format)
    let numbers = values.compactMap(reader.value)
    if numbers.isEmpty, values.contains(where: { !FieldNumber.isMissing($0) }) {
      let below = parts(second.fields[skipped...], format).values
      return 2 * below.count { reader.value($0) != nil } >= below.count
    }
    guard
      !others.contains(where: {
        parts($0.fields[skipped...], format).label.elementsEqual(label)
      })
    else { return false }
    let all = first.fields[skipped...].map { reader.value($0) }
    let isCounting = all.count >= 4 && all == all.indices.map { Float($0) }
    return labelNames.contains(TextTable.string(label).lowercased()) || isCounting
  }

  /// The position of a column by its name.
  func column(_ name: String, _ option: String, path: String) throws(DatasetError) -> Int {
    guard let header else {
      throw DatasetError(
        path, "has no header line with a name for each column",
        cure: "--\(option) needs one: add it, or set --header-lines")
    }
    let places = header.indices.filter { ExactText(header[$0]) == ExactText(name) }
    guard let place = places.first, places.count == 1 else {
      let known = header.prefix(12).map { quoted($0.utf8) }.joined(separator: ", ")
      throw DatasetError(
        path, "has \(places.count) columns called \(quoted(name.utf8))",
        cure: "--\(option) names one of \(known)\(header.count > 12 ? ", ..." : "")")
    }
    return place
  }

  /// A short description of the detected form.
  var description: String {
    let names: [Unicode.Scalar: String] = ["\t": "tab", " ": "blanks"]
    var words = ["separator \(names[separator] ?? "\"\(separator)\"")"]
    if let header {
      let shown = header.prefix(5).map { quoted($0.utf8) }.joined(separator: ", ")
      words.append("header \(shown)\(header.count > 5 ? ", ... (\(header.count) columns)" : "")")
    } else {
      words.append(headerLines > 0 ? "\(headerLines) lines skipped" : "no header")
    }
    if hasIndex { words.append("the first column is an index and left out") }
    return words.joined(separator: ", ")
  }
}

extension RecordScanner {
  /// The lines of the records read so far, blank ones among them.
  var linesRead: Int { lineNumber - 1 }
}
