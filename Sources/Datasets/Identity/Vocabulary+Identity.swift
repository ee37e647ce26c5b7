// SPDX-License-Identifier: Apache-2.0

import Digests

extension Vocabulary {
  /// The identity of this vocabulary.
  public var identity: VocabularyIdentity {
    let digest = SHA256Digest()
    digest.update(level.rawValue)
    for token in tokens {
      let bytes = Array(token.utf8)
      digest.update([Int64(bytes.count)].span)
      digest.update(bytes)
    }
    return VocabularyIdentity(level: level.rawValue, count: count, sha256: digest.finalize())
  }

  /// The number that each token has in another vocabulary.
  ///
  /// - Parameters:
  ///   - learned: the other vocabulary
  ///   - path: the path of this vocabulary, for messages
  ///   - cure: what to do if a token is missing
  /// - Throws: `DatasetError` with the first token that the other one does not have
  public func numbers(
    in learned: Vocabulary, _ path: String, cure: String
  ) throws(DatasetError) -> [Int32] {
    guard level == learned.level else {
      throw DatasetError(
        path, "is split into \(level.rawValue)s, but the run's into \(learned.level.rawValue)s",
        cure: cure)
    }
    var numbers: [Int32] = []
    for (place, token) in tokens.enumerated() {
      guard let number = learned.number(of: token) else {
        throw DatasetError(
          path,
          "\(level.rawValue) \(place) of its vocabulary is \(token.debugDescription), which the run"
            + " did not learn", cure: cure)
      }
      numbers.append(number)
    }
    return numbers
  }
}

extension TextFile {
  /// The text, with its tokens numbered as in another vocabulary.
  ///
  /// - Parameters:
  ///   - numbers: the result of `Vocabulary.numbers`
  ///   - learned: the other vocabulary
  public func renumbered(_ numbers: [Int32], as learned: Vocabulary) -> TextFile {
    precondition(numbers.count == vocabulary.count, "a number for each token")
    var copy = self
    (copy.numbers, copy.vocabulary) = (numbers, learned)
    return copy
  }

  /// The fingerprint of a part of the text; nil if the files do not have it.
  public func identity(of part: DatasetFile.Part) throws(DatasetError) -> DataIdentity.Part? {
    let name = "\(part.rawValue)/tokens"
    guard files.allSatisfy({ $0.file.contains(name) }) else { return nil }
    let tokens = try JoinedDataset(files, name, cacheBytes: 1 << 20)
    return DataIdentity.Part(
      count: tokens.shape[0], steps: 0, features: 0, kind: "tokens",
      inputs: try tokens.fingerprintOfIntegers())
  }
}
