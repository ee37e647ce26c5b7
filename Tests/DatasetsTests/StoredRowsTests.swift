// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// Data sets that are larger than memory, in several files, a user's own, or damaged.
@Suite struct StoredRowsTests {
  /// Files of sequences [N, 2, 3] that count up from one file to the next, with labels 0, 1, 2, ...
  static func write(
    _ names: [String], in folder: String, rows: Int = 4, inputs: String = "train/inputs",
    targets: String = "train/targets", header: Bool = true,
    changing: (inout [Float]) -> Void = { _ in }
  ) throws {
    for (number, name) in names.enumerated() {
      let file = try HDF5.File.create("\(folder)/\(name)")
      if header {
        try file.setAttribute("format_version", 1)
        try file.setAttribute("classes", 18)
      }
      var values = (0..<rows * 6).map { Float(number * rows * 6 + $0) }
      changing(&values)
      try file.write(values, to: inputs, shape: [rows, 2, 3], chunk: [2, 2, 3], fletcher32: true)
      try file.write((0..<rows).map { Int32(number * rows + $0) }, to: targets)
      try file.close()
    }
  }

  static func place(_ files: String, memoryLimit: Int = 0) -> DatasetPlace {
    var place = DatasetPlace(files)
    place.memoryLimit = memoryLimit
    return place
  }

  static func source(_ place: DatasetPlace) throws -> FileSource {
    try FileSource(place, part: .train, view: .pixels)
  }

  static func read(_ source: FileSource, _ indices: [Int]) throws -> ([Float], [Int32]) {
    let x = Tensor<Float>(shape: [6, indices.count, 1])
    let labels = try source.read(indices[...], into: x).whole
    return (x.array, labels)
  }

  static func problem(_ place: DatasetPlace) -> String {
    do {
      _ = try read(try source(place), Array(0..<4))
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func severalFilesAreOne() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write(["a.h5", "b.h5", "c.h5"], in: folder)
      let all = try Self.source(Self.place("\(folder)/*.h5"))
      #expect(all.count == 12)
      let (x, labels) = try Self.read(all, [0, 5, 11])
      #expect(labels == [0, 5, 11])
      #expect(x == (0..<6).flatMap { t in [0, 30, 66].map { Float($0 + t) } })
      let two = try Self.source(Self.place("\(folder)/c.h5, \(folder)/a.h5"))
      #expect(try Self.read(two, [0, 4]).1 == [8, 0])
      #expect(Self.problem(Self.place("\(folder)/x*.h5")).contains("fits no file"))
    }
  }

  /// The same numbers from memory, from the disk, and from the thread, regardless of the prefetched
  /// rows.
  @Test func streamingGivesTheSameNumbers() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write(["a.h5", "b.h5"], in: folder, rows: 9)
      let inMemory = try Self.source(Self.place("\(folder)/*.h5", memoryLimit: 1 << 20))
      let streamed = try Self.source(Self.place("\(folder)/*.h5"))
      #expect(inMemory.isInMemory && !streamed.isInMemory)
      for indices in [[3, 1, 17], [8, 9], [0], [5, 5, 16]] {
        try streamed.prefetch([8, 9, 5, 16])
        let expected = try Self.read(inMemory, indices)
        #expect(try Self.read(streamed, indices) == expected)
        #expect(streamed.isReady)
      }
    }
  }

  @Test func theUsersOwnNames() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write(["own.h5"], in: folder, inputs: "x/data", targets: "y", header: false)
      var place = Self.place("\(folder)/own.h5")
      #expect(Self.problem(place).contains("HDF5 file, but not a momentum-dist data set; name its"))
      (place.inputs, place.targets) = ("x/data", "y")
      let source = try Self.source(place)
      #expect(source.targetKind == .classes(4))
      #expect(try Self.read(source, [3]).1 == [3])
      place.classes = 3
      #expect(Self.problem(place).contains("y[3] is 3, outside 0..<3"))
      let test = #expect(throws: DatasetError.self) {
        try FileSource(place, part: .test, view: .rows)
      }
      #expect(test?.cure.contains("put {part} into") == true)
    }
  }

  @Test(arguments: [0, 1 << 20]) func whatIsNoNumberIsFound(memoryLimit: Int) throws {
    try Places.withTemporaryFolder { folder in
      try Self.write(["a.h5", "b.h5"], in: folder) { $0[6 * 2 + 4] = .nan }
      let problem = Self.problem(Self.place("\(folder)/*.h5", memoryLimit: memoryLimit))
      #expect(problem.hasPrefix("\(folder)/a.h5: train/inputs[2] holds nan (number 4 of its row)"))
    }
  }

  /// The next read throws the thread's error.
  @Test func anErrorOfTheThreadIsNotLost() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write(["a.h5"], in: folder) { $0[0] = .infinity }
      let source = try Self.source(Self.place("\(folder)/a.h5"))
      try source.prefetch([0, 1])
      #expect(throws: DatasetError.self) { try Self.read(source, [1]) }
    }
  }

  @Test func filesMustAgree() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write(["a.h5"], in: folder)
      let file = try HDF5.File.create("\(folder)/b.h5")
      try file.setAttribute("format_version", 1)
      try file.setAttribute("classes", 18)
      try file.write([Float](repeating: 0, count: 8), to: "train/inputs", shape: [2, 2, 2])
      try file.write([Int32](repeating: 0, count: 2), to: "train/targets")
      try file.close()
      #expect(Self.problem(Self.place("\(folder)/*.h5")).contains("must agree in all files"))
    }
  }

  /// Numbers that are stored in another file, or nowhere.
  @Test func whatTheFileDoesNotHoldIsRefused() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write(["a.h5"], in: folder)
      func refused(_ name: String, _ make: (HDF5.File) throws -> Void) throws -> String {
        let file = try HDF5.File.create("\(folder)/\(name)")
        try file.setAttribute("format_version", 1)
        try file.setAttribute("classes", 18)
        try file.write((0..<4).map { Int32($0) }, to: "train/targets")
        try make(file)
        try file.close()
        return Self.problem(Self.place("\(folder)/\(name)", memoryLimit: 1 << 30))
      }
      let view = try refused("view.h5") {
        try $0.createVirtualDataset(
          "train/inputs", of: Float.self, shape: [4, 2, 3],
          sources: [
            .init(file: "a.h5", dataset: "train/inputs", shape: [4, 2, 3], offset: [0, 0, 0])
          ])
      }
      #expect(view.contains("it is virtual"))
      let huge = try refused("huge.h5") {
        try $0.createDataset(
          "train/inputs", of: Float.self, shape: [1 << 40, 2, 3], chunk: [64, 2, 3])
      }
      #expect(huge.contains("is declared, but only 0 bytes are stored"))
      let overflowing = try refused("overflowing.h5") {
        try $0.createDataset(
          "train/inputs", of: Float.self, shape: [1 << 31, 1 << 28, 4], chunk: [64, 2, 1])
      }
      #expect(overflowing.contains("is declared, but only 0 bytes are stored"))
      let chunky = try refused("chunky.h5") {
        try $0.createDataset(
          "train/inputs", of: Float.self, shape: [1 << 20, 64, 16], chunk: [1 << 18, 64, 16])
      }
      #expect(chunky.contains("make them smaller with h5repack"))
      let text = try refused("text.h5") { try $0.createGroup("train/inputs") }
      #expect(text.contains("cannot open the dataset"))
    }
  }
}
