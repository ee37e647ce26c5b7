import HDF5

/// A text in three parts as numbers of a vocabulary.
///
/// The vocabulary is that of the training part: what the other parts have besides becomes `<unk>`,
/// which joins the vocabulary where it is needed and not yet there.
public struct TextCorpus {
  public private(set) var vocabulary: Vocabulary
  public private(set) var train: [Int32] = []
  public private(set) var validation: [Int32] = []
  public private(set) var test: [Int32] = []
  /// Tokens of the validation and test parts that the training part does not have.
  public private(set) var unknownCount = 0

  /// One part in twenty each for validation and test, where one text is cut.
  private static let shareHeldOut = 20

  /// Reads the texts. One text is cut into 90 % for training, 5 % for validation, 5 % for testing.
  public init(_ files: TextFolder.Files, level: TextLevel) throws(DatasetError) {
    vocabulary = Vocabulary(level: level)
    switch files {
    case .parts(let trainPath, let validationPath, let testPath):
      train = try learn(trainPath)
      validation = encode(Self.split(vocabulary, try TextFolder.read(validationPath)))
      test = encode(Self.split(vocabulary, try TextFolder.read(testPath)))
      try check([trainPath, validationPath, testPath])
    case .whole(let path):
      let all = Self.split(vocabulary, try TextFolder.read(path))
      let held = all.count / Self.shareHeldOut
      train = all.dropLast(2 * held).map { vocabulary.add($0) }
      validation = encode(Array(all[(all.count - 2 * held)..<(all.count - held)]))
      test = encode(Array(all.suffix(held)))
      try check([path, path, path])
    }
  }

  private static func split(_ vocabulary: Vocabulary, _ text: String) -> [String] {
    var tokens: [String] = []
    vocabulary.split(text) { tokens.append($0) }
    return tokens
  }

  private mutating func learn(_ path: String) throws(DatasetError) -> [Int32] {
    let text = try TextFolder.read(path)
    var numbers: [Int32] = []
    var vocabulary = self.vocabulary
    self.vocabulary.split(text) { numbers.append(vocabulary.add($0)) }
    self.vocabulary = vocabulary
    return numbers
  }

  private mutating func encode(_ tokens: [String]) -> [Int32] {
    tokens.map { token in
      if let number = vocabulary.number(of: token) { return number }
      unknownCount += 1
      return vocabulary.add(Vocabulary.unknown)
    }
  }

  /// A part must hold a token and its successor.
  private func check(_ paths: [String]) throws(DatasetError) {
    for (path, part) in zip(paths, [train, validation, test]) where part.count < 2 {
      throw DatasetError(
        path, "leaves a part with \(part.count) tokens", cure: "every part needs at least 2")
    }
  }

  /// Writes the data set file for `train`.
  public func write(to path: String) throws(DatasetError) {
    try DatasetFile.create(at: path) { file in
      try file.setAttribute("task", "language_model")
      try file.setAttribute("format_version", DatasetFile.formatVersion)
      try file.setAttribute("classes", vocabulary.count)
      try vocabulary.write(to: file)
      for (part, tokens) in [
        (DatasetFile.Part.train, train), (.validation, validation), (.test, test),
      ] {
        try file.write(
          tokens, to: "\(part.rawValue)/tokens", shape: [tokens.count], fletcher32: true)
      }
    }
  }
}
