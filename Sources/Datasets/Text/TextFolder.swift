// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The texts of a language model's three parts, with common names of files: Penn TreeBank's
/// train.txt, valid.txt and test.txt (or ptb.train.txt ...), WikiText's wiki.train.tokens ..., or
/// one text. Each may be gzipped, with .gz at the end of its name.
public struct TextFolder {
  /// The three files, or one file to cut.
  public enum Files: Sendable, Equatable {
    /// The path of each part's file.
    case parts(train: String, validation: String, test: String)
    /// The path of a file to cut into parts.
    case whole(String)
  }

  /// The files that were found.
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
        let plain = "\(path)/" + stem.replacingOccurrences(of: "%", with: part)
        let exists = FileManager.default.fileExists(atPath: plain)
        return exists || !FileManager.default.fileExists(atPath: plain + ".gz")
          ? plain : plain + ".gz"
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

  /// The text of a file, plain or gzipped.
  static func read(_ path: String) throws(DatasetError) -> DecodedText {
    let text = try DecodedText(contentsOf: path)
    guard !text.bytes.isEmpty else {
      throw DatasetError(path, "is empty", cure: "give a text")
    }
    return text
  }
}
