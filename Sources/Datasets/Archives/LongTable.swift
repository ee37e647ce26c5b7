// SPDX-License-Identifier: Apache-2.0

/// A table with a time step on each line. One column names the sequence, one has the time, one or
/// more have the values, and one has the class, which is the same on all lines of a sequence.
enum LongTable {
  /// The lines of one sequence, in the order of the file.
  struct Sequence {
    var id: String
    var label: String
    var line: Int
    var times: [ArraySlice<UInt8>] = []
    var timeLines: [Int] = []
    /// [T, C]
    var values: [Float] = []
    /// The class of each step, if each has its own.
    var stepLabels: [String] = []
  }

  /// Sorts the steps of a sequence by time. Times are numbers, or dates that begin with the year,
  /// or times of day: these sort by their letters.
  ///
  /// - Returns: the positions of the steps in that order, and their times: numbers as they are,
  ///   dates in seconds since the first; nil if seconds cannot be computed from the dates
  /// - Throws: if times are neither numbers nor dates, or two are equal
  static func order(
    _ sequence: Sequence, path: String
  ) throws(DatasetError) -> (places: [Int], times: [Double]?) {
    let numbers = sequence.times.map { Double(TextTable.string($0)) ?? .nan }
    let places: [Int]
    if numbers.allSatisfy(\.isFinite) {
      places = numbers.indices.sorted { (numbers[$0], $0) < (numbers[$1], $1) }
    } else {
      let shape = sequence.times.first.flatMap { dateShape($0) }
      let odd =
        shape == nil
        ? numbers.firstIndex { !$0.isFinite }
        : sequence.times.firstIndex { dateShape($0) != shape }
      if let odd {
        throw DatasetError(
          "\(path):\(sequence.timeLines[odd])",
          "\(quoted(sequence.times[odd])) is not a sortable time",
          cure: "write times as numbers, or as dates like 2024-05-31 12:00:00 in one time zone")
      }
      places = sequence.times.indices.sorted {
        sequence.times[$0].lexicographicallyPrecedes(sequence.times[$1])
      }
    }
    for (a, b) in zip(places, places.dropFirst())
    where sequence.times[a].elementsEqual(sequence.times[b])
      || numbers[a].isFinite && numbers[a] == numbers[b]
    {
      throw DatasetError(
        "\(path):\(sequence.timeLines[b])",
        "has the time \(quoted(sequence.times[b])) of line \(sequence.timeLines[a]), in the same"
          + " sequence \(quoted(sequence.id.utf8))",
        cure: "remove one of the two lines, or check --id and --time")
    }
    if numbers.allSatisfy(\.isFinite) { return (places, places.map { numbers[$0] }) }
    let seconds = places.compactMap { DateTime.seconds(sequence.times[$0]) }
    return (places, seconds.count == places.count ? seconds.map { $0 - seconds[0] } : nil)
  }

  /// What dates must have in common to sort by their letters: everything but their digits, and the
  /// time zone. Nil if such dates do not sort by their letters, for example because the day comes
  /// first.
  private static func dateShape(_ time: ArraySlice<UInt8>) -> [UInt8]? {
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    let leading = time.prefix(while: isDigit).count
    let next = time.dropFirst(leading).first
    guard leading == 4 && next != nil || leading == 2 && next == UInt8(ascii: ":") else {
      return nil
    }
    // A time zone is a sign, hours and minutes after the time of day: +02:00.
    let end = time.suffix(6)
    let hasZone =
      time.count > 16 && end.count { $0 == UInt8(ascii: ":") } == 1
      && [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(end.first!)
    let zone = hasZone ? end : []
    return time.dropLast(zone.count).map { isDigit($0) ? 0x30 : $0 } + zone
  }

  /// Whether a field is a date or a time of a day that sorts by its letters, and not a number.
  static func isDate(_ field: ArraySlice<UInt8>) -> Bool {
    guard Double(TextTable.string(field)) == nil, dateShape(field) != nil else { return false }
    return field.contains(UInt8(ascii: "-")) || field.contains(UInt8(ascii: ":"))
      || field.contains(UInt8(ascii: "/"))
  }

  /// Whether sorted times are equally spaced, as far as is known. Months, quarters and years of the
  /// calendar are.
  static func isEqual(_ times: [Double]?) -> Bool {
    guard let times, times.count > 2 else { return true }
    let step = (times[times.count - 1] - times[0]) / Double(times.count - 1)
    let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
    return gaps.allSatisfy { abs($0 - step) <= 1e-3 * step }
      || [28.0...31, 90...92, 365...366].contains { days in
        gaps.allSatisfy { days.contains($0 / 86400) }
      }
  }
}

extension TableRows {
  /// Reads a table with a time step on each line.
  mutating func readLong(
    _ scanner: inout RecordScanner, _ reader: inout TableValues, _ dialect: TableDialect,
    id: String?, _ format: CSVFormat
  ) throws(DatasetError) {
    var start = scanner
    let first = try start.next()?.fields ?? []
    let columns = try LongColumns(dialect, id: id, format, first: first, path: path)
    features = columns.values.count
    if let header {
      valueNames = columns.values.map { header[$0] }
      if let found = columns.foundTime {
        notes.append("\(path): the column \(quoted(header[found].utf8)) orders the steps (--time)")
      }
    }
    var found: [LongTable.Sequence] = []
    var places: [ExactText: Int] = [:]
    while let record = try scanner.next() {
      let (fields, line) = (record.fields, record.line)
      guard fields.count == columns.count else {
        throw error(
          line, "has \(fields.count) fields, but the header has \(columns.count)",
          cure: "fill in the missing fields, or set --separator")
      }
      var label = ""
      if let target = columns.target { label = try self.label(fields[target], line: line) }
      let id = columns.id.map { TextTable.string(fields[$0]) } ?? ""
      let place = places[ExactText(id)] ?? found.count
      if place == found.count {
        places[ExactText(id)] = place
        found.append(LongTable.Sequence(id: id, label: label, line: line))
      }
      if format.task == .stepClasses {
        found[place].stepLabels.append(label)
        found[place].label = label
      }
      guard ExactText(found[place].label) == ExactText(label) else {
        throw error(
          line,
          "has the class \(quoted(label.utf8)), but line \(found[place].line) of the same"
            + " sequence \(quoted(id.utf8)) has \(quoted(found[place].label.utf8))",
          cure:
            "a sequence must have one class: check --id and --target, or add --task tagging for a"
            + " class at each step")
      }
      if let time = columns.time {
        found[place].times.append(fields[time])
        found[place].timeLines.append(line)
      }
      for column in columns.values {
        found[place].values.append(try reader.read(fields[column], line: line))
      }
    }
    try take(found, isOrdered: columns.time == nil)
  }

