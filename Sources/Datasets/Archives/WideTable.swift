// SPDX-License-Identifier: Apache-2.0

import Files

extension TableRows {
  /// Reads a table with a sequence on each line.
  mutating func readWide(
    _ scanner: inout RecordScanner, _ reader: inout TableValues, _ dialect: TableDialect,
    _ format: CSVFormat
  ) throws(DatasetError) {
    let target: Int?
    if let name = format.target {
      target = try dialect.column(name, "target", path: path)
    } else {
      target = nil
    }
    var columns: [Int] = []
    for name in format.values {
      columns.append(try dialect.column(name, "values", path: path))
    }
    var index = IndexCheck()
    while let record = try scanner.next() {
      let line = record.line
      var fields = record.fields[...]
      if fields.count == 1, target == nil, !format.isUnlabelled {
        throw error(
          line, "has one field, \(quoted(fields[0]))",
          cure: "a line is a sequence and its class: set --separator")
      }
      let labelPlace =
        format.isUnlabelled && target == nil
        ? 0 : target ?? (format.labelComesFirst ? (dialect.hasIndex ? 1 : 0) : fields.count - 1)
      guard labelPlace < fields.count, columns.allSatisfy({ $0 < fields.count }) else {
        throw error(
          line, "has \(fields.count) fields, fewer than the header", cure: "fill in what is missing"
        )
      }
      let isLabelled = !format.isUnlabelled || target != nil
      let label = isLabelled ? fields[labelPlace] : nil
      if dialect.hasIndex {
        index.addNamed(fields[0])
      } else {
        index.add(fields[0])
      }
      if columns.isEmpty {
        if isLabelled { fields.remove(at: labelPlace) }
        if dialect.hasIndex { fields.removeFirst() }
      } else {
        fields = columns.map { fields[$0] }[...]
      }
      if sequences.isEmpty { try refuseLongTable(record.fields, fields, line, format) }
      try addSequence(fields, label, line, &reader)
    }
    try check(index, dialect, format)
    try noteLengths()
  }

  /// Refuses a table with a column of words or dates besides that of the class: it has a time step
  /// on each line.
  private func refuseLongTable(
    _ all: [ArraySlice<UInt8>], _ values: ArraySlice<ArraySlice<UInt8>>, _ line: Int,
    _ format: CSVFormat
  ) throws(DatasetError) {
    guard let header, header.count == all.count, format.values.isEmpty,
      let word = values.first(where: { Float(TextTable.string($0)) == nil && Self.isWord($0) }),
      let place = all.firstIndex(where: { $0.startIndex == word.startIndex })
    else { return }
    let name = header[place]
    let isDate = LongTable.isDate(word)
    let times = ["time", "date", "timestamp", "datetime", "step", "t"]
    let time = isDate ? name : header.first { times.contains($0.lowercased()) }
    var options = [isDate ? "--id NAME" : "--id \(name)"]
    if let time { options.append("--time \(time)") }
    options.append("--target \(isDate || place == header.count - 1 ? "NAME" : header.last!)")
    throw error(
      line, "\(quoted(word)) in the column \(quoted(name.utf8)) is not a number",
      cure: "with a time step on each line, add \(options.joined(separator: " "))"
        + (isDate ? ", or forecast it with `momentum-dist prepare series`" : "")
        + "; or choose columns with --values")
  }

  private static func isWord(_ field: ArraySlice<UInt8>) -> Bool {
    !FieldNumber.isMissing(field)
      && (LongTable.isDate(field)
        || field.first.map { $0 >= 0x80 || Character(Unicode.Scalar($0)).isLetter } == true)
  }

  private mutating func addSequence(
    _ fields: ArraySlice<ArraySlice<UInt8>>, _ label: ArraySlice<UInt8>?, _ line: Int,
    _ reader: inout TableValues
  ) throws(DatasetError) {
    let label = try label.map { (label) throws(DatasetError) in try self.label(label, line: line) }
    guard !fields.isEmpty, fields.count % features == 0 else {
      throw error(
        line,
        "has \(fields.count) numbers\(label == nil ? "" : " besides the class"), with \(features)"
          + " per step",
        cure: "set --features to the numbers per time step, or --separator")
    }
    var sequence: [Float] = []
    sequence.reserveCapacity(fields.count)
    for field in fields { sequence.append(try reader.read(field, line: line)) }
    sequences.append(sequence)
    labels.append(label ?? "")
    lines.append(line)
  }

  /// Refuses a first column that numbers the lines. It would be one more value of every sequence,
  /// or its class.
  private func check(
    _ index: IndexCheck, _ dialect: TableDialect, _ format: CSVFormat
  ) throws(DatasetError) {
    if dialect.hasIndex, format.index == .auto, !index.isDistinct {
      throw DatasetError(
        path,
        "its first column is called \(quoted(header![0].utf8)), but it is not an index: its values repeat",
        cure: "set --index yes to leave it out, or --index no to read it")
    }
    let isRead = format.values.isEmpty && !dialect.hasIndex
    guard isRead, format.index == .auto, index.isCounting,
      format.labelComesFirst || (sequences.first?.count ?? 0) > features
    else { return }
    throw DatasetError(
      path, "its first column counts the lines",
      cure: "set --index yes to leave it out, or --index no to read it")
  }

  /// Notes the lines that are shorter than nearly all others, and refuses one whose class also
  /// differs in kind. There the class is missing, and the last value was taken for it.
  private mutating func noteLengths() throws(DatasetError) {
    let counts = Dictionary(grouping: sequences.indices) { sequences[$0].count }
    guard counts.count > 1,
      let usual = counts.max(by: { ($0.value.count, $0.key) < ($1.value.count, $1.key) })
    else { return }
    let odd = sequences.indices.filter { sequences[$0].count != usual.key }
    let words = Set(usual.value.map { ExactText(labels[$0]) })
    if words.allSatisfy({ Double($0.text) == nil }),
      let wrong = odd.first(where: { Double(labels[$0]) != nil })
    {
      throw error(
        lines[wrong],
        "differs in length from most lines, and its class \(labels[wrong]) is a number",
        cure: "write the class if it is missing, or leave the line out")
    }
    guard 20 * usual.value.count >= 19 * sequences.count else { return }
    let places = odd.prefix(5).map { "\(lines[$0])" }.joined(separator: ", ")
    notes.append(
      "\(path): \(counted(odd.count, "sequence")) \(odd.count == 1 ? "does" : "do") not have"
        + " \(usual.key / features) steps as the others do: line \(places)\(odd.count > 5 ? ", ..." : "")"
    )
  }
}

/// Whether the first field of each line is the line's number.
private struct IndexCheck {
  private var start: Int?
  private var next: Int?
  private var count = 0
  private var seen: Set<ExactText> = []
  private var isBroken = false
  /// Whether no value occurs twice.
  private(set) var isDistinct = true

  /// Whether the values are 0, 1, 2, ... or 1, 2, 3, ...
  var isCounting: Bool { !isBroken && count >= 5 }

  mutating func addNamed(_ field: ArraySlice<UInt8>) {
    if !seen.insert(ExactText(TextTable.string(field))).inserted { isDistinct = false }
  }

  mutating func add(_ field: ArraySlice<UInt8>) {
    guard !isBroken else { return }
    count += 1
    let value = Int(TextTable.string(field))
    if let next {
      isBroken = value != next
    } else {
      isBroken = value != 0 && value != 1
    }
    next = value.map { $0 + 1 }
  }
}
