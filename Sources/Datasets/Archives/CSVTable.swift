// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// Tables of labelled sequences, such as the UCI's pendigits.
///
/// A wide table has a sequence on each line: T·C numbers, step by step (x_1, y_1, x_2, y_2, ... for
/// C = 2), and the class. The class is a word, a number, or a string of zeros with a single one,
/// whose position is the class. Lines may differ in length. A long table has a time step on each
/// line (see `LongTable`).
public enum CSVTable {
  /// Reads the training and the test part. A single file is split at random.
  public static func read(
    _ paths: [String], _ format: CSVFormat
  ) throws(DatasetError) -> SequenceArchive {
    guard let first = paths.first, paths.count <= 2 else {
      throw DatasetError(
        paths.joined(separator: " "), "are \(paths.count) files",
        cure: "give one, or the training and the test file, with --from")
    }
    var files: [TableRows] = []
    for path in paths { files.append(try TableRows(path, format)) }
    if let other = files.last, let a = files[0].header, let b = other.header,
      a.map({ ExactText($0) }) != b.map({ ExactText($0) })
    {
      throw DatasetError(
        other.path, "has different columns in its header than \(first)",
        cure: "give two tables with the same columns in the same order")
    }
    if format.task != .classes { return try archive(of: files, format) }
    let naming = ClassNaming(files.flatMap(\.labels))
    var notes = files.flatMap(\.notes)
    var (train, test) = (files[0].part(naming), files[files.count - 1].part(naming))
    if files.count == 1 {
      try files[0].checkLabelsRepeat(naming)
      let split = PartSplit.split(train, testShare: format.testShare, classNames: naming.names)
      (train, test) = (split.train, split.test)
      notes += split.notes
    }
    // The model learns the classes of the training part.
    let known = Set(train.classes)
    if let missing = test.classes.first(where: { !known.contains($0) }) {
      throw DatasetError(
        paths.last!,
        "has the class \(quoted(naming.names[Int(missing)].utf8)), which the training part lacks",
        cure: "give training sequences of every class")
    }
    var archive = try SequenceArchive(
      first, features: files[0].features, classNames: naming.names, train: train, test: test)
    archive.notes = notes
    archive.hasUnknownDates = files.contains(where: \.hasUnknownDates)
    return archive
  }

  /// The archive of numbers to predict, or of classes at each step.
  private static func archive(
    of files: [TableRows], _ format: CSVFormat
  ) throws(DatasetError) -> SequenceArchive {
    guard [.values, .labels].contains(format.task) || !files[0].stepLabels.isEmpty else {
      throw DatasetError(
        files[0].path, "has a sequence on each line",
        cure: "a class at each step needs a table with a time step on each line: add --id")
    }
    let names =
      format.task == .labels
      ? files.flatMap { $0.labels.flatMap(TableRows.labelSet) }
      : files.flatMap { $0.stepLabels.joined() }
    let naming = ClassNaming(names: ClassNaming.order(Set(names.map { ExactText($0) })))
    var parts: [SequenceArchive.Part] = []
    for file in files { parts.append(try file.part(format.task, naming)) }
    if files.count == 1 {
      let split = PartSplit.split(parts[0], testShare: format.testShare)
      parts = [split.train, split.test]
    }
    var archive = try SequenceArchive(
      files[0].path, features: files[0].features, classNames: naming.names, target: format.task,
      train: parts[0], test: parts[1])
    archive.notes = files.flatMap(\.notes)
    archive.hasUnknownDates = files.contains(where: \.hasUnknownDates)
    return archive
  }
}

/// The sequences of one table.
struct TableRows {
  let path: String
  /// C, numbers per step.
  var features: Int
  /// The names of the columns, if there are any.
  var header: [String]?
  /// The names of the values of a step of a long table; nil if it has no header.
  var valueNames: [String]?
  var sequences: [[Float]] = []
  var labels: [String] = []
  /// The class of each step of each sequence, if each step has its own.
  var stepLabels: [[String]] = []
  /// The name of each sequence of a long table.
  var ids: [String] = []
  /// Which steps of the table each sequence has; empty until missing values are filled in, except
  /// in a long table.
  var steps: [SequenceSteps] = []
  /// Whether steps were ordered by dates of a form that gives no seconds.
  var hasUnknownDates = false
  /// The line where each sequence begins.
  var lines: [Int] = []
  /// Notes for the user about how the table was read.
  var notes: [String] = []
  /// Whether no label is an answer, too.
  private let mayLackLabel: Bool

  init(_ path: String, _ format: CSVFormat) throws(DatasetError) {
    self.path = path
    mayLackLabel = format.task == .labels || format.isUnlabelled
    features = format.features
    let text = try DecodedText(contentsOf: path)
    let dialect = try TableDialect(text.bytes, path: path, format)
    header = dialect.header
    var scanner = RecordScanner(text.bytes, path: path, separator: dialect.separator)
    _ = try scanner.skip(lines: dialect.headerLines)
    var reader = TableValues(path, dialect, format.missing)
    if format.id != nil || format.isOneSequence {
      try readLong(&scanner, &reader, dialect, id: format.id, format)
    } else {
      try readWide(&scanner, &reader, dialect, format)
    }
    try fillMissing(format.missing)
    let encoding = text.encoding.map { "\($0), " } ?? ""
    let comma = reader.commaLine == nil ? "" : ", decimal commas"
    notes.insert(
      "\(path): \(encoding)\(dialect.description)\(comma),"
        + " \(counted(sequences.count, "sequence"))", at: 0)
  }