  private mutating func take(
    _ found: [LongTable.Sequence], isOrdered: Bool
  ) throws(DatasetError) {
    var unequal = 0
    for sequence in found {
      var values = sequence.values
      var labels = sequence.stepLabels
      if !isOrdered {
        let (places, times) = try LongTable.order(sequence, path: path)
        values = places.flatMap { sequence.values[$0 * features..<($0 + 1) * features] }
        if !labels.isEmpty { labels = places.map { sequence.stepLabels[$0] } }
        if !LongTable.isEqual(times) { unequal += 1 }
        if times == nil { hasUnknownDates = true }
        steps.append(SequenceSteps(stamps: times))
      }
      sequences.append(values)
      if !labels.isEmpty { stepLabels.append(labels) }
      self.labels.append(sequence.label)
      ids.append(sequence.id)
      lines.append(sequence.line)
    }
    if unequal > 0 {
      let place = sequences.count == 1 ? "" : "in \(unequal) of \(sequences.count) sequences, "
      notes.append("\(path): \(place)the times are not equally spaced; each line is one step")
    }
  }
}

/// The columns of a long table by their roles.
private struct LongColumns {
  /// Nil if all lines are one sequence.
  let id: Int?
  let time: Int?
  /// The same where no name was given and the column holds dates.
  let foundTime: Int?
  /// Nil if the sequences have no class.
  let target: Int?
  let values: [Int]
  /// The number of columns.
  let count: Int

  /// - Parameter first: the fields of the first line below the header
  init(
    _ dialect: TableDialect, id: String?, _ format: CSVFormat, first: [ArraySlice<UInt8>],
    path: String
  ) throws(DatasetError) {
    func column(_ name: String?, _ option: String) throws(DatasetError) -> Int? {
      guard let name else { return nil }
      return try dialect.column(name, option, path: path)
    }
    self.id = try column(id, "id")
    guard format.target != nil || format.isUnlabelled else {
      throw DatasetError(
        path, "is read by --id", cure: "name the column of the class with --target")
    }
    target = try column(format.target, "target")
    var values: [Int] = []
    for name in format.values { values.append(try dialect.column(name, "values", path: path)) }
    count = dialect.header?.count ?? first.count
    let (ownID, ownTarget) = (self.id, target)
    let dates = first.indices.filter {
      $0 != ownID && $0 != ownTarget && !values.contains($0) && LongTable.isDate(first[$0])
    }
    let isFound =
      format.time == nil && format.values.isEmpty && dates.count == 1
      && dialect.header?.count == first.count
    foundTime = isFound ? dates[0] : nil
    time = try column(format.time, "time") ?? foundTime
    let used = [self.id, target, time]
    self.values =
      values.isEmpty
      ? (0..<count).filter { !used.contains($0) && !($0 == 0 && dialect.hasIndex) } : values
    guard !self.values.isEmpty else {
      throw DatasetError(
        path, "has no column left for values", cure: "name them with --values")
    }
  }
}
