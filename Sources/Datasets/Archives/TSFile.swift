// SPDX-License-Identifier: Apache-2.0

/// One file of a .ts archive.
struct TSFile {
  let table: TextTable
  private(set) var features = 0
  /// The classes that the header names; nil if it does not name them.
  private(set) var classNames: [String]?
  private(set) var sequences: [[Float]] = []
  private(set) var labels: [String] = []
  /// Notes for the user about how the file was read.
  private(set) var notes: [String] = []
  private var places: [Int] = []
  /// The number of each sequence in the file, from 0; nil if none is left out.
  private(set) var rows: [Int]?
  private(set) var steps: [SequenceSteps] = []
  /// Whether time stamps were dates of a form that gives no seconds.
  private(set) var hasUnknownDates = false
  private let number: FieldNumber
  /// Whether classes are ignored.
  private let isUnlabelled: Bool
  /// Whether each line ends with a class or a number to predict.
  private var hasTarget = true
  /// Whether each line ends with a number to predict.
  private(set) var isRegression = false
  /// What the header says about the sequences, by key: a number, true or false.
  private var declared: [(key: String, value: String)] = []
  /// The numbers of sequences with time stamps, and of those whose times are not equally spaced.
  private var (stamped, unequal) = (0, 0)

  /// - Parameter isUnlabelled: whether classes are ignored, and skipped if there are any
  init(
    _ path: String, _ missing: MissingValues, isUnlabelled: Bool = false
  ) throws(DatasetError) {
    self.isUnlabelled = isUnlabelled
    table = try TextTable(path)
    number = FieldNumber(missing: missing)
    var isInData = false
    for (number, line) in table.lines
    where line.first != UInt8(ascii: "#") && line.first != UInt8(ascii: "%") {
      if isInData {
        try addSequence(line, number)
      } else if line.first == UInt8(ascii: "@") {
        isInData = try readHeader(TextTable.string(line), number)
      } else {
        throw table.error(
          number, "a line of data before @data", cure: "it is not a .ts archive, or it is damaged")
      }
    }
    guard isInData else {
      throw DatasetError(
        path, "has no @data line", cure: "it is not a .ts archive, or it is cut short")
    }
    noteDifferences()
    try fillMissing()
    if unequal > 0 {
      notes.append(
        "\(path): the times of \(unequal) of \(stamped) sequences with time stamps are not equally"
          + " spaced; each time is one step")
    }
  }

  /// - Returns: whether the data begin after this line
  private mutating func readHeader(_ line: String, _ number: Int) throws(DatasetError) -> Bool {
    let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
    let isTrue = words.count > 1 && words[1].lowercased() == "true"
    switch words[0].lowercased() {
    case "@data": return true
    case "@targetlabel" where isUnlabelled: hasTarget = isTrue
    case "@classlabel" where isUnlabelled: hasTarget = isTrue
    case "@targetlabel" where isTrue: isRegression = true
    case "@classlabel":
      guard isTrue else {
        throw table.error(
          number, "its sequences have no class", cure: "give an archive with @classLabel true")
      }
      classNames = words.count > 2 ? Array(words[2...]) : nil
    default:
      if words.count > 1 { declared.append((words[0].lowercased(), words[1].lowercased())) }
    }
    return false
  }

  /// Notes where the header differs from the sequences. The sequences decide.
  private mutating func noteDifferences() {
    let lengths = Set(sequences.map { $0.count / features })
    let found: [String: String] = [
      "@dimension": "\(features)", "@dimensions": "\(features)",
      "@univariate": "\(features == 1)", "@equallength": "\(lengths.count == 1)",
      "@missing": "\(sequences.contains { $0.contains(where: \.isNaN) })",
    ]
    for (key, value) in declared {
      let truth =
        key == "@serieslength" && lengths.count == 1 ? "\(lengths.first!)" : found[key] ?? value
      if truth != value, !sequences.isEmpty {
        notes.append("\(table.path): the header has \(key) \(value), the sequences \(truth)")
      }
    }
  }

  private mutating func addSequence(
    _ line: ArraySlice<UInt8>, _ number: Int
  ) throws(DatasetError) {
    let series = TextTable.fields(line, separator: ":")
    let C = series.count - (hasTarget ? 1 : 0)
    guard C >= 1, features == 0 || C == features else {
      throw table.error(
        number,
        "has \(max(C, 0)) dimensions\(features > 0 ? ", but earlier lines have \(features)" : "")",
        cure: "each line is DIMENSION:...:DIMENSION:CLASS; the file may be damaged")
    }
    features = C
    let (columns, stamps) =
      series.prefix(C).contains { $0.first == UInt8(ascii: "(") }
      ? try stampedColumns(series.prefix(C), number)
      : (try plainColumns(series.prefix(C), number), nil)
    let T = columns[0].count
    if let odd = columns.firstIndex(where: { $0.count != T }) {
      throw table.error(
        number, "dimension \(odd + 1) has \(columns[odd].count) values, but the first has \(T)",
        cure: "all dimensions of a sequence must have the same length")
    }
    sequences.append((0..<T * C).map { columns[$0 % C][$0 / C] })
    labels.append(hasTarget ? TextTable.string(series[C]) : "")
    places.append(number)
    steps.append(SequenceSteps(stamps: stamps))
  }