  private mutating func fillMissing(_ policy: MissingValues) throws(DatasetError) {
    var filler = MissingValueFiller(policy, features: features)
    if steps.isEmpty { steps = sequences.map { _ in SequenceSteps() } }
    var kept: [Int] = []
    for index in sequences.indices {
      guard let filled = try filler.fill(sequences[index], at: "\(path):\(lines[index])") else {
        continue
      }
      sequences[index] = filled
      if let places = filler.kept {
        steps[index].keep(places)
        if !stepLabels.isEmpty { stepLabels[index] = places.map { stepLabels[index][$0] } }
      }
      kept.append(index)
    }
    if kept.count < sequences.count {
      sequences = kept.map { sequences[$0] }
      labels = kept.map { labels[$0] }
      if !stepLabels.isEmpty { stepLabels = kept.map { stepLabels[$0] } }
      if !ids.isEmpty { ids = kept.map { ids[$0] } }
      steps = kept.map { steps[$0] }
      lines = kept.map { lines[$0] }
    }
    if let note = filler.note { notes.append("\(path): \(note)") }
  }

  func error(_ line: Int, _ problem: String, cure: String) -> DatasetError {
    DatasetError("\(path):\(line)", problem, cure: cure)
  }

  /// The label of a line.
  func label(_ field: ArraySlice<UInt8>, line: Int) throws(DatasetError) -> String {
    let label = TextTable.string(field)
    guard mayLackLabel && label.isEmpty || !["", "?", "nan"].contains(label.lowercased()) else {
      throw error(
        line, label.isEmpty ? "has no class" : "has no class (\(quoted(field)))",
        cure: "fill in the class: the last field, or the first with --label-first")
    }
    // The names of classes are stored as lines.
    guard !field.contains(where: DecodedText.isLineEnd) else {
      throw error(
        line, "the class \(quoted(field)) contains a line break", cure: "rename the class")
    }
    return label
  }

  /// The labels of a field such as "dog|cat"; none of an empty one.
  static func labelSet(_ field: String) -> [String] {
    field.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
  }

  func part(_ naming: ClassNaming) -> SequenceArchive.Part {
    var part = SequenceArchive.Part()
    part.sequences = sequences
    part.classes = labels.map { naming.number(of: $0)! }
    part.steps = steps
    return part
  }

  /// Numbers to predict, or classes at each step.
  func part(
    _ task: SequenceArchive.Target, _ naming: ClassNaming
  ) throws(DatasetError) -> SequenceArchive.Part {
    var part = SequenceArchive.Part()
    (part.sequences, part.steps) = (sequences, steps)
    if task == .stepClasses {
      part.stepClasses = stepLabels.map { $0.map { naming.number(of: $0)! } }
      return part
    }
    if task == .labels {
      part.labels = labels.map { label in
        let own = Set(Self.labelSet(label).compactMap { naming.number(of: $0) })
        return naming.names.indices.map { own.contains(Int32($0)) ? 1 : 0 }
      }
      return part
    }
    for (label, line) in zip(labels, lines) {
      guard let value = Float(label), value.isFinite else {
        throw error(
          line, "\(quoted(label.utf8)) is not a number to predict",
          cure: "check --target, or leave out --task regression")
      }
      part.values.append(value)
    }
    return part
  }

  /// Refuses a table in which nearly every sequence has a class of its own: a column of values, or
  /// of line numbers, was taken for the classes.
  func checkLabelsRepeat(_ naming: ClassNaming) throws(DatasetError) {
    let distinct = Set(labels.map { naming.number(of: $0)! }).count
    guard labels.count >= 20, 10 * distinct >= 9 * labels.count else { return }
    let areNumbers = labels.allSatisfy { Double($0) != nil }
    throw DatasetError(
      path, "has \(distinct) classes for \(labels.count) sequences",
      cure: (areNumbers
        ? "add --task regression if they are numbers to predict; or "
        : "") + "select the class column with --label-first or --target")
  }
}

/// Reads the values of a table. All must use the same decimal sign.
struct TableValues {
  let path: String
  private let number: FieldNumber
  private(set) var commaLine: Int?
  private var pointLine: Int?

  init(_ path: String, _ dialect: TableDialect, _ missing: MissingValues) {
    self.path = path
    number = FieldNumber(
      allowsDecimalComma: dialect.separator != ",", missing: missing,
      cure: "check --separator; skip a header with --header-lines; choose columns with --values")
  }

  mutating func read(_ field: ArraySlice<UInt8>, line: Int) throws(DatasetError) -> Float {
    let value = try number.read(field, path: path, line: line)
    guard number.allowsDecimalComma else { return value }
    if commaLine == nil, number.hasComma(field) { commaLine = line }
    if pointLine == nil, field.contains(UInt8(ascii: ".")) { pointLine = line }
    if let commaLine, let pointLine {
      throw DatasetError(
        "\(path):\(max(commaLine, pointLine))",
        "has decimal \(commaLine > pointLine ? "commas" : "points"), unlike line"
          + " \(min(commaLine, pointLine))",
        cure: "write all numbers with decimal points")
    }
    return value
  }
}
