// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// Damaged texts, tables and files of every reader of data: refused in one line that names the
/// file, or read; and where the file has checksums, read as the numbers that were written.
@Suite struct ReaderMutationTests {
  static let hostileNumbers = [
    "nan", "inf", "-inf", "1e999", "1e-999", "0x1p3", "9999999999999999999999", "-", "", "?",
    "1,,2", ":", "::", ",", "\n", "\r\n", "\u{0}", "\u{FEFF}", "\u{2028}", "1 2", "é",
    String(repeating: "9", count: 5000), String(repeating: ":", count: 3000),
  ]

  private func campaign(
    _ name: String, seed: UInt64, words: [String] = Self.hostileNumbers, good: Data, file: String,
    in folder: String, _ read: () throws -> Void
  ) {
    let tally = ByteMutator.campaign(name, seed: seed, words: words, good: good) { data in
      try data.write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
      try read()
    } judge: { error, number in
      guard let error = error as? DatasetError else {
        Issue.record("\(name) \(number): \(error)")
        return
      }
      #expect(!error.description.contains("\n"), "\(name) \(number): \(error)")
      #expect(error.description.contains(folder), "\(name) \(number): \(error)")
    }
    #expect(tally.refused > ByteMutator.count / 20, "\(name): \(tally)")
  }

  @Test func noArchiveCrashes() throws {
    try Places.withTemporaryFolder { folder in
      let text = """
        # comment
        @problemName x
        @dimensions 2
        @classLabel true a b
        @data
        1,2,3:4,5,6:a
        1.5,-2:0.5,1e3:b
        7:8:a

        """
      try text.write(toFile: "\(folder)/X_TEST.ts", atomically: true, encoding: .utf8)
      campaign(
        ".ts", seed: 1,
        words: Self.hostileNumbers + ["@data", "@classLabel true", "@timestamps true", "@", "#"],
        good: Data(text.utf8), file: "X_TRAIN.ts", in: folder
      ) {
        let archive = try TSArchive.read([folder])
        try archive.write(to: "\(folder)/out.h5", normalising: true)
      }
    }
  }

  @Test(arguments: [false, true]) func noTableCrashes(labelComesFirst: Bool) throws {
    try Places.withTemporaryFolder { folder in
      var text = "x,y,class\n"
      for row in 0..<12 { text += "\(row % 2),\(row),\(-row).5,\(row % 3)\n" }
      var format = CSVFormat()
      format.headerLines = 1
      format.labelComesFirst = labelComesFirst
      campaign("CSV", seed: 2, good: Data(text.utf8), file: "table.csv", in: folder) {
        let archive = try CSVTable.read(["\(folder)/table.csv"], format)
        try archive.write(to: "\(folder)/out.h5", normalising: true)
      }
    }
  }

  @Test(arguments: TextLevel.allCases) func noTextCrashes(level: TextLevel) throws {
    try Places.withTemporaryFolder { folder in
      let text = (0..<60).map { "word\($0 % 7) héllo 日本\n" }.joined()
      campaign(
        "text by \(level)", seed: 3,
        words: ["\u{FEFF}", "<eos>", "<unk>", "\u{0}", "\r", "e\u{301}"],
        good: Data(text.utf8), file: "text.txt", in: folder
      ) {
        let corpus = try TextCorpus(
          TextFolder("\(folder)/text.txt").files, level: level, keeping: 9)
        try corpus.write(to: "\(folder)/out.h5")
        _ = try TextFile("\(folder)/out.h5").columns(of: .train, count: 2, own: 0..<2)
      }
    }
  }

