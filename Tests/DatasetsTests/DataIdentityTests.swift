// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// The identity of data. It must depend only on the numbers.
@Suite struct DataIdentityTests {
  static let count = 4000
  static let width = 12
  static func value(_ place: Int) -> Float { Float((place &* 7919) % 1009) / 8 }

  /// Sequences [N, T, 1] with two classes, split into files of these numbers of sequences.
  static func write(
    _ counts: [Int], in folder: String, changing: Int? = nil, ours: Bool, deflate: Int? = nil
  ) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var first = 0
    for (number, count) in counts.enumerated() {
      let path = "\(folder)/\(number).h5"
      let values = (first * width..<(first + count) * width).map {
        $0 == changing ? value($0) + 1 : value($0)
      }
      func fill(_ file: HDF5.File) throws {
        try file.write(
          values, to: "train/inputs", shape: [count, width, 1], deflate: deflate)
        try file.write((first..<first + count).map { Int32($0 % 2) }, to: "train/targets")
        guard ours else { return }
        try file.setAttribute("format_version", 1)
        try file.setAttribute("task", "classification")
        try file.setAttribute("classes", 2)
      }
      if ours {
        try DatasetFile.create(at: path, fill)
      } else {
        let file = try HDF5.File.create(path)
        try fill(file)
        try file.close()
      }
      first += count
    }
  }

  /// Another name for the offsets makes any file the user's own.
  static func identity(
    _ folder: String, memoryLimit: Int = 1 << 30
  ) throws -> DataIdentity.Part {
    var place = DatasetPlace("\(folder)/*.h5")
    place.offsets = "{part}/begins"
    place.memoryLimit = memoryLimit
    return try FileSource(place, part: .train, view: .rows).identity()
  }

  /// The checksums in a file that `prepare` made give the same identity as the numbers.
  @Test func dependsOnTheNumbersAlone() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write([Self.count], in: "\(folder)/own", ours: false)
      let known = try Self.identity("\(folder)/own")
      #expect((known.count, known.steps, known.features, known.kind) == (4000, 12, 1, "classes 2"))
      #expect(known.inputs?.crc32 != nil && known.targets?.crc32 != nil)
      try Self.write([Self.count], in: "\(folder)/prepared", ours: true)
      try Self.write([1, 2600, 1399], in: "\(folder)/cut", ours: true, deflate: 4)
      try Self.write([3000, 1000], in: "\(folder)/own-cut", ours: false, deflate: 1)
      for name in ["prepared", "cut", "own-cut"] {
        let other = try Self.identity("\(folder)/\(name)")
        #expect(other.changes(since: known, "train").isEmpty, "\(name)")
        #expect(other.inputs?.crc32 == known.inputs?.crc32, "\(name)")
        // If a file has checksums, its inputs are not read.
        let isPrepared = !name.hasPrefix("own")
        #expect((other.inputs?.sample == nil) == isPrepared, "\(name)")
      }
      // A streamed file has only the sample; a file of ours has its own checksums.
      let streamed = try Self.identity("\(folder)/own", memoryLimit: 0)
      #expect(streamed.inputs?.crc32 == nil && streamed.inputs?.sample == known.inputs?.sample)
      #expect(
        try Self.identity("\(folder)/cut", memoryLimit: 0).inputs?.crc32 == known.inputs?.crc32)
    }
  }

  /// One number of 48,000, wherever it is.
  @Test(arguments: [0, 20_011, 47_999]) func oneOtherNumberIsSeen(place: Int) throws {
    try Places.withTemporaryFolder { folder in
      for ours in [true, false] {
        try Self.write([Self.count], in: "\(folder)/\(ours)", ours: ours)
        try Self.write([Self.count], in: "\(folder)/\(ours)-other", changing: place, ours: ours)
        let known = try Self.identity("\(folder)/\(ours)")
        let changes = try Self.identity("\(folder)/\(ours)-other").changes(since: known, "train")
        #expect(
          changes == ["the inputs of the train part are not those that the run learned from"])
      }
    }
  }

  /// The first and the last row are always among those that are looked at, and no row is twice.
  @Test(arguments: [1, 2, 300, 4096, 1_000_003]) func samplesSpanTheRows(rows: Int) {
    for rowBytes in [1, 100, 5000, 1 << 20, 1 << 27] {
      let sample = Fingerprint.sampledRows(of: rows, rowBytes: rowBytes)
      #expect(sample.first?.lowerBound == 0 && sample.last?.upperBound == rows)
      #expect(zip(sample, sample.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
      #expect(sample.count <= 256)
    }
  }

  /// Tokens are compared by bytes: a letter with a combining accent differs from the accented
  /// letter.
  @Test func vocabulariesAreTheirBytesInOrder() throws {
    func identity(_ tokens: [String], _ level: TextLevel = .word) -> VocabularyIdentity {
      Vocabulary(level: level, tokens: tokens).identity
    }
    let known = identity(["ab", "c", "d"])
    #expect(identity(["ab", "c", "d"]) == known)
    for other in [["c", "ab", "d"], ["a", "bc", "d"], ["ab", "c", "e"], ["ab", "c"]] {
      #expect(identity(other).sha256 != known.sha256, "\(other)")
    }
    #expect(identity(["ab", "c", "d"], .character).sha256 != known.sha256)
    #expect(identity(["\u{e9}"]).sha256 != identity(["e\u{301}"]).sha256)
    let run = Vocabulary(level: .word, tokens: ["the", "cat", "sat"])
    let other = Vocabulary(level: .word, tokens: ["sat", "the"])
    #expect(try other.numbers(in: run, "x.h5", cure: "none") == [2, 0])
    let error = #expect(throws: DatasetError.self) {
      try Vocabulary(level: .word, tokens: ["sat", "dog", "the"]).numbers(
        in: run, "x.h5", cure: "give it back")
    }
    #expect(
      error?.description
        == "x.h5: word 1 of its vocabulary is \"dog\", which the run did not learn; give it back")
  }

  @Test func classesGoByTheirNames() throws {
    let numbering = try ClassNumbering(["c", "a"], as: ["a", "b", "c"], "x.h5", cure: "none")
    #expect(numbering.numbers == [2, 0] && !numbering.isSame)
    #expect(try ClassNumbering(["a", "b"], as: ["a", "b", "c"], "x.h5", cure: "none").isSame)
    let error = #expect(throws: DatasetError.self) {
      try ClassNumbering(["b", "d"], as: ["a", "b", "c"], "x.h5", cure: "none")
    }
    #expect(
      error?.problem
        == "class 1 is \"d\", which the run did not learn: it knows \"a\", \"b\", \"c\"")
  }

  /// Different meanings are detected, and the message names the first difference.
  @Test func otherStatisticsAreNamed() throws {
    func meaning(_ mean: [Double]?, scaling: Double = 1) -> DataMeaning {
      var meaning = DataMeaning()
      meaning.scaling = scaling
      meaning.statistics = mean.map { .init(sha256: "\($0)", mean: $0, deviation: [1, 1]) }
      return meaning
    }
    let known = meaning([0.5, 2])
    #expect(known.conflict(with: known) == nil)
    #expect(
      meaning([0.5, 3]).conflict(with: known)?.contains("feature_mean[1] is 3.0, not 2.0") == true)
    #expect(meaning(nil).conflict(with: known)?.contains("not normalised") == true)
    #expect(known.conflict(with: meaning(nil))?.contains("feature_mean[0] is 0.5") == true)
    #expect(
      meaning(nil, scaling: 2).conflict(with: meaning(nil))?.contains("multiplied by 2.0") == true)
  }

  /// Parts under other common names, in a user's own files.
  @Test(arguments: ["valid", "val", "eval", "dev"]) func partsOfOtherNames(name: String) throws {
    try Places.withTemporaryFolder { folder in
      let file = try HDF5.File.create("\(folder)/own.h5")
      for (part, count) in [("train", 3), (name, 2)] {
        try file.write(
          (0..<count * 4).map { Float($0) }, to: "\(part)/x", shape: [count, 4, 1])
        try file.write((0..<count).map { Int32($0 % 2) }, to: "\(part)/y")
      }
      try file.close()
      var place = DatasetPlace("\(folder)/own.h5")
      (place.inputs, place.targets) = ("{part}/x", "{part}/y")
      #expect(try place.holds(.validation))
      #expect(try !place.holds(.test))
      let source = try FileSource(place, part: .validation, view: .rows)
      #expect(source.count == 2)
      #expect(throws: DatasetError.self) { try place.measuredPart(nil) }
      #expect(try place.measuredPart(.validation) == .validation)
      place.inputs = "\(name)/x"
      #expect(try place.measuredPart(nil) == .train, "the names are of one part")
    }
  }

  @Test func twoPartsThatCouldBeMeantAreRefused() throws {
    try Places.withTemporaryFolder { folder in
      let file = try HDF5.File.create("\(folder)/own.h5")
      for part in ["train", "valid", "dev"] {
        try file.write([Float](repeating: 0, count: 4), to: "\(part)/x", shape: [2, 2, 1])
        try file.write([Int32(0), 1], to: "\(part)/y")
      }
      try file.close()
      var place = DatasetPlace("\(folder)/own.h5")
      (place.inputs, place.targets) = ("{part}/x", "{part}/y")
      let error = #expect(throws: DatasetError.self) {
        try FileSource(place, part: .validation, view: .rows)
      }
      #expect(error?.problem.contains("has valid and dev") == true)
    }
  }

  @Test func identitiesAreReadBack() throws {
    var identity = DataIdentity()
    identity.meaning.classNames = ["a", "b\n\"c\""]
    identity.meaning.vocabulary = Vocabulary(level: .word, tokens: ["x"]).identity
    identity.heldOut = 12
    identity.parts["train"] = .init(
      count: 3, steps: 4, features: 1, kind: "classes 2",
      inputs: Fingerprint(shape: [3, 4, 1], crc32: 0x1a2b, sample: .max))
    let read = try JSONDecoder().decode(DataIdentity.self, from: Data(identity.json.utf8))
    #expect(read == identity)
    #expect(read.parts["train"]?.inputs?.crc32 == "00001a2b")
    #expect(identity.changes(since: read).isEmpty && identity.validatesAlike(read))
    var other = identity
    other.heldOut = 11
    #expect(other.changes(since: identity).isEmpty && !other.validatesAlike(identity))
    other.parts["train"]?.count = 4
    #expect(
      other.changes(since: identity).first
        == "the train part has 4 sequences, but the run learned from 3")
  }
}
