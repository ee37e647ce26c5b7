// SPDX-License-Identifier: Apache-2.0

import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct SpeechFolderTests {
  /// Runs `body` with a folder that holds a short sound under each of these names.
  private func withFolder<Result>(
    _ files: [String], _ body: (String) throws -> Result
  ) throws -> Result {
    try Places.withTemporaryFolder { folder in
      for file in files {
        try Sounds.write(Sounds.sphere([1, 2, 3], rate: 16_000), to: "\(folder)/\(file)")
      }
      return try body(folder)
    }
  }

  /// The speakers of each part.
  private func speakers(
    _ corpus: any SpeechCorpus, samePerson: [(String, String)] = []
  ) throws -> [DatasetFile.Part: Set<String>] {
    let parts = try corpus.parts(samePerson: samePerson)
    var speakers: [DatasetFile.Part: Set<String>] = [:]
    for (utterance, part) in zip(corpus.utterances, parts) {
      speakers[part, default: []].insert(utterance.speaker)
    }
    return speakers
  }

  private func problem(_ files: [String]) throws -> String {
    try withFolder(files) { folder in
      let error = #expect(throws: DatasetError.self) {
        _ = try openSpeechCorpus(folder).parts()
      }
      return try #require(error).description
    }
  }

  @Test(arguments: [false, true]) func timitKeepsItsParts(lowerCase: Bool) throws {
    let files = [
      "TRAIN/DR1/FCJF0/SA1.WAV", "TRAIN/DR1/FCJF0/SX127.WAV", "TRAIN/DR1/FCJF0/SI648.WAV",
      "TRAIN/DR8/MABC0/SX1.WAV", "TEST/DR1/MDAB0/SA2.WAV", "TEST/DR1/MDAB0/SX139.WAV",
      "TEST/DR8/FMLD0/SI5.WAV", "TEST/DR1/FAKS0/SX43.WAV", "TEST/DR1/FAKS0/SX43.TXT",
      "TEST/DR2/MXYZ0/SX2.WAV", "DOC/README.WAV",
    ].map { lowerCase ? "timit/\($0.lowercased())" : $0 }
    try withFolder(files) { folder in
      let corpus = try SpeechFolder(folder)
      #expect(corpus.isTIMIT)
      #expect(corpus.utterances.count == 7)
      #expect(corpus.utterances.contains { $0.name == "TRAIN/DR1/FCJF0/SX127" })
      #expect(!corpus.utterances.contains { $0.name.contains("SA") })
      let speakers = try speakers(corpus)
      #expect(speakers[.train] == ["FCJF0", "MABC0"])
      #expect(speakers[.test] == ["MDAB0", "FMLD0"])
      #expect(speakers[.validation] == ["FAKS0", "MXYZ0"])
    }
  }

  @Test func aConvertedCopyBesideTheOriginalCountsOnce() throws {
    let files = ["TRAIN/DR1/A0/SX1.WAV", "TRAIN/DR1/A0/SX1.WAV.wav", "TRAIN/DR1/A0/SX11.WAV"]
    try withFolder(files) { folder in
      let names = try SpeechFolder(folder).utterances.map(\.name)
      #expect(names == ["TRAIN/DR1/A0/SX1", "TRAIN/DR1/A0/SX11"])
    }
  }

  @Test func timitNeedsAllParts() throws {
    #expect(try problem(["TRAIN/DR1/A0/SX1.WAV", "TEST/DR1/B0/SX1.WAV"]).contains("part test"))
  }

  @Test(arguments: [3, 4, 10, 24, 95]) func nobodyIsHeardInTwoParts(count: Int) throws {
    let files = (0..<count).flatMap { ["s\($0)/a.wav", "s\($0)/deep/er/b.WAV"] }
    try withFolder(files) { folder in
      let corpus = try SpeechFolder(folder)
      #expect(!corpus.isTIMIT && corpus.utterances.count == 2 * count)
      let speakers = try speakers(corpus)
      let heldOut = max(1, (count + 5) / 10)
      #expect(speakers[.test]?.count == heldOut && speakers[.validation]?.count == heldOut)
      #expect(speakers[.train]?.count == count - 2 * heldOut)
      let all = speakers.values.reduce(into: Set<String>()) { $0.formUnion($1) }
      #expect(all.count == count)
      #expect(try self.speakers(SpeechFolder(folder)) == speakers, "the same in every run")
    }
  }

  @Test func flatFilesAreNamedAfterTheirSpeakers() throws {
    try withFolder(["ann-1.wav", "ann_2.flac", "bob-1.sph", "cid_1_2.wav"]) { folder in
      let corpus = try SpeechFolder(folder)
      #expect(corpus.utterances.map(\.speaker) == ["ann", "ann", "bob", "cid"])
    }
  }

  @Test func onePersonOfTwoNamesStaysTogether() throws {
    let names = (0..<12).map { "s\($0)" }
    try withFolder(names.map { "\($0)/a.wav" }) { folder in
      let corpus = try SpeechFolder(folder)
      for other in names.dropFirst() {
        let parts = try speakers(corpus, samePerson: [("s0", other)])
        #expect(parts.values.contains { $0.isSuperset(of: ["s0", other]) })
      }
      #expect(throws: DatasetError.self) { try corpus.parts(samePerson: [("s0", "nobody")]) }
    }
  }

  @Test func linksThatTurnBackEnd() throws {
    try withFolder(["a/1.wav", "b/1.wav", "c/1.wav"]) { folder in
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/c/round", withDestinationPath: folder)
      #expect(try SpeechFolder(folder).utterances.count == 3)
    }
  }

  @Test func foldersWithoutEnough() throws {
    #expect(try problem([]).contains("holds no sound file"))
    #expect(try problem(["a/1.wav", "b/1.wav"]).contains("has 2 speaker(s) (a, b)"))
    #expect(throws: DatasetError.self) { try openSpeechCorpus("/nowhere/at all") }
  }
}
