// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomNumbers
import TestSupport
import Testing

@testable import Datasets

@Suite struct TextTests {
  private func write(_ texts: [String: String], to folder: String) throws {
    for (name, text) in texts {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
  }

  @Test func wordsEndLinesAndUnknownOnesAreMarked() throws {
    try Places.withTemporaryFolder { folder in
      try write(
        [
          "train.txt": " the cat sat \n\n the dog", "valid.txt": "the bird\n",
          "test.txt": "a cat\n",
        ], to: folder)
      let corpus = try TextCorpus(TextFolder(folder).files, level: .word)
      #expect(
        corpus.vocabulary.tokens == ["the", "cat", "sat", "<eos>", "dog", "<unk>"])
      #expect(corpus.train == [0, 1, 2, 3, 3, 0, 4, 3])
      #expect(corpus.validation == [0, 5, 3])
      #expect(corpus.test == [5, 1, 3] && corpus.unknownCount == 2)
      #expect(corpus.vocabulary.text(corpus.train) == "the cat sat\n\nthe dog\n")
      try corpus.write(to: "\(folder)/out.h5")
      let file = try TextFile("\(folder)/out.h5")
      #expect(file.vocabulary.tokens == corpus.vocabulary.tokens)
      #expect(file.vocabulary.level == .word)
      let frequent = try TextCorpus(TextFolder(folder).files, level: .word, keeping: 3)
      #expect(frequent.vocabulary.tokens == ["<unk>", "the", "<eos>"])
      #expect(frequent.train == [1, 0, 0, 2, 2, 1, 0, 2])
    }
  }

  @Test func oneTextIsCutAndCharactersAreScalars() throws {
    try Places.withTemporaryFolder { folder in
      try write(["t.txt": String(repeating: "aé\u{301}\n", count: 25)], to: folder)
      let corpus = try TextCorpus(TextFolder("\(folder)/t.txt").files, level: .character)
      #expect(corpus.vocabulary.tokens == ["a", "é", "\u{301}", "\n"])
      #expect([corpus.train, corpus.validation, corpus.test].map(\.count) == [90, 5, 5])
      #expect(corpus.train + corpus.validation + corpus.test == (0..<100).map { Int32($0 % 4) })
    }
  }

  @Test func whatCannotBeReadIsNamed() throws {
    try Places.withTemporaryFolder { folder in
      func problem(_ path: String) -> String {
        do {
          _ = try TextCorpus(TextFolder(path).files, level: .word)
          return "none"
        } catch { return error.description }
      }
      #expect(problem("\(folder)/none").contains("does not exist"))
      #expect(problem(folder).contains("holds no train.txt"))
      try write(["train.txt": "a b\n", "valid.txt": ""], to: folder)
      #expect(problem(folder).contains("test.txt: does not exist"))
      try write(["test.txt": "a b\n"], to: folder)
      #expect(problem(folder).contains("valid.txt: is empty"))
      try Data([0x61, 0x0A, 0x62, 0xE9, 0x0A, 0x63]).write(
        to: URL(fileURLWithPath: "\(folder)/valid.txt"))
      #expect(problem(folder).contains("valid.txt:2: byte 2 of the line is 0xE9"))
    }
  }

  /// Columns and chunks against the plain definition.
  @Test func chunksOfColumnsCoverTheText() throws {
    try Places.withTemporaryFolder { folder in
      let words = (0..<103).map { "w\($0)" }.joined(separator: " ") + "\n"  // 104 tokens
      try write(["train.txt": words, "valid.txt": words, "test.txt": words], to: folder)
      let corpus = try TextCorpus(TextFolder(folder).files, level: .word)
      try corpus.write(to: "\(folder)/out.h5")
      let file = try TextFile("\(folder)/out.h5")
      let columns = try file.columns(of: .train, count: 5, own: 1..<4)
      #expect(columns.length == 20)
      for steps in ChunkPlan(length: 20, chunk: 8).chunks {
        let expected = steps.flatMap { t in (1..<4).map { corpus.train[$0 * 20 + t] } }
        #expect(try columns.tokens(at: steps) == expected)
      }
      #expect(throws: DatasetError.self) { try file.columns(of: .test, count: 60, own: 0..<60) }
    }
  }

  @Test func chunkLengthsFollowSeedAndEpochAlone() {
    let even = ChunkPlan(length: 20, chunk: 8).chunks
    #expect(even == [0..<8, 8..<16, 16..<19])
    let plan = ChunkPlan(length: 50_000, base: 70, seed: 3, epoch: 2).chunks
    #expect(plan == ChunkPlan(length: 50_000, base: 70, seed: 3, epoch: 2).chunks)
    #expect(plan != ChunkPlan(length: 50_000, base: 70, seed: 3, epoch: 3).chunks)
    #expect(zip(plan, plan.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    #expect(plan.first?.lowerBound == 0 && plan.last!.upperBound <= 49_999)
    #expect(plan.last!.upperBound >= 49_998)
    let lengths = plan.dropLast().map(\.count)
    let short = Double(lengths.filter { $0 < 50 }.count) / Double(lengths.count)
    #expect(short > 0.02 && short < 0.09, "\(short)")
    #expect(lengths.allSatisfy { $0 >= 5 && $0 < 100 })
  }
}
