// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

@Suite struct ArchiveTests {
  static let header = """
    # a comment
    @problemName Small
    @timeStamps false
    @univariate false
    @classLabel true down up
    @data

    """

  private func read(train: String, test: String? = nil) throws -> SequenceArchive {
    try Places.withTemporaryFolder { folder in
      try train.write(toFile: "\(folder)/Small_TRAIN.ts", atomically: true, encoding: .utf8)
      try (test ?? train).write(
        toFile: "\(folder)/Small_TEST.ts", atomically: true, encoding: .utf8)
      return try TSArchive.read([folder])
    }
  }

  /// The error message for an archive.
  private func problem(_ train: String, test: String? = nil) -> String {
    do {
      _ = try read(train: train, test: test)
      return "nothing"
    } catch {
      return "\(error)"
    }
  }

  @Test func tsSequencesAreReadStepByStep() throws {
    let archive = try read(
      train: Self.header + "1,2,3:10,20,30:up\r\n\n4 , 5:40,50:down\n", test: Self.header + "9:8:up"
    )
    #expect(archive.features == 2 && archive.classNames == ["down", "up"])
    #expect(archive.train.sequences == [[1, 10, 2, 20, 3, 30], [4, 40, 5, 50]])
    #expect(archive.train.classes == [1, 0])
    #expect(archive.test.sequences == [[9, 8]] && archive.steps == 1...3)
  }

  @Test func tsMistakesAreNamedWithTheirLine() {
    let header = Self.header
    #expect(problem(header + "1,2:3:up").contains("TRAIN.ts:7: dimension 2 has 1 values"))
    #expect(problem(header + "1:3:up\n1:2:3:up").contains("TRAIN.ts:8: has 3 dimensions"))
    #expect(problem(header + "1,?:3,4:up").contains("TRAIN.ts:7: has a missing value"))
    #expect(problem(header + "1,x:3,4:up").contains("\"x\" is not a number"))
    #expect(problem(header + "1:2:left").contains("\"left\" is not one of down up"))
    #expect(problem("1,2:3,4:up").contains("TRAIN.ts:1: a line of data before @data"))
    #expect(problem("@classLabel false\n@data\n1:2").contains("have no class"))
    #expect(problem("# nothing").contains("has no @data line"))
    #expect(problem(header).contains("has no training sequence"))
    #expect(problem(header + "1:2:up", test: header + "1:up").contains("has 1 dimensions"))
    #expect(throws: DatasetError.self) { try TSArchive.read(["/nowhere"]) }
  }

  private func table(
    _ train: String, _ test: String? = nil, _ change: (inout CSVFormat) -> Void = { _ in }
  ) throws -> SequenceArchive {
    var format = CSVFormat()
    change(&format)
    return try Places.withTemporaryFolder { folder in
      var paths = ["\(folder)/train.csv"]
      try train.write(toFile: paths[0], atomically: true, encoding: .utf8)
      if let test {
        paths.append("\(folder)/test.csv")
        try test.write(toFile: paths[1], atomically: true, encoding: .utf8)
      }
      return try CSVTable.read(paths, format)
    }
  }

  @Test func csvLabelsAreWordsNumbersOrPlacesOfAOne() throws {
    let oneHot = try table("1,2,3,4,0010\n5,6,7,8,1000\n1,1,1,1,0100", "9,9,9,9,0010") {
      $0.features = 2
    }
    #expect(oneHot.classNames == ["0", "1", "2", "3"] && oneHot.train.classes == [2, 0, 1])
    #expect(oneHot.test.classes == [2] && oneHot.steps == 2...2)
    let numbers = try table("a;b\n10;1;2\n9;3;4\n9;5", "a;b\n10;1") {
      $0.labelComesFirst = true
      $0.headerLines = 1
      $0.separator = ";"
    }
    #expect(numbers.classNames == ["9", "10"] && numbers.train.classes == [1, 0, 0])
    #expect(numbers.train.sequences == [[1, 2], [3, 4], [5]])
    let words = try table("1 2  yes\n3 4 no\n", "5 6 no") { $0.separator = " " }
    #expect(words.classNames == ["no", "yes"] && words.train.sequences[0] == [1, 2])
  }

