// SPDX-License-Identifier: Apache-2.0

import Tensors

/// Sequences without targets from a file of text or arrays, entirely in memory.
public struct UnlabelledSequences: Sendable {
  /// The origin of the sequences, for messages.
  public let path: String
  /// C, numbers per step.
  public var features: Int
  /// The steps of all sequences, one after the other, [F, C].
  public var values: [Float]
  /// T of each.
  public var lengths: [Int]
  /// The time of each step, [F]; nil if unknown.
  public var times: [Double]?
  /// The name of each sequence; nil if the file has none.
  public var names: [String]?
  /// The names of the values of a step; nil if the file has none.
  public var valueNames: [String]?
  /// The row of the file of each sequence, from 0; nil if each row is one.
  public var rows: [Int]?
  /// Whether the file stores whole numbers, as for images.
  public var areWhole = false
  /// Whether the whole numbers have 8 bits.
  public var areBytes = false
  /// The shape [Y, X, C] if each sequence is an image.
  public var map: [Int]?
  /// Notes for the user about how the file was read, one per line.
  public var notes: [String] = []

  init(_ path: String, features: Int, values: [Float], lengths: [Int]) {
    self.path = path
    self.features = features
    self.values = values
    self.lengths = lengths
  }
}

/// How the sequences of a file are read, and for which model.
public struct UnlabelledFormat: Sendable {
  /// The name of the inputs in an archive of arrays; nil finds it.
  public var inputs: String?
  /// How a table is read; see `CSVFormat`.
  public var table = CSVFormat()
  /// C of the model; nil if unknown.
  public var features: Int?
  /// T of the sequences that the model learned from; nil if lengths differed, or if unknown.
  public var steps: Int?
  /// Whether each sequence is an image.
  public var isImage = false
  /// Whether the model reads each image or sequence as single numbers.
  public var isFlat = false

  public init() {}
}

extension UnlabelledSequences {
  /// Whether a file is read by `init(_:_:)`, by its name; any other is HDF5.
  public static func reads(_ path: String) -> Bool { Form(path) != nil }

  private enum Form {
    case numPy, table, series

    init?(_ path: String) {
      var name = path.lowercased()
      if name.hasSuffix(".gz") { name.removeLast(3) }
      if [".npy", ".npz", ".mat"].contains(where: name.hasSuffix) {
        self = .numPy
      } else if name.hasSuffix(".ts") {
        self = .series
      } else if [".csv", ".tsv", ".txt", ".tra", ".tes", ".dat"].contains(where: name.hasSuffix) {
        self = .table
      } else {
        return nil
      }
    }
  }

  /// Reads a file: .npy, .npz, .mat, .ts, or a table such as .csv, the last two plain or gzipped.
  public init(_ path: String, _ format: UnlabelledFormat) throws(DatasetError) {
    switch Form(path) {
    case .numPy: self = try Self.arrays(path, format)
    case .series: self = try Self.series(path, format)
    default: self = try Self.table(path, format)
    }
    guard !lengths.isEmpty else {
      throw DatasetError(path, "has no sequences", cure: "give a file that holds at least one")
    }
  }

  private static func series(
    _ path: String, _ format: UnlabelledFormat
  ) throws(DatasetError) -> UnlabelledSequences {
    let file = try TSFile(path, format.table.missing, isUnlabelled: true)
    var sequences = UnlabelledSequences(
      path, features: max(file.features, 1), values: Array(file.sequences.joined()),
      lengths: file.sequences.map { $0.count / max(file.features, 1) })
    if !file.hasUnknownDates { sequences.takeTimes(file.steps) }
    (sequences.notes, sequences.rows) = (file.notes, file.rows)
    return sequences
  }

  mutating func takeTimes(_ steps: [SequenceSteps]) {
    guard steps.count == lengths.count else { return }
    times = zip(steps, lengths).flatMap { $0.times($1) }
  }

  // MARK: Tables

  private static func table(
    _ path: String, _ format: UnlabelledFormat
  ) throws(DatasetError) -> UnlabelledSequences {
    var table = format.table
    let isNamed = table.id != nil || table.time != nil || !table.values.isEmpty
    table.features = format.features ?? 1
    var note: String?
    if isNamed {
      table.isUnlabelled = true
      table.isOneSequence = table.id == nil
    } else if table.target == nil {
      note = try detect(path, format, &table)
    } else {
      table.isUnlabelled = true
    }
    var sequences = try rows(path, table)
    if let note { sequences.notes.append(note) }
    return sequences
  }

  /// Reads the steps of one or several series, a step on each line.
  init(series path: String, _ format: UnlabelledFormat) throws(DatasetError) {
    self = try Self.rows(path, format.table)
    guard !lengths.isEmpty else {
      throw DatasetError(path, "has no steps", cure: "give a table with a time step on each line")
    }
  }

  private static func rows(
    _ path: String, _ table: CSVFormat
  ) throws(DatasetError) -> UnlabelledSequences {
    let rows = try TableRows(path, table)
    var sequences = UnlabelledSequences(
      path, features: rows.features, values: Array(rows.sequences.joined()),
      lengths: rows.sequences.map { $0.count / rows.features })
    if !rows.hasUnknownDates { sequences.takeTimes(rows.steps) }
    if table.id != nil {
      sequences.names = rows.ids
    } else if hasLeftOut(rows.notes), rows.lines.count == rows.sequences.count {
      sequences.names = rows.lines.map { "line \($0)" }
    }
    (sequences.notes, sequences.valueNames) = (rows.notes, rows.valueNames)
    return sequences
  }

  /// Whether whole sequences lacked too many values. The note of `MissingValueFiller` then ends
  /// with this text.
  private static func hasLeftOut(_ notes: [String]) -> Bool {
    notes.contains { $0.hasSuffix(" with no complete step left out") }
  }

  /// Finds the meaning of the lines of a table without names from the number of their fields.
  ///
  /// - Returns: a note about what was found; nil if there is none
  private static func detect(
    _ path: String, _ format: UnlabelledFormat, _ table: inout CSVFormat
  ) throws(DatasetError) -> String? {
    let text = try DecodedText(contentsOf: path)
    var unlabelled = table
    unlabelled.isUnlabelled = true
    let dialect = try TableDialect(text.bytes, path: path, unlabelled)
    var scanner = RecordScanner(text.bytes, path: path, separator: dialect.separator)
    _ = try scanner.skip(lines: dialect.headerLines)
    guard let first = try scanner.next() else {
      throw DatasetError(path, "has no lines of numbers", cure: "give a table with at least one")
    }
    let fields = first.fields.count - (dialect.hasIndex ? 1 : 0)
    let features = format.features ?? 1
    let last = first.fields[first.fields.count - 1]
    let isWord = FieldNumber(allowsDecimalComma: dialect.separator != ",").value(last) == nil
    let whole = format.steps.map { $0 * features }
    table.isUnlabelled = true
    let dates = first.fields.count { LongTable.isDate($0) }
    if dates == 1, dialect.header != nil, fields == features + 1 {
      table.isOneSequence = true
      return "\(path): each line is a time step of one sequence"
    }
    if fields == features, format.steps != 1 {
      table.isOneSequence = true
      return "\(path): each line is a time step of one sequence"
    }
    let hasLabel =
      isWord && !FieldNumber.isMissing(last)
      || (whole.map { fields == $0 + 1 } ?? false)
      || features > 1 && fields % features == 1
    if hasLabel {
      table.isUnlabelled = false
      return
        "\(path): the \(table.labelComesFirst ? "first" : "last") column is taken as the class and"
        + " left out"
    }
    return nil
  }
}
