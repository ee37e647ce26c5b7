// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// Several files of sequences of unequal lengths, of frames or of text, which count as one.
@Suite struct JoinedFilesTests {
  /// Ragged sequences that count up from one file to the next: row r of the whole is [r, -r], and
  /// sequence i has the label i.
  private func write(
    _ lengths: [[Int]], in folder: String, inputs: String = "train/inputs",
    targets: String? = "train/targets", offsets: String = "train/offsets",
    changing: (Int, HDF5.File) throws -> Void = { _, _ in }
  ) throws {
    var (row, label) = (0, 0)
    for (number, lengths) in lengths.enumerated() {
      let file = try HDF5.File.create("\(folder)/\(number).h5")
      let rows = row..<row + lengths.reduce(0, +)
      try file.write(
        rows.flatMap { [Float($0), Float(-$0)] }, to: inputs, shape: [rows.count, 2])
      try file.write(lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }, to: offsets)
      if let targets {
        try file.write(lengths.indices.map { Int32(label + $0) }, to: targets)
      }
      try changing(number, file)
      try file.close()
      (row, label) = (rows.upperBound, label + lengths.count)
    }
  }

  private func header(_ task: String, classes: Int = 5) -> (Int, HDF5.File) throws -> Void {
    { _, file in
      try file.setAttribute("format_version", 1)
      try file.setAttribute("task", task)
      try file.setAttribute("classes", classes)
    }
  }

  private func place(_ files: String, memoryLimit: Int = 0) -> DatasetPlace {
    var place = DatasetPlace(files)
    place.memoryLimit = memoryLimit
    return place
  }

  @Test(arguments: [0, 1 << 20]) func raggedSequences(memoryLimit: Int) throws {
    try Places.withTemporaryFolder { folder in
      try write([[3, 1], [2], [4, 1]], in: folder, changing: header("classification"))
      let place = place("\(folder)/*.h5", memoryLimit: memoryLimit)
      #expect(try place.isRagged())
      let source = try SequenceFileSource(place, task: "classification", part: .train)
      #expect((source.count, source.steps, source.features) == (5, 4, 2))
      #expect((0..<5).map { source.length(of: $0) } == [3, 1, 2, 4, 1])
      let x = Tensor<Float>(shape: [4, 3, 2])
      try source.prefetch([3, 0])
      let labels = try source.read([3, 2, 0], into: x).whole
      #expect(labels == [3, 2, 0])
      let firstFeature = stride(from: 0, to: x.array.count, by: 2).map { x.array[$0] }
      #expect(firstFeature == [6, 4, 0, 7, 5, 1, 8, 0, 2, 9, 0, 0])
    }
  }

  /// A user's own files, which have no attributes, by the names of their datasets.
  @Test func theUsersOwnRaggedFiles() throws {
    try Places.withTemporaryFolder { folder in
      try write([[2, 1], [3]], in: folder, inputs: "x", targets: "y", offsets: "begins")
      var place = place("\(folder)/*.h5")
      (place.inputs, place.targets, place.offsets) = ("x", "y", "begins")
      #expect(try place.isRagged())
      let source = try SequenceFileSource(place, task: "classification", part: .train)
      #expect((source.count, source.targetKind) == (3, .classes(3)))
      let known = try SequenceFileSource(
        place, task: "classification", part: .train, classes: 7)
      #expect(known.targetKind == .classes(7))
      place.classes = 2
      let error = #expect(throws: DatasetError.self) {
        try SequenceFileSource(place, task: "classification", part: .train)
      }
      #expect(error?.description.contains("y[0] is 2, outside 0..<2") == true)
    }
  }

  @Test(arguments: [0, 1 << 20]) func frames(memoryLimit: Int) throws {
    try Places.withTemporaryFolder { folder in
      try write([[3, 2], [5]], in: folder, targets: nil) { number, file in
        try header("next_frame")(number, file)
        try file.write([0.5, 1.5], to: "feature_mean")
        try file.group("train").setAttribute("persistence_error", number == 0 ? 0.2 : 0.9)
      }
      let source = try NextFrameSource(
        place("\(folder)/*.h5", memoryLimit: memoryLimit), part: .train)
      #expect((source.count, source.steps) == (3, 4))
      // Three frames are predicted in the first file, four in the second.
      expectClose(
        [try #require(source.persistenceError)], [(3 * 0.2 + 4 * 0.9) / 7], relative: 1e-12, "mean")
      let (x, targets) = (Tensor<Float>(shape: [4, 2, 2]), Tensor<Float>(shape: [4, 2, 2]))
      try source.read([2, 1], steps: 4, into: x, targets: targets)
      let firstFeature = { (t: Tensor<Float>) in
        stride(from: 0, to: t.array.count, by: 2).map { t.array[$0] }
      }
      #expect(firstFeature(x) == [5, 3, 6, 0, 7, 0, 8, 0])
      #expect(firstFeature(targets) == [6, 4, 7, 0, 8, 0, 9, 0])
    }
  }

  /// Files normalised by the statistics of different training parts do not fit together.
  @Test func framesNormalisedApartAreRefused() throws {
    try Places.withTemporaryFolder { folder in
      try write([[3], [2]], in: folder, targets: nil) { number, file in
        try header("next_frame")(number, file)
        try file.write([0.5, Double(number)], to: "feature_mean")
      }
      let error = #expect(throws: DatasetError.self) {
        try NextFrameSource(place("\(folder)/*.h5"), part: .train)
      }
      let line = try #require(error).description
      #expect(
        line.hasPrefix("\(folder)/1.h5: its feature_mean differs from that of \(folder)/0.h5"))
    }
  }

  /// Rows are read in blocks with one checksum, of which a sequence may be a part.
  @Test func blocksOfRowsAreCompared() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/long.h5"
      let lengths = [700, 1, 1500, 3]
      let starts = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
      try DatasetFile.create(at: path) { file in
        try header("classification")(0, file)
        let values = (0..<starts[4]).map { Float($0) }
        try file.write(values, to: "train/inputs", shape: [values.count, 1])
        try file.write(starts, to: "train/offsets")
        try file.write([Int32(0), 1, 2, 3], to: "train/targets")
      }
      func rows(_ index: Int) throws -> [Float] {
        let source = try SequenceFileSource(place(path), task: "classification", part: .train)
        let x = Tensor<Float>(shape: [lengths[index], 1, 1])
        _ = try source.read([index], into: x)
        return x.array
      }
      for index in 0..<4 {
        #expect(try rows(index) == (starts[index]..<starts[index + 1]).map { Float($0) })
      }
      // The second of the blocks of 1,024 rows is damaged, in a file without HDF5's checksum.
      let file = try HDF5.File.open(path, .readWrite)
      let inputs = try file.dataset("train/inputs")
      try inputs.write([Float(-1)].span, at: [1500, 0], count: [1, 1])
      try file.close()
      #expect(try rows(0).count == 700)
      #expect(throws: DatasetError.self) { try rows(2) }
    }
  }

  private func writeText(_ tokens: [[Int32]], vocabularies: [[String]], in folder: String) throws {
    for (number, tokens) in tokens.enumerated() {
      let file = try HDF5.File.create("\(folder)/\(number).h5")
      try header("language_model")(number, file)
      try Vocabulary(level: .word, tokens: vocabularies[number % vocabularies.count])
        .write(to: file)
      try file.write(tokens, to: "train/tokens")
      try file.close()
    }
  }

  /// Columns cross the border between two files.
  @Test(arguments: [0, 1 << 20]) func text(memoryLimit: Int) throws {
    try Places.withTemporaryFolder { folder in
      let words = (0..<12).map { "w\($0)" }
      try writeText(
        [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9, 10, 11]], vocabularies: [words], in: folder)
      let file = try TextFile(place("\(folder)/*.h5", memoryLimit: memoryLimit))
      let columns = try file.columns(of: .train, count: 3, own: 1..<3)
      #expect(columns.isInMemory == (memoryLimit > 0))
      #expect(columns.length == 4)
      try columns.prefetch(1..<4)
      #expect(try columns.tokens(at: 1..<4) == [5, 9, 6, 10, 7, 11])
      #expect(try columns.tokens(at: 0..<2) == [4, 8, 5, 9])
    }
  }

  @Test func textsOfAnotherVocabularyAreRefused() throws {
    try Places.withTemporaryFolder { folder in
      try writeText([[0, 1], [1, 0]], vocabularies: [["a", "b"], ["b", "a"]], in: folder)
      let error = #expect(throws: DatasetError.self) { try TextFile(place("\(folder)/*.h5")) }
      #expect(try #require(error).description.contains("its vocabulary differs from that of"))
    }
  }

  @Test func whatDoesNotFitTogetherIsRefused() throws {
    func problem(_ changing: (Int, HDF5.File) throws -> Void) throws -> String {
      try Places.withTemporaryFolder { folder in
        try write([[2], [1]], in: folder, changing: changing)
        let error = #expect(throws: DatasetError.self) {
          try SequenceFileSource(
            place("\(folder)/*.h5"), task: "classification", part: .train)
        }
        return try #require(error).description
      }
    }
    let classes = try problem { try header("classification", classes: 4 + $0)($0, $1) }
    #expect(classes.contains("1.h5: has 5 classes"), "\(classes)")
    let task = try problem { try header($0 == 0 ? "classification" : "adding")($0, $1) }
    #expect(task.contains("1.h5: is for the task adding"))
    let names = try problem { number, file in
      try header("classification")(number, file)
      try file.setAttribute("class_names", "a\nb\(number)")
    }
    #expect(names.contains("its list of classes differs from that of"))
    let statistics = try problem { number, file in
      try header("classification")(number, file)
      try file.setAttribute("feature_mean", [Double(number)])
    }
    #expect(statistics.contains("its feature_mean differs"))
    let symbols = try problem { number, file in
      try header("classification")(number, file)
      try file.setAttribute("symbols", Int.max)
    }
    #expect(symbols.contains("has the attribute symbols="))
    let huge = try problem { try header("classification", classes: 1 << 62)($0, $1) }
    #expect(huge.contains("has the attributes classes="))
  }
}
