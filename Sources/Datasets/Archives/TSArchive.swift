import Foundation

/// Archives in the .ts form of the UEA and UCR time series repository: a _TRAIN.ts and a _TEST.ts.
///
/// After comments (#) and header lines (@problemName, @dimensions, @classLabel true A B ..., @data)
/// each line is a sequence: its features one after the other, separated by colons, each with its
/// values over time, separated by commas, and at the end the class. Sequences may differ in
/// length; the features of one sequence may not.
public enum TSArchive {
  /// Reads both parts.
  ///
  /// - Parameter paths: a folder that holds one *_TRAIN.ts and one *_TEST.ts, or these two files
  public static func read(_ paths: [String]) throws(DatasetError) -> SequenceArchive {
    let (trainPath, testPath) = try parts(paths)
    let train = try TSFile(trainPath)
    let test = try TSFile(testPath)
    guard train.features == test.features else {
      throw DatasetError(
        testPath, "has \(test.features) dimensions, \(trainPath) has \(train.features)",
        cure: "give the two parts of one archive")
    }
    let names = train.classNames ?? order(Set(train.labels))
    return try SequenceArchive(
      trainPath, features: train.features, classNames: names,
      train: try train.part(names: names), test: try test.part(names: names))
  }

  private static func parts(_ paths: [String]) throws(DatasetError) -> (String, String) {
    var files = paths
    let folder = paths.first ?? ""
    if paths.count == 1, isFolder(folder) {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      files = names.map { (folder as NSString).appendingPathComponent($0) }
    }
    func ending(_ ending: String) -> [String] {
      files.filter { path in
        [".ts", ".ts.gz"].contains { path.uppercased().hasSuffix(ending + $0.uppercased()) }
      }
    }
    let (train, test) = (ending("_TRAIN"), ending("_TEST"))
    guard train.count == 1, test.count == 1 else {
      throw DatasetError(
        folder, "has \(train.count) files *_TRAIN.ts and \(test.count) *_TEST.ts",
        cure: "expected one of each: name their folder, or both files, with --from")
    }
    return (train[0], test[0])
  }

  /// Labels in order: as numbers where they all are, or else by letters.
  static func order(_ labels: Set<String>) -> [String] {
    let numbers = labels.compactMap { Double($0) }
    guard numbers.count == labels.count else { return labels.sorted() }
    return labels.sorted { (Double($0)!, $0) < (Double($1)!, $1) }
  }
}

/// One file of a .ts archive.
private struct TSFile {
  let table: TextTable
  var features: Int
  /// The classes that the header names; nil where it leaves that to the data.
  var classNames: [String]?
  var sequences: [[Float]] = []
  var labels: [String] = []
  private var places: [Int] = []

  init(_ path: String) throws(DatasetError) {
    table = try TextTable(path)
    features = 0
    var isInData = false
    for (number, line) in table.lines where line.first != UInt8(ascii: "#") {
      if isInData {
        try addSequence(line, number)
      } else if line.first == UInt8(ascii: "@") {
        isInData = try readHeader(TextTable.string(line), number)
      } else {
        throw table.error(
          number, "a line of data before @data", cure: "it is no .ts archive, or damaged")
      }
    }
    guard isInData else {
      throw DatasetError(path, "has no @data line", cure: "it is no .ts archive, or cut short")
    }
  }

  /// - Returns: whether the data begin after this line
  private mutating func readHeader(_ line: String, _ number: Int) throws(DatasetError) -> Bool {
    let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
    switch words[0].lowercased() {
    case "@data": return true
    case "@timestamps" where words.dropFirst().first?.lowercased() == "true":
      throw table.error(
        number, "its values carry time stamps, which are not read",
        cure: "resample the sequences to equal intervals")
    case "@targetlabel" where words.dropFirst().first?.lowercased() == "true":
      throw table.error(
        number, "it asks for numbers, not for classes", cure: "give an archive with @classLabel")
    case "@classlabel":
      guard words.count > 1, words[1].lowercased() == "true" else {
        throw table.error(
          number, "its sequences have no class", cure: "give an archive with @classLabel true")
      }
      classNames = words.count > 2 ? Array(words[2...]) : nil
    default: break
    }
    return false
  }

  private mutating func addSequence(
    _ line: ArraySlice<UInt8>, _ number: Int
  ) throws(DatasetError) {
    let series = TextTable.fields(line, separator: ":")
    let C = series.count - 1
    guard C >= 1, features == 0 || C == features else {
      throw table.error(
        number,
        "has \(max(C, 0)) dimensions\(features > 0 ? ", the lines before \(features)" : "")",
        cure: "each line is DIMENSION:...:DIMENSION:CLASS; the file may be damaged")
    }
    features = C
    var columns: [[Float]] = []
    for field in series.dropLast() {
      var column: [Float] = []
      for value in TextTable.fields(field, separator: ",") {
        column.append(try table.number(value, line: number))
      }
      columns.append(column)
    }
    let T = columns[0].count
    if let odd = columns.firstIndex(where: { $0.count != T }) {
      throw table.error(
        number, "dimension \(odd + 1) has \(columns[odd].count) values, the first \(T)",
        cure: "all dimensions of a sequence must be of one length")
    }
    sequences.append((0..<T * C).map { columns[$0 % C][$0 / C] })
    labels.append(TextTable.string(series[C]))
    places.append(number)
  }

  func part(names: [String]) throws(DatasetError) -> SequenceArchive.Part {
    var part = SequenceArchive.Part()
    part.sequences = sequences
    for (label, place) in zip(labels, places) {
      guard let index = names.firstIndex(of: label) else {
        throw table.error(
          place, "the class \"\(label)\" is none of \(names.joined(separator: " "))",
          cure: "mend the label, or the @classLabel line of the training file")
      }
      part.classes.append(Int32(index))
    }
    return part
  }
}