  @Test func noGzippedArrayCrashes() throws {
    try Places.withTemporaryFolder { folder in
      // A gzipped array of MNIST's form, with one block that is stored as it is.
      let array = IDXArrayTests.file([4, 3, 2], (0..<24).map { $0 })
      let length = UInt16(array.count)
      var stored: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]
      stored += [
        UInt8(length & 255), UInt8(length >> 8), UInt8(~length & 255), UInt8(~length >> 8),
      ]
      stored += array + crc32(array) + [UInt8(array.count), 0, 0, 0]
      try Data(stored).write(to: URL(fileURLWithPath: "\(folder)/array.gz"))
      #expect(try IDXArray(contentsOf: "\(folder)/array.gz", dimensions: 3).bytes.count == 24)
      campaign("idx.gz", seed: 4, words: [], good: Data(stored), file: "array.gz", in: folder) {
        let read = try IDXArray(contentsOf: "\(folder)/array.gz", dimensions: 3)
        #expect(read.shape.reduce(1, *) == read.bytes.count)
      }
    }
  }

  private func crc32(_ bytes: [UInt8]) -> [UInt8] {
    var crc: UInt32 = .max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
    }
    return (0..<4).map { UInt8(truncatingIfNeeded: ~crc >> (8 * $0)) }
  }

  @Test(arguments: [false, true]) func noRaggedDatasetCrashes(compressing: Bool) throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/ragged.h5"
      var part = SequenceArchive.Part()
      part.sequences = [[1, 2, 3, 4], [5, 6], [7, 8, 9, 10, 11, 12]]
      part.classes = [0, 1, 0]
      try SequenceArchive(
        path, features: 2, classNames: ["a", "b"], train: part, test: part
      ).write(to: path, normalising: false, withTimes: true, compressing: compressing)
      func numbers() throws -> [Float] {
        let source = try SequenceFileSource(path, task: "classification", part: .train)
        guard (source.count, source.steps, source.features) == (3, 3, 2) else { return [] }
        let x = Tensor<Float>(shape: [3, 3, 2])
        let classes = try source.read([0, 1, 2], into: x).whole
        let times = Tensor<Double>(shape: [3, 3])
        try source.openTimes()
        if source.hasTimes { try source.readTimes([0, 1, 2], into: times) }
        return x.array + classes.map { Float($0) } + times.array.map { Float($0) }
      }
      let expected = try numbers()
      let good = try Data(contentsOf: URL(fileURLWithPath: path))
      campaign("ragged HDF5", seed: 5, words: [], good: good, file: "ragged.h5", in: folder) {
        let found = try numbers()
        #expect(found == expected)
      }
    }
  }

  @Test func noLanguageDatasetCrashes() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/text.h5"
      let text = (0..<90).map { "w\($0 * $0 % 17) " }.joined()
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/text.txt"))
      try TextCorpus(TextFolder("\(folder)/text.txt").files, level: .word).write(to: path)
      func content() throws -> ([Int32], [String]) {
        let file = try TextFile(path)
        let columns = try file.columns(of: .train, count: 3, own: 0..<3)
        return (try columns.tokens(at: 0..<columns.length), file.vocabulary.tokens)
      }
      let expected = try content()
      let good = try Data(contentsOf: URL(fileURLWithPath: path))
      campaign("language HDF5", seed: 6, words: [], good: good, file: "text.h5", in: folder) {
        let found = try content()
        #expect(found == expected)
      }
    }
  }

  @Test func noFrameDatasetCrashes() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/frames.h5"
      try DatasetFile.create(at: path) { file in
        try file.setAttribute("task", NextFrameSource.task)
        try file.setAttribute("format_version", DatasetFile.formatVersion)
        try file.write(
          (0..<60).map { Float($0) * 0.5 }, to: "train/inputs", shape: [20, 3], fletcher32: true)
        try file.write([0, 7, 20], to: "train/offsets", fletcher32: true)
      }
      func numbers() throws -> [Float] {
        let source = try NextFrameSource(path, part: .train)
        guard (source.count, source.steps, source.features) == (2, 12, 3) else { return [] }
        let x = Tensor<Float>(shape: [12, 2, 3])
        let frames = try source.read([0, 1], into: x).numbers
        return x.array + frames
      }
      let expected = try numbers()
      let good = try Data(contentsOf: URL(fileURLWithPath: path))
      campaign("frames HDF5", seed: 7, words: [], good: good, file: "frames.h5", in: folder) {
        let found = try numbers()
        #expect(found == expected)
      }
    }
  }

  @Test func noSpeechArchiveCrashes() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/speech.h5"
      let file = try HDF5.File.create(path)
      try file.setAttribute("sample_rate", 8000.0)
      try file.write((0..<2000).map { Int16($0 % 77) }, to: "pcm", fletcher32: true)
      try file.write([0, 900, 2000], to: "offset", fletcher32: true)
      try file.write([1, 2], to: "speaker", fletcher32: true)
      try file.close()
      func samples() throws -> [[Float]] {
        let archive = try SpeechArchive(path)
        return try archive.utterances.indices.map { try archive.samples(of: $0) }
      }
      let expected = try samples()
      let good = try Data(contentsOf: URL(fileURLWithPath: path))
      campaign("speech HDF5", seed: 8, words: [], good: good, file: "speech.h5", in: folder) {
        let found = try samples()
        #expect(found == expected)
      }
    }
  }
}
