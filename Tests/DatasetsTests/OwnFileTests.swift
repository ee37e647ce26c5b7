// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// A user's own files: labels and inputs of many kinds, and attributes without a meaning here.
@Suite struct OwnFileTests {
  /// Writes a file of sequences [6, 2, 3] with labels from `write`, and opens it under other names.
  private func source(
    in folder: String, known: Int? = nil, classes: Int = 0, inputs: Bool = true,
    memoryLimit: Int = 1 << 20, _ write: (HDF5.File) throws -> Void
  ) throws -> FileSource {
    let path = "\(folder)/own.h5"
    let file = try HDF5.File.create(path)
    if inputs {
      try file.write((0..<36).map { Float($0) }, to: "train/x", shape: [6, 2, 3])
    }
    try write(file)
    try file.close()
    var place = DatasetPlace(path)
    (place.inputs, place.targets) = ("{part}/x", "{part}/y")
    (place.classes, place.memoryLimit) = (classes, memoryLimit)
    return try FileSource(place, part: .train, classes: known, view: .rows)
  }

  private func labels(_ source: FileSource) throws -> [Int32] {
    let x = Tensor<Float>(shape: [source.steps, source.count, source.features])
    let labels = try source.read(Array(0..<source.count)[...], into: x).whole
    return labels
  }

  private func labels<Scalar: HDF5Scalar>(
    _ values: [Scalar], shape: [Int]? = nil, classes: Int = 0
  ) throws -> (labels: [Int32], classes: Int, notes: [String]) {
    try Places.withTemporaryFolder { folder in
      let source = try source(in: folder, classes: classes) {
        try $0.write(values, to: "train/y", shape: shape)
      }
      return (try labels(source), source.targetKind.outputs, source.notes)
    }
  }

  private func problem<Scalar: HDF5Scalar>(_ values: [Scalar], shape: [Int]? = nil) -> String {
    do {
      return "taken as \(try labels(values, shape: shape).labels)"
    } catch {
      return "\(error)"
    }
  }

  /// Each of these means the classes 0, 2, 1, 0, 1, 2.
  @Test func whatIsPlainlyAClassIsTaken() throws {
    let expected: [Int32] = [0, 2, 1, 0, 1, 2]
    #expect(try labels(expected).labels == expected)
    #expect(try labels(expected.map { UInt8($0) }).labels == expected)
    #expect(try labels(expected.map { UInt64($0) }).labels == expected)
    #expect(try labels(expected.map { Double($0) }).labels == expected)
    #expect(try labels(expected.map { Float($0) }, shape: [6, 1]).labels == expected)
    var oneHot = [Int](repeating: 0, count: 24)
    for (row, label) in expected.enumerated() { oneHot[row * 4 + Int(label)] = 1 }
    let wide = try labels(oneHot.map { UInt8($0) }, shape: [6, 4])
    #expect(wide.labels == expected && wide.classes == 4)
    #expect(try labels(oneHot.map { Float($0) }, shape: [6, 4]).labels == expected)
  }

  @Test func whatMayBeAnythingIsRefused() {
    #expect(problem([0, 1, 2, 1, 0, (1 << 32) + 1]).contains("train/y[5] is 4294967297, outside"))
    #expect(problem([0, 1, -1 << 33, 1, 0, 1]).contains("train/y[2] is -8589934592, outside"))
    #expect(problem([0, 1, UInt64.max, 1, 0, 1]).contains("train/y[2] is 18446744073709551615"))
    #expect(problem([0, 1, 0.5, 1, 0, 1]).contains("train/y[2] is 0.5, which is not a class"))
    #expect(problem([0, 1, Double.nan, 1, 0, 1]).contains("train/y[2] is nan, which is not a"))
    #expect(problem([-1, 1, 1, -1, 1, 1]).contains("y[...] = (y[...] + 1) // 2"))
    #expect(problem([1, 2, 3, 1, 2, 3]).contains("labels from 1 to 3 and no 0; classes are"))
    let soft = problem([Float](repeating: 0.5, count: 12), shape: [6, 2])
    #expect(soft.contains("train/y[0, 0] is 0.5, which is not a class"))
    let several = problem([Int32](repeating: 1, count: 12), shape: [6, 2])
    #expect(several.contains("its row 0 is not one-hot: [1, 1]"))
    #expect(problem([0, 1, 2], shape: [3]).contains("train/y has 3 labels for 6 sequences"))
  }

