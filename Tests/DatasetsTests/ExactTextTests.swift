// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Names and tokens are compared by bytes: canonically equivalent ones are different.
@Suite struct ExactTextTests {
  static let one = "caf\u{e9}"
  static let two = "cafe\u{301}"

  @Test func equalityIsThatOfBytes() {
    #expect(Self.one == Self.two)  // as Swift has it
    let (a, b) = (ExactText(Self.one), ExactText(Self.two))
    #expect(a != b && Set([a, b, a]).count == 2 && (a < b) != (b < a))
    #expect(ExactText("ab") < ExactText("b") && ExactText("10") < ExactText("9"))
    // Hangul, and a character that is canonically equivalent to another one.
    #expect(ExactText("\u{ac00}") != ExactText("\u{1100}\u{1161}"))
    #expect(ExactText("\u{212b}") != ExactText("\u{c5}"))
  }

  @Test func equivalentWordsAndCharactersAreTwoTokens() throws {
    try Places.withTemporaryFolder { folder in
      let text = "\(Self.one) \(Self.two)\n\u{212b} \u{c5}\n"
      for part in ["train", "valid", "test"] {
        try TextFiles.write(Array(text.utf8), "\(folder)/\(part).txt")
      }
      let words = try TextCorpus(TextFolder(folder).files, level: .word)
      #expect(words.train == [0, 1, 2, 3, 4, 2])
      #expect(Array(words.vocabulary.text(words.train).utf8) == Array(text.utf8))
      let characters = try TextCorpus(TextFolder(folder).files, level: .character)
      #expect(characters.vocabulary.count == 10)
      #expect(Array(characters.vocabulary.text(characters.train).utf8) == Array(text.utf8))
      try words.write(to: "\(folder)/out.h5")
      #expect(try TextFile("\(folder)/out.h5").vocabulary == words.vocabulary)
      #expect(
        Vocabulary(level: .word, tokens: [Self.one]) != Vocabulary(level: .word, tokens: [Self.two])
      )
    }
  }

  @Test func equivalentClassesAreTwo() throws {
    let rows = "1,2,\(Self.one)\n3,4,\(Self.two)\n5,6,\(Self.one)\n"
    let table = try TextFiles.table(rows, rows)
    #expect(table.classNames.count == 2 && table.train.classes[0] != table.train.classes[1])
    #expect(table.train.classes[0] == table.train.classes[2])
    try Places.withTemporaryFolder { folder in
      let text = "@classLabel true \(Self.one) \(Self.two)\n@data\n1:\(Self.two)\n2:\(Self.one)\n"
      for part in ["TRAIN", "TEST"] {
        try TextFiles.write(Array(text.utf8), "\(folder)/X_\(part).ts")
      }
      #expect(try TSArchive.read([folder]).train.classes == [1, 0])
      let other = text.replacing("true \(Self.one) \(Self.two)", with: "true \(Self.one) x")
      try TextFiles.write(Array(other.utf8), "\(folder)/X_TRAIN.ts")
      #expect(throws: DatasetError.self) { try TSArchive.read([folder]) }
    }
  }

  @Test func equivalentSpeakersAndFoldersAreTwo() throws {
    try Places.withTemporaryFolder { folder in
      for speaker in [Self.one, Self.two, "third"] {
        try Sounds.write(
          Sounds.sphere([1, 2, 3], rate: 16_000), to: "\(folder)/\(speaker)/a.wav")
      }
      let corpus = try SpeechFolder(folder)
      #expect(corpus.utterances.count == 3)
      #expect(Set(try corpus.parts()) == Set(DatasetFile.Part.allCases))
      #expect(throws: DatasetError.self) { try corpus.parts(samePerson: [(Self.one, Self.two)]) }
    }
  }
}
