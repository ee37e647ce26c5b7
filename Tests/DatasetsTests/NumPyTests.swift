// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import TestSupport
import Testing

@testable import Datasets

/// NumPy's files, read and written.
@Suite struct NumPyTests {
  /// What numpy.savez_compressed wrote: x float32 [2, 3, 2], y big-endian int16 [2], f uint8 [2, 3] in
  /// Fortran order, n text [2], h float16 [2].
  static let archive = """
    UEsDBC0AAAAIAAAAIQCMuU6j//////////8FABQAeC5ucHkBABAAsAAAAAAAAABqAAAAAAAAAJvsF+obEMnIUMZQrZ6S
    WpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsY6CkaaOgq1CuQBLgYwaLADEvYMDA5A
    3ADEC4D4ABA/AGIGBwYGASBWAGIDBwBQSwMELQAAAAgAAAAhADnY4I7//////////wUAFAB5Lm5weQEAEACEAAAAAAAA
    AEgAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpdppK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqa
    Ogq1ChQALgbG//8AUEsDBC0AAAAIAAAAIQAjyOf+//////////8FABQAZi5ucHkBABAAhgAAAAAAAABLAAAAAAAAAJvs
    F+obEMnIUMZQrZ6SWpxcpG6loF5Taqiuo6Cell9UUpSYF59flJIKEg8pKk0FChdnJBakArkaRjoKxpo6CrUK5AMuBmZG
    FiZWAFBLAwQtAAAACAAAACEAjKzAzP//////////BQAUAG4ubnB5AQAQAJAAAAAAAAAAUAAAAAAAAACb7BfqGxDJyFDG
    UK2eklqcXKRupaBuE2qkrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFACuUgYGhgIgTgHib0AM
    AFBLAwQtAAAACAAAACEALdwB5v//////////BQAUAGgubnB5AQAQAIQAAAAAAAAASAAAAAAAAACb7BfqGxDJyFDGUK2e
    klqcXKRupaBuk2akrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBguGQwBQSwECLQMtAAAA
    CAAAACEAjLlOo2oAAACwAAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQSwECLQMtAAAACAAAACEAOdjgjkgAAACEAAAA
    BQAAAAAAAAAAAAAAgAGhAAAAeS5ucHlQSwECLQMtAAAACAAAACEAI8jn/ksAAACGAAAABQAAAAAAAAAAAAAAgAEgAQAA
    Zi5ucHlQSwECLQMtAAAACAAAACEAjKzAzFAAAACQAAAABQAAAAAAAAAAAAAAgAGiAQAAbi5ucHlQSwECLQMtAAAACAAA
    ACEALdwB5kgAAACEAAAABQAAAAAAAAAAAAAAgAEpAgAAaC5ucHlQSwUGAAAAAAUABQD/AAAAqAIAAAAA
    """

  private func withFile<Result>(
    _ bytes: [UInt8], _ name: String, _ body: (String) throws -> Result
  ) throws -> Result {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/\(name)"
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      return try body(path)
    }
  }

  private var bytes: [UInt8] {
    get throws {
      Array(try #require(Data(base64Encoded: Self.archive, options: .ignoreUnknownCharacters)))
    }
  }

  @Test func whatNumPyWroteIsRead() throws {
    try withFile(bytes, "a.npz") { path in
      let archive = try NumPyArchive(path)
      #expect(archive.names == ["x", "y", "f", "n", "h"])
      let x = try #require(archive["x"])
      #expect(x.shape == [2, 3, 2])
      #expect(try x.floats() == (0..<12).map { Float($0) / 4 })
      #expect(try archive["y"]?.wholeNumbers() == [1, -2])
      #expect(try archive["f"]?.floats() == [0, 1, 2, 3, 4, 5])
      #expect(archive["n"]?.texts == ["up", "dö"])
      #expect(try archive["h"]?.doubles() == [0.5, -3])
    }
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    var writer = NumPyArchiveWriter()
    writer.add("x", [1.5, -2, .greatestFiniteMagnitude, 0, 5, 6] as [Float], shape: [3, 2])
    writer.add("features/conv1", [7, -1] as [Int32], shape: [2])
    writer.add("names", ["a", "größer", ""])
    try withFile(writer.archive, "a.npz") { path in
      let archive = try NumPyArchive(path)
      #expect(archive.names == ["x", "features/conv1", "names"])
      #expect(
        try archive["x"]?.floats() == [1.5, -2, .greatestFiniteMagnitude, 0, 5, 6])
      #expect(archive["x"]?.shape == [3, 2])
      #expect(try archive["features/conv1"]?.wholeNumbers() == [7, -1])
      #expect(archive["names"]?.texts == ["a", "größer", ""])
    }
  }

  /// A changed number of a stored member is refused.
  @Test func checksumsAreCompared() throws {
    var writer = NumPyArchiveWriter()
    writer.add("x", [Float](repeating: 1, count: 64), shape: [64])
    var damaged = writer.archive
    let place = try #require(damaged.lastIndex(of: 0x3f))
    damaged[place] = 0x3e
    try withFile(damaged, "a.npz") { path in
      #expect(throws: DatasetError.self) { try NumPyArchive(path) }
    }
  }

  /// Every truncated file and every changed byte is refused or read, and none ends the process.
  @Test func damagedArchivesAreRefused() throws {
    let whole = try bytes
    try Places.withTemporaryFolder { folder in
      var refused = 0
      for place in stride(from: 0, to: whole.count, by: 3) {
        var changed = whole
        changed[place] ^= 0xff
        for damaged in [changed, Array(whole[..<place])] {
          let path = "\(folder)/a.npz"
          try Data(damaged).write(to: URL(fileURLWithPath: path))
          do {
            let archive = try NumPyArchive(path)
            for name in archive.names { _ = try archive[name]?.doubles() }
            if let x = try archive["x"]?.floats() {
              #expect(x == (0..<12).map { Float($0) / 4 }, "\(place)")
            }
          } catch {
            #expect("\(error)".hasPrefix(path), "\(error)")
            refused += 1
          }
        }
      }
      #expect(refused > whole.count / 2, "\(refused)")
    }
  }

  /// Damaged headers and numbers are refused in one line that names the file, or read.
  @Test func noArrayCrashes() throws {
    let words = [
      "'shape': (", "(99999999999999999999,)", "(4611686018427387904, 4)", "(-1,)", "(0, 3)", "<f8",
      ">i2", "|O", "<U9", "|b1", "True", "{", "\u{0}",
    ]
    let numbers = (0..<12).flatMap { place -> [UInt8] in
      let bits = Float(place).bitPattern
      return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
    }
    let good = Data(NumPyArray.file(type: "<f4", shape: [2, 3, 2], data: numbers))
    try Places.withTemporaryFolder { folder in
      let tally = ByteMutator.campaign(".npy", seed: 21, words: words, good: good) { data in
        try data.write(to: URL(fileURLWithPath: "\(folder)/a.npy"))
        let sequences = try UnlabelledSequences("\(folder)/a.npy", UnlabelledFormat())
        _ = try PlainSequences(sequences, kind: .classes(2))
      } judge: { error, number in
        #expect(error is DatasetError, "\(number): \(error)")
        #expect(!"\(error)".contains("\n") && "\(error)".contains(folder), "\(number): \(error)")
      }
      #expect(tally.refused > ByteMutator.count / 20, "\(tally)")
    }
  }
}
