// SPDX-License-Identifier: Apache-2.0

import HDF5

/// A text in three parts as numbers of a vocabulary.
///
/// The vocabulary is that of the training part. Other tokens of the other parts become `<unk>`,
/// which is added to the vocabulary if it is needed and not yet there.
public struct TextCorpus {
  /// The tokens by their numbers.
  public private(set) var vocabulary: Vocabulary
  /// The tokens of the training part, by number.
  public private(set) var train: [Int32] = []
  /// The tokens of the validation part, by number.
  public private(set) var validation: [Int32] = []
  /// The tokens of the test part, by number.
  public private(set) var test: [Int32] = []
  /// Tokens of the validation and test parts that the vocabulary does not have.
  public private(set) var unknownCount = 0
  /// Notes about files that are not plain UTF-8 with "\n" at the ends of lines.
  public private(set) var notes: [String] = []

  /// One twentieth each for validation and test, if one text is cut.
  private static let shareHeldOut = 20

  /// Reads the texts. A single text is cut into 90 % for training, 5 % for validation and 5 % for
  /// testing.
  ///
  /// - Parameters:
  ///   - files: the three files, or one to cut
  ///   - level: words or characters
  ///   - limit: the number of the training part's most frequent tokens to keep, including `<unk>`;
  ///     nil keeps all
  public init(
    _ files: TextFolder.Files, level: TextLevel, keeping limit: Int? = nil
  ) throws(DatasetError) {
    vocabulary = Vocabulary(level: level)
    switch files {
    case .parts(let trainPath, let validationPath, let testPath):
      train = learn(try tokens(of: trainPath), keeping: limit)
      validation = encode(try tokens(of: validationPath))
      test = encode(try tokens(of: testPath))
      try check([trainPath, validationPath, testPath])
    case .whole(let path):
      let all = try tokens(of: path)
      let held = all.count / Self.shareHeldOut
      train = learn(all.dropLast(2 * held), keeping: limit)
      validation = encode(Array(all[(all.count - 2 * held)..<(all.count - held)]))
      test = encode(Array(all.suffix(held)))
      try check([path, path, path])
    }
  }

  private mutating func tokens(of path: String) throws(DatasetError) -> [String] {
    let text = try TextFolder.read(path)
    let understood = [text.encoding, text.lineEnds.map { "\($0) at the ends of lines" }]
      .compactMap { $0 }
    if !understood.isEmpty { notes.append("\(path): \(understood.joined(separator: ", "))") }
    var tokens: [String] = []
    vocabulary.split(String(decoding: text.bytesByLines, as: UTF8.self)) { tokens.append($0) }
    return tokens
  }

  /// Numbers the tokens of the training part, which then form the vocabulary.
  private mutating func learn(_ tokens: [String], keeping limit: Int?) -> [Int32] {
    let numbers = tokens.map { vocabulary.add($0) }
    guard let limit, vocabulary.count > limit else { return numbers }
    var counts = [Int](repeating: 0, count: vocabulary.count)
    for number in numbers { counts[Int(number)] += 1 }
    let unknown = vocabulary.number(of: Vocabulary.unknown).map { Int($0) }
    let frequent = counts.indices.filter { $0 != unknown }
      .sorted { (counts[$0], $1) > (counts[$1], $0) }.prefix(limit - 1)
    let kept = ([Vocabulary.unknown] + frequent.sorted().map { vocabulary.tokens[$0] })
    vocabulary = Vocabulary(level: vocabulary.level, tokens: kept)
    return tokens.map { vocabulary.number(of: $0) ?? 0 }
  }

  private mutating func encode(_ tokens: [String]) -> [Int32] {
    tokens.map { token in
      if let number = vocabulary.number(of: token) { return number }
      unknownCount += 1
      return vocabulary.add(Vocabulary.unknown)
    }
  }

  /// A part must have a token and its successor.
  private func check(_ paths: [String]) throws(DatasetError) {
    for (path, part) in zip(paths, [train, validation, test]) where part.count < 2 {
      throw DatasetError(
        path, "leaves a part with \(part.count) tokens", cure: "every part needs at least 2")
    }
  }

  /// Writes the data set file for `train`.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - compressing: makes a smaller file that takes longer to read
  public func write(to path: String, compressing: Bool = false) throws(DatasetError) {
    try DatasetFile.create(at: path) { file in
      try file.setAttribute("task", "language_model")
      try file.setAttribute("format_version", DatasetFile.formatVersion)
      try file.setAttribute("classes", vocabulary.count)
      try vocabulary.write(to: file)
      for (part, tokens) in [
        (DatasetFile.Part.train, train), (.validation, validation), (.test, test),
      ] {
        try file.write(
          tokens, to: "\(part.rawValue)/tokens", shape: [tokens.count],
          deflate: DatasetFile.deflate(compressing), fletcher32: true)
      }
    }
  }
}
