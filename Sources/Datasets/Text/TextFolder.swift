import Foundation

/// The texts of a language model's three parts, as people have them: Penn TreeBank's train.txt,
/// valid.txt and test.txt (or ptb.train.txt ...), WikiText's wiki.train.tokens ..., or one text.
public struct TextFolder {
  /// The three files, or one that is still to be cut.
  public enum Files: Sendable, Equatable {
    case parts(train: String, validation: String, test: String)
    case whole(String)
  }

  public let files: Files

  private static let stems = ["%.txt", "ptb.%.txt", "wiki.%.tokens", "wiki.%.raw", "%"]

  /// Finds the files in a folder, or takes the one file that the path names.
  public init(_ path: String) throws(DatasetError) {
    let attributes = try? FileManager.default.attributesOfItem(
      atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
    guard let attributes else {
      throw DatasetError(path, "does not exist", cure: "check the path given to --from")
    }
    guard attributes[.type] as? FileAttributeType == .typeDirectory else {
      files = .whole(path)
      return
    }
    for stem in Self.stems {
      func file(_ part: String) -> String {
        "\(path)/" + stem.replacingOccurrences(of: "%", with: part)
      }
      guard FileManager.default.fileExists(atPath: file("train")) else { continue }
      for part in ["valid", "test"]
      where !FileManager.default.fileExists(atPath: file(part)) {
        throw DatasetError(
          file(part), "does not exist, though \(file("train")) does",
          cure: "a folder of texts has all three parts; name one file to have it cut")
      }
      files = .parts(train: file("train"), validation: file("valid"), test: file("test"))
      return
    }
    throw DatasetError(
      path, "holds no train.txt, ptb.train.txt or wiki.train.tokens",
      cure: "name the folder with train, valid and test, or one text file")
  }

  /// The text of a file.
  static func read(_ path: String) throws(DatasetError) -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DatasetError(path, "cannot be read", cure: "check that it is a file you may read")
    }
    guard !data.isEmpty else {
      throw DatasetError(path, "is empty", cure: "give a text")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw DatasetError(
        path, "is not UTF-8 text (\(firstWrongByte(data)))",
        cure: "convert it, as with `iconv -f LATIN1 -t UTF-8`")
    }
    return text
  }

  /// Where the text stops being UTF-8.
  private static func firstWrongByte(_ data: Data) -> String {
    var (good, bad) = (0, data.count)  // a prefix of `good` bytes is fine, one of `bad` is not
    while bad - good > 4 {
      let middle = (good + bad) / 2
      // A prefix may end inside a character: up to three bytes more may be needed.
      let isFine = (0...3).contains {
        middle >= $0 && String(validating: data.prefix(middle - $0), as: UTF8.self) != nil
      }
      if isFine { good = middle } else { bad = middle }
    }
    let line = data.prefix(good).reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    return "line \(line)"
  }
}
