import RandomNumbers

/// How the lines of a table are to be read.
public struct CSVFormat: Sendable {
  /// C, numbers per time step.
  public var features = 1
  /// Whether the class is the first field of a line, or else the last.
  public var labelComesFirst = false
  /// Lines to skip at the top.
  public var headerLines = 0
  public var separator: Unicode.Scalar = ","
  /// The share of sequences held out as the test part where there is one file only.
  public var testShare = 0.2

  public init() {}
}

/// Tables with a labelled sequence on each line, such as the UCI's pendigits.
///
/// A line has T·C numbers, step by step (x_1, y_1, x_2, y_2, ... for C = 2), and the class, which
/// is a word, a number, or a string of zeros and a one, whose place is the class. Lines may differ
/// in length.
public enum CSVTable {
  /// Reads the training and the test part, which may be one file and is then split at random.
  public static func read(
    _ paths: [String], _ format: CSVFormat
  ) throws(DatasetError) -> SequenceArchive {
    guard let first = paths.first, paths.count <= 2 else {
      throw DatasetError(
        paths.joined(separator: " "), "are \(paths.count) files",
        cure: "give one, or the training and the test file, with --from")
    }
    var files: [Rows] = []
    for path in paths { files.append(try Rows(path, format)) }
    let naming = ClassNaming(files.flatMap(\.labels))
    var parts: [SequenceArchive.Part] = []
    for file in files { parts.append(naming.part(file)) }
    if parts.count == 1 { parts = split(parts[0], testShare: format.testShare) }
    // The model learns the classes of the training part.
    let known = Set(parts[0].classes)
    if let missing = parts[1].classes.first(where: { !known.contains($0) }) {
      throw DatasetError(
        paths.last!, "has the class \"\(naming.names[Int(missing)])\", the training part has not",
        cure: "give training sequences of every class")
    }
    return try SequenceArchive(
      first, features: format.features, classNames: naming.names, train: parts[0], test: parts[1])
  }

  private static func split(
    _ all: SequenceArchive.Part, testShare: Double
  ) -> [SequenceArchive.Part] {
    var stream = RandomStream(seed: 0, purpose: .validationSplit)
    let order = stream.permutation(all.classes.count)
    let test = Int((testShare * Double(order.count)).rounded())
    return [order[test...], order[..<test]].map { indices in
      var part = SequenceArchive.Part()
      part.sequences = indices.sorted().map { all.sequences[$0] }
      part.classes = indices.sorted().map { all.classes[$0] }
      return part
    }
  }

  /// The lines of one file.
  fileprivate struct Rows {
    var sequences: [[Float]] = []
    var labels: [String] = []

    init(_ path: String, _ format: CSVFormat) throws(DatasetError) {
      let table = try TextTable(path)
      for (number, line) in table.lines where number > format.headerLines {
        var fields = TextTable.fields(line, separator: format.separator)
        let label = format.labelComesFirst ? fields.removeFirst() : fields.removeLast()
        guard !fields.isEmpty, fields.count % format.features == 0 else {
          throw table.error(
            number,
            "has \(fields.count) numbers beside the class, with \(format.features) per step",
            cure: "set --features to the numbers per time step, or --separator")
        }
        var sequence: [Float] = []
        for field in fields { sequence.append(try table.number(field, line: number)) }
        guard !label.isEmpty else {
          throw table.error(
            number, "has no class",
            cure: "the last field, or with --label-first the first, is the class")
        }
        sequences.append(sequence)
        labels.append(TextTable.string(label))
      }
    }
  }

  /// Which class a label means.
  fileprivate struct ClassNaming {
    let names: [String]
    private let isOneHot: Bool

    init(_ labels: [String]) {
      let distinct = Set(labels)
      let widths = Set(distinct.map(\.count))
      isOneHot =
        widths.count == 1 && widths.first! >= 2
        && distinct.allSatisfy { label in
          label.allSatisfy { $0 == "0" || $0 == "1" } && label.filter { $0 == "1" }.count == 1
        }
      names = isOneHot ? (0..<widths.first!).map(String.init) : TSArchive.order(distinct)
    }

    func part(_ rows: Rows) -> SequenceArchive.Part {
      var part = SequenceArchive.Part()
      part.sequences = rows.sequences
      part.classes = rows.labels.map { label in
        let place =
          isOneHot
          ? label.distance(from: label.startIndex, to: label.firstIndex(of: "1")!)
          : names.firstIndex(of: label)!
        return Int32(place)
      }
      return part
    }
  }
}