  private func plainColumns(
    _ series: ArraySlice<ArraySlice<UInt8>>, _ line: Int
  ) throws(DatasetError) -> [[Float]] {
    var columns: [[Float]] = []
    for field in series {
      var column: [Float] = []
      for value in TextTable.fields(field, separator: ",") {
        column.append(try number.read(value, path: table.path, line: line))
      }
      columns.append(column)
    }
    return columns
  }

  /// Values of the form (TIME,VALUE), put in the order of time, with the times if they are known. A
  /// feature has NaN at the times at which it has no value.
  private mutating func stampedColumns(
    _ series: ArraySlice<ArraySlice<UInt8>>, _ line: Int
  ) throws(DatasetError) -> (columns: [[Float]], times: [Double]?) {
    var steps = LongTable.Sequence(id: "line \(line)", label: "", line: line)
    var places: [ExactText: Int] = [:]
    var columns: [[Int: Float]] = []
    for (dimension, field) in series.enumerated() {
      var column: [Int: Float] = [:]
      for pair in TextTable.fields(field, separator: ",") where !pair.isEmpty {
        let (time, value) = try stampedValue(pair, line)
        let key = ExactText(TextTable.string(time))
        let place = places[key] ?? steps.times.count
        if place == steps.times.count {
          places[key] = place
          steps.times.append(time)
          steps.timeLines.append(line)
        }
        guard column[place] == nil else {
          throw table.error(
            line, "dimension \(dimension + 1) has the time \(quoted(time)) twice",
            cure: "remove one of the two values")
        }
        column[place] = value
      }
      columns.append(column)
    }
    let (order, times) = try LongTable.order(steps, path: table.path)
    stamped += 1
    if !LongTable.isEqual(times) { unequal += 1 }
    if times == nil { hasUnknownDates = true }
    let values = try columns.enumerated().map { (dimension, column) throws(DatasetError) in
      try order.map { (place) throws(DatasetError) in
        if let value = column[place] { return value }
        guard number.missing == .refuse else { return .nan }
        throw table.error(
          line, "dimension \(dimension + 1) has no value at the time \(quoted(steps.times[place]))",
          cure: "fill it in, leave the sequence out, or choose --missing zero, carry or drop")
      }
    }
    return (values, times)
  }

  private func stampedValue(
    _ pair: ArraySlice<UInt8>, _ line: Int
  ) throws(DatasetError) -> (time: ArraySlice<UInt8>, value: Float) {
    let inner = pair.dropFirst().dropLast()
    guard pair.first == UInt8(ascii: "("), pair.last == UInt8(ascii: ")"),
      let comma = inner.lastIndex(of: UInt8(ascii: ","))
    else {
      throw table.error(
        line, "\(quoted(pair)) is not a value with its time",
        cure: "write every value of a sequence with time stamps as (TIME,VALUE)")
    }
    let value = TextTable.trim(inner[(comma + 1)...])
    return (
      TextTable.trim(inner[..<comma]),
      try number.read(value, path: table.path, line: line)
    )
  }

  private mutating func fillMissing() throws(DatasetError) {
    var filler = MissingValueFiller(number.missing, features: max(features, 1))
    var kept: [Int] = []
    for index in sequences.indices {
      let place = "\(table.path):\(places[index])"
      guard let filled = try filler.fill(sequences[index], at: place) else { continue }
      sequences[index] = filled
      if let places = filler.kept { steps[index].keep(places) }
      kept.append(index)
    }
    if kept.count < sequences.count {
      rows = kept
      sequences = kept.map { sequences[$0] }
      labels = kept.map { labels[$0] }
      steps = kept.map { steps[$0] }
      places = kept.map { places[$0] }
    }
    if let note = filler.note { notes.append("\(table.path): \(note)") }
  }

  func part(_ naming: ClassNaming) throws(DatasetError) -> SequenceArchive.Part {
    var part = SequenceArchive.Part()
    (part.sequences, part.steps) = (sequences, steps)
    if isRegression {
      for (label, place) in zip(labels, places) {
        guard let value = Float(label), value.isFinite else {
          throw table.error(
            place, "\(quoted(label.utf8)) is not a number to predict",
            cure: "fix it, or leave the sequence out")
        }
        part.values.append(value)
      }
      return part
    }
    for (label, place) in zip(labels, places) {
      guard let number = naming.number(of: label) else {
        throw table.error(
          place,
          "the class \(quoted(label.utf8)) is not one of"
            + " \(naming.names.prefix(20).joined(separator: " "))",
          cure: "fix the label, or the @classLabel line of the training file")
      }
      part.classes.append(number)
    }
    return part
  }
}
