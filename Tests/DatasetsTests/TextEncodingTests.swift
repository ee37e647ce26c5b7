// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Every text reader reads the same text in every form, and refuses other encodings with the place.
@Suite struct TextEncodingTests {
  @Test(arguments: TextLevel.allCases) func textsAreReadAlikeInEveryForm(level: TextLevel) throws {
    let text = "the cät sat\n\nthe dog\n"
    for (name, bytes) in TextFiles.forms(text) {
      try Places.withTemporaryFolder { folder in
        for part in ["train", "valid", "test"] {
          // The name ends in .gz, but the content need not be gzipped.
          try TextFiles.write(bytes, "\(folder)/\(part).txt\(name.contains("gz") ? ".gz" : "")")
        }
        let corpus = try TextCorpus(TextFolder(folder).files, level: level)
        let expected: [String] =
          level == .word
          ? ["the", "cät", "sat", "<eos>", "dog"]
          : ["t", "h", "e", " ", "c", "ä", "s", "a", "\n", "d", "o", "g"].uniqued(text)
        #expect(corpus.vocabulary.tokens == expected, "\(name)")
        #expect(corpus.vocabulary.text(corpus.train) == text, "\(name)")
        let says = corpus.notes.first.map { String($0.split(separator: ": ")[1]) }
        let expectedNote =
          name.contains("mark")
          ? "UTF-8 with a byte order mark"
          : name.contains("UTF-16")
            ? "UTF-16" : name.contains("CR") ? "\(name) at the ends of lines" : nil
        #expect(says == expectedNote, "\(name)")
      }
    }
  }

  @Test func tablesAndArchivesAreReadAlikeInEveryForm() throws {
    let rows = "1,2,ä\n3,4,b\n5,6,ä\n"
    let archive = "@problemName x\n@classLabel true ä b\n@data\n1,2:ä\n3,4:b\n5,6:ä\n"
    for (name, bytes) in TextFiles.forms(rows) {
      try Places.withTemporaryFolder { folder in
        try TextFiles.write(bytes, "\(folder)/a.csv")
        let read = try CSVTable.read(["\(folder)/a.csv", "\(folder)/a.csv"], CSVFormat())
        #expect(read.classNames == ["b", "ä"] && read.train.classes == [1, 0, 1], "\(name)")
        #expect(read.train.sequences == [[1, 2], [3, 4], [5, 6]], "\(name)")
        let says = read.notes[0].contains("UTF-16")
        #expect(says == name.contains("UTF-16"), "\(read.notes)")
      }
    }
    for (name, bytes) in TextFiles.forms(archive) {
      try Places.withTemporaryFolder { folder in
        for part in ["TRAIN", "TEST"] { try TextFiles.write(bytes, "\(folder)/X_\(part).ts") }
        let read = try TSArchive.read([folder])
        #expect(read.classNames == ["ä", "b"] && read.train.classes == [0, 1, 0], "\(name)")
        #expect(read.train.sequences == [[1, 2], [3, 4], [5, 6]], "\(name)")
      }
    }
  }

  /// Line and byte of what is not UTF-8, the name of UTF-16 and UTF-32, and zero bytes.
  @Test func otherEncodingsAreRefusedAsWhatTheyAre() throws {
    let latin: [UInt8] = Array("1,2,a\n3,4,b".utf8) + [0xe9, 0x0a]
    let expected = "file:2: byte 6 of the line is 0xE9, which is not UTF-8 text"
    let readers: [(String) throws -> Void] = [
      { _ = try CSVTable.read([$0], CSVFormat()) },
      { _ = try TextCorpus(TextFolder($0).files, level: .word) },
      { _ = try TextTable($0) },
    ]
    for read in readers {
      #expect(try TextFiles.problem(latin, read).contains(expected))
      #expect(try TextFiles.problem(TextFiles.gzipped(latin), read).contains(expected))
      let utf32: [UInt8] = [0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]
      #expect(try TextFiles.problem(utf32, read).contains("is UTF-32 text"))
      let little = Array(TextFiles.utf16("1,2,a\n3,4,b\n").dropFirst(2))
      #expect(try TextFiles.problem(little, read).contains("iconv -f UTF-16LE"))
      let big = Array(TextFiles.utf16("1,2,a\n3,4,b\n", bigEndian: true).dropFirst(2))
      #expect(try TextFiles.problem(big, read).contains("iconv -f UTF-16BE"))
      #expect(
        try TextFiles.problem(Array("1,2,a\n3,\u{0},b\n".utf8), read)
          .contains("file:2: holds a zero byte"))
      #expect(
        try TextFiles.problem(TextFiles.utf16("1,2,a\n").dropLast(), read)
          .contains("damaged UTF-16 text"))
      #expect(
        try TextFiles.problem([0xff, 0xfe, 0x00, 0xd8, 0x61, 0x00], read)
          .contains("damaged UTF-16 text"))
    }
  }

  /// A lone "\r" in a text with other line ends does not end a line. A byte order mark in the
  /// middle is kept.
  @Test func otherBytesOfATextStay() throws {
    let mixed = try DecodedText(Array("a\rb\r\nc\u{feff}\n".utf8), path: "x")
    #expect(mixed.bytesByLines == Array("a\rb\nc\u{feff}\n".utf8))
  }

  @Test func edgesOfTexts() throws {
    func problem(_ bytes: [UInt8]) throws -> String {
      try TextFiles.problem(bytes) { _ = try TextCorpus(TextFolder($0).files, level: .word) }
    }
    #expect(try problem([]).contains("file: is empty; give a text"))
    #expect(try problem(TextFiles.mark).contains("file: is empty; give a text"))
    #expect(try problem(TextFiles.gzipped([])).contains("file: is empty; give a text"))
    #expect(try problem(Array("one two".utf8)).contains("leaves a part with 0 tokens"))
    // A line of a million letters is one word; white space is none; the last line ends.
    let long = String(repeating: "x", count: 1_000_000)
    try Places.withTemporaryFolder { folder in
      for part in ["train", "valid", "test"] {
        try TextFiles.write(Array("\(long)\n \t\n\nend".utf8), "\(folder)/\(part).txt")
      }
      let corpus = try TextCorpus(TextFolder(folder).files, level: .word)
      #expect(corpus.vocabulary.tokens == [long, "<eos>", "end"])
      #expect(corpus.train == [0, 1, 1, 1, 2, 1])
    }
  }
}

extension [String] {
  /// The characters of a text in order of their first appearance, of which these are all.
  fileprivate func uniqued(_ text: String) -> [String] {
    var seen: [String] = []
    for scalar in text.unicodeScalars where !seen.contains(String(scalar)) {
      seen.append(String(scalar))
    }
    precondition(Set(seen) == Set(self))
    return seen
  }
}