  @Test func whatLooksLikeAMistakeIsNoted() throws {
    let gap = try labels([0, 2, 5, 0, 2, 5])
    #expect(gap.classes == 6)
    #expect(gap.notes.first?.hasSuffix("3 of 6 classes have no sequence: 1, 3, 4") == true)
    #expect(try labels([3, 3, 3, 3, 3, 3]).notes.first?.contains("all 6 labels are 3") == true)
    #expect(try labels([0, 0, 0, 0, 0, 0]).notes.first?.contains("all 6 labels are 0") == true)
    // If the user says that there is a class 0, there is one.
    let said = try labels([1, 2, 3, 1, 2, 3], classes: 4)
    #expect(said.classes == 4 && said.labels == [1, 2, 3, 1, 2, 3])
    #expect(said.notes.first?.hasSuffix("1 of 4 classes have no sequence: 0") == true)
    #expect(try labels([0, 1, 2, 0, 1, 2]).notes.isEmpty)
  }

  /// [N, T] is one feature, and numbers of any width are read.
  @Test func inputsOfOtherKinds() throws {
    try Places.withTemporaryFolder { folder in
      let y: [Int32] = [0, 1, 0, 1, 0, 1]
      let flat = try source(in: folder, inputs: false) {
        try $0.write((0..<24).map { Double($0) }, to: "train/x", shape: [6, 4])
        try $0.write(y, to: "train/y")
      }
      #expect((flat.count, flat.steps, flat.features) == (6, 4, 1))
      let x = Tensor<Float>(shape: [4, 1, 1])
      _ = try flat.read([2], into: x)
      #expect(x.array == [8, 9, 10, 11])
      let large = try source(in: folder, inputs: false) {
        try $0.write((0..<24).map { 1_700_000_000 + $0 }, to: "train/x", shape: [6, 4])
        try $0.write(y, to: "train/y")
      }
      #expect(large.notes.first?.contains("float32 rounds numbers beyond 16777216") == true)
      for memoryLimit in [0, 1 << 20] {
        let error = #expect(throws: DatasetError.self) {
          let infinite = try source(in: folder, inputs: false, memoryLimit: memoryLimit) {
            try $0.write((0..<24).map { $0 == 9 ? 1e39 : 1.0 }, to: "train/x", shape: [6, 4])
            try $0.write(y, to: "train/y")
          }
          _ = try labels(infinite)
        }
        #expect(
          error?.description.contains(
            "train/x[2] holds 1e+39 (number 1 of its row), too large for float32; scale") == true)
      }
      let text = #expect(throws: DatasetError.self) {
        try source(in: folder, inputs: false) {
          try $0.write((0..<48).map { Float($0) }, to: "train/x", shape: [6, 2, 2, 2])
          try $0.write(y, to: "train/y")
        }
      }
      #expect(text?.description.contains("or [N, T] with one feature; reshape it") == true)
    }
  }

  /// Sequences of unequal lengths take the same labels, and [F] is one feature.
  @Test func unequalLengths() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      let file = try HDF5.File.create(path)
      try file.write([1, 2, 3, 4, 5, 6].map { Float($0) }, to: "train/inputs")
      try file.write([0, 1, 4, 6].map { Float($0) }, to: "train/offsets")
      try file.write([0, 1, 1].map { Double($0) }, to: "train/targets", shape: [3, 1])
      try file.close()
      let place = DatasetPlace(path)
      #expect(try place.isRagged())
      let source = try SequenceFileSource(place, task: "classification", part: .train)
      #expect((source.count, source.steps, source.features) == (3, 3, 1))
      let x = Tensor<Float>(shape: [3, 1, 1])
      #expect(try source.read([1], into: x).whole == [1])
      #expect(x.array == [2, 3, 4])
    }
  }

  /// Only an attribute of ours makes a file ours.
  @Test func attributesOfTheUsersAreTheUsers() throws {
    func read(
      _ change: (HDF5.File) throws -> Void
    ) throws -> (x: [Float], source: FileSource) {
      try Places.withTemporaryFolder { folder in
        let source = try source(in: folder) {
          try $0.write([Int32(0), 1, 2, 0, 1, 2], to: "train/y")
          try change($0)
        }
        let x = Tensor<Float>(shape: [2, 1, 3])
        _ = try source.read([1], into: x)
        return (x.array, source)
      }
    }
    let plain: [Float] = [6, 7, 8, 9, 10, 11]
    let scaled = try read {
      try $0.setAttribute("scaling", 1000.0)
      try $0.setAttribute("classes", 5)
      try $0.setAttribute("format_version", "2.0")
      try $0.write([1, 2, 3], to: "train/x_crc32")
    }
    #expect(scaled.x == plain && scaled.source.targetKind == .classes(3))
    let note = try #require(scaled.source.notes.first)
    #expect(note.contains("so its attributes classes, scaling are not used"))
    let numbered = try read {
      try $0.setAttribute("scaling", 1000.0)
      try $0.setAttribute("format_version", 1)
    }
    #expect(numbered.x == plain)
    let words = try read {
      try $0.setAttribute("scaling", "z-score")
      try $0.setAttribute("class_names", ["walk", "run", "sit"])
    }
    #expect(words.x == plain && words.source.classNames == ["walk", "run", "sit"])
    let more = try read { try $0.setAttribute("class_names", ["walk", "run", "sit", "lie"]) }
    #expect(more.x == plain && more.source.classNames == nil)
    #expect(more.source.notes.first?.contains("has 4 names for 3 classes") == true)
    let ours = try read {
      try $0.setAttribute("scaling", 1000.0)
      try $0.setAttribute("format_version", 1)
      try $0.setAttribute("task", "classification")
    }
    #expect(ours.x == plain.map { $0 * 1000 })
    #expect(ours.source.notes.isEmpty)
  }

  /// Our names of datasets do not make a file ours either.
  @Test func ourNamesInAUsersFile() throws {
    try Places.withTemporaryFolder { folder in
      try StoredRowsTests.write(["own.h5"], in: folder, header: false)
      let place = StoredRowsTests.place("\(folder)/own.h5")
      let source = try StoredRowsTests.source(place)
      #expect(source.targetKind == .classes(4))
      try StoredRowsTests.write(["ours.h5"], in: folder)
      let both = StoredRowsTests.problem(StoredRowsTests.place("\(folder)/*.h5"))
      #expect(both.contains("own.h5: is an HDF5 file, but not a momentum-dist data set, unlike"))
    }
  }

  /// A file for another task is refused, even if its shapes would fit.
  @Test func aFileOfOursForAnotherTask() throws {
    try Places.withTemporaryFolder { folder in
      let problem = RecallProblem(
        .copying, count: 4, delay: 3, symbols: 2, alphabet: 3, seed: 1, part: .train)
      try GeneratedFile.write([.train: problem], to: "\(folder)/copying.h5")
      let error = #expect(throws: DatasetError.self) {
        try StoredRowsTests.source(StoredRowsTests.place("\(folder)/copying.h5"))
      }
      #expect(error?.description.contains("is for the task copying, not classification") == true)
    }
  }

  /// Only a few of many files are open at a time, and the numbers are the same.
  @Test(arguments: [1, 2, 5, 100]) func fewFilesAreOpen(limit: Int) throws {
    try Places.withTemporaryFolder { folder in
      let names = (0..<12).map { String(format: "%02d.h5", $0) }
      try StoredRowsTests.write(names, in: folder)
      let files = try DatasetFiles(names.map { "\(folder)/\($0)" }, limit: limit) { _ in true }
      let joined = try JoinedDataset(files, "train/inputs", cacheBytes: 1 << 20, limit: limit)
      #expect(joined.shape == [48, 2, 3])
      for row in [0, 47, 5, 20, 3, 4, 44, 0] {
        var values: [Float] = []
        try joined.forEachPiece(of: row..<row + 1) { piece, rows in
          values += try joined.read(piece, rows, as: Float.self)
        }
        #expect(values == (0..<6).map { Float(row * 6 + $0) })
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
          let target = try? FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/self/fd/\($0)")
          return target?.hasPrefix(folder) == true
        }
        #expect(open.count <= min(2 * limit, 12), "\(open.count) open")
      }
    }
  }

  /// A closed file may have been replaced when it is opened again.
  @Test func aFileThatChangesIsNoticed() throws {
    try Places.withTemporaryFolder { folder in
      try StoredRowsTests.write(["a.h5", "b.h5"], in: folder)
      let paths = ["\(folder)/a.h5", "\(folder)/b.h5"]
      let files = try DatasetFiles(paths, limit: 1) { _ in true }
      let joined = try JoinedDataset(files, "train/inputs", cacheBytes: 1 << 20, limit: 1)
      try FileManager.default.removeItem(atPath: paths[0])
      try StoredRowsTests.write(["a.h5"], in: folder, rows: 3)
      let error = #expect(throws: DatasetError.self) {
        try joined.forEachPiece(of: 0..<1) { piece, rows in
          _ = try joined.read(piece, rows, as: Float.self)
        }
      }
      #expect(error?.description.contains("changed from [4, 2, 3] to [3, 2, 3]") == true)
    }
  }
}