  @Test func oneTableIsSplit() throws {
    let lines = (0..<50).map { "\($0),\($0 % 2 == 0 ? "even" : "odd")" }
    let archive = try table(lines.joined(separator: "\n")) { $0.testShare = 0.3 }
    #expect(archive.train.classes.count == 35 && archive.test.classes.count == 15)
    #expect(
      Set((archive.train.sequences + archive.test.sequences).map { $0[0] })
        == Set((0..<50).map { Float($0) }))
  }

  @Test func csvMistakesAreNamed() {
    func problem(_ train: String, _ test: String? = nil, features: Int = 1) -> String {
      do {
        _ = try table(train, test) { $0.features = features }
        return "nothing"
      } catch { return "\(error)" }
    }
    #expect(problem("1,2,3,a", features: 2).contains("train.csv:1: has 3 numbers"))
    #expect(problem("1,a\n1,,b").contains("train.csv:2: has a missing value"))
    #expect(problem("x,a").contains("\"x\" is not a number"))
    #expect(problem("1,2,").contains("has no class"))
    #expect(problem("1,a\n2,a", "3,a").contains("has only one class, a"))
    #expect(
      problem("1,a\n2,b", "3,c").contains("has the class \"c\", which the training part lacks"))
  }

  @Test func filesKeepLengthsClassesAndStatistics() throws {
    let archive = try read(
      train: Self.header + "1,2,3:7,7,7:up\n5,4:7,7:down\n", test: Self.header + "3:8:up\n3:6:down")
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/set.h5"
      try archive.write(to: path, normalising: true)
      #expect(try DatasetPlace(path).isRagged())
      let train = try SequenceFileSource(path, task: "classification", part: .train)
      #expect((train.count, train.steps, train.features) == (2, 3, 2))
      #expect((0..<2).map { train.length(of: $0) } == [3, 2])
      #expect(train.targetKind == .classes(2))
      let x = Tensor<Float>(shape: [3, 2, 2])
      x.fill(9)
      let classes = try train.read([1, 0], into: x).whole
      #expect(classes == [0, 1])
      // Mean 3 and variance 2 of the first feature; the second never changes.
      let expected: [Float] = [2, 0, -2, 0, 1, 0, -1, 0, 0, 0, 0, 0]
      for (a, b) in zip(x.array, expected) { #expect(abs(a - b / Float(2).squareRoot()) < 1e-6) }
      let test = try SequenceFileSource(path, task: "classification", part: .test)
      #expect(test.steps == 1 && test.count == 2)
    }
  }

  @Test func filesWithSpoiledShapesAreRefused() throws {
    try Places.withTemporaryFolder { (folder: String) throws -> Void in
      func problem(_ body: (HDF5.File) throws -> Void) throws -> String {
        let path = "\(folder)/\(UUID().uuidString).h5"
        let file = try HDF5.File.create(path)
        try file.setAttribute("format_version", 1)
        try file.setAttribute("task", "classification")
        try file.setAttribute("classes", 2)
        try body(file)
        try file.close()
        do {
          _ = try SequenceFileSource(path, task: "classification", part: .train)
          return "nothing"
        } catch { return error.description }
      }
      func write(_ offsets: [Int], _ labels: [Int32], _ rows: [Float]) -> (HDF5.File) throws -> Void
      {
        { file in
          try file.write(rows, to: "train/inputs", shape: [rows.count, 1])
          try file.write(offsets, to: "train/offsets")
          try file.write(labels, to: "train/targets")
        }
      }
      #expect(try problem(write([0, 2, 3], [0, 1], [1, 2, 3])) == "nothing")
      #expect(try problem(write([0, 2, 4], [0, 1], [1, 2, 3])).contains("does not end at 3"))
      #expect(try problem(write([0, 3, 3], [0, 1], [1, 2, 3])).contains("needs a step or more"))
      #expect(try problem(write([0, 2, 3], [0, 2], [1, 2, 3])).contains("outside 0..<2"))
      #expect(try problem(write([0, 2, 3], [0], [1, 2, 3])).contains("for 2 sequences"))
      #expect(try problem(write([0, 2, 3], [0, 1], [1, .nan, 3])).contains("holds nan"))
    }
  }

  /// The real archive, if it is next to the package.
  @Test(
    .enabled(if: Places.shared != nil, Comment(rawValue: Places.sharedReason)))
  func japaneseVowels() throws {
    let archive = try TSArchive.read(["\(Places.shared!)/data/japanese-vowels"])
    #expect(archive.train.classes.count == 270 && archive.test.classes.count == 370)
    #expect(archive.features == 12 && archive.steps == 7...29 && archive.classNames.count == 9)
  }
}
