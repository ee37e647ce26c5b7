// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// The times of steps: read with the sequences, checked, and part of the identity if they are used.
@Suite struct StoredTimesTests {
  /// Adds times [4, 2] to files that `StoredRowsTests` has written: step t of sequence n of the whole
  /// is at 10 n + 3 t.
  private func write(
    _ names: [String], in folder: String, to times: String = "train/times",
    inputs: String = "train/inputs", targets: String = "train/targets", header: Bool = true,
    changing: (inout [Double]) -> Void = { _ in }
  ) throws {
    try StoredRowsTests.write(names, in: folder, inputs: inputs, targets: targets, header: header)
    for (number, name) in names.enumerated() {
      let file = try HDF5.File.open("\(folder)/\(name)", .readWrite)
      var values = (0..<8).map { Double(10 * (number * 4 + $0 / 2) + 3 * ($0 % 2)) }
      changing(&values)
      try file.write(values, to: times, shape: [4, 2])
      try file.close()
    }
  }

  private func source(
    _ place: DatasetPlace, _ part: DatasetFile.Part = .train, view: SequenceView = .rows
  ) throws -> FileSource {
    try FileSource(place, part: part, view: view)
  }

  private func times(
    _ source: any SequenceSource, _ indices: [Int], steps: Int = 2
  ) throws -> [Double] {
    let times = Tensor<Double>(shape: [steps, indices.count])
    try source.readTimes(indices[...], into: times)
    return times.array
  }

  private func problem(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "none"
    } catch {
      return "\(error)"
    }
  }

  /// From memory, from the disk and from the thread, of several files and of some of their
  /// sequences.
  @Test(arguments: [0, 1 << 20]) func areReadWithTheirSequences(memoryLimit: Int) throws {
    try Places.withTemporaryFolder { folder in
      try write(["a.h5", "b.h5"], in: folder)
      let place = StoredRowsTests.place("\(folder)/*.h5", memoryLimit: memoryLimit)
      let source = try source(place)
      #expect(source.hasTimes)
      try source.openTimes()
      try source.prefetch([6, 1])
      #expect(try times(source, [1, 6]) == [10, 60, 13, 63])
      #expect(try times(source, [7], steps: 3) == [70, 73, 73], "beyond the end: the last time")
      let some = SubsetSource(source, indices: [5, 2])
      #expect(try some.hasTimes && times(some, [1]) == [20, 23])
      let names = try ClassNumbering(["x"], as: ["x"], "", cure: "")
      #expect(try times(RelabelledSource(some, names), [0]) == [50, 53])
      #expect(try !StoredRowsTests.source(place).hasTimes, "a row's time is not that of a pixel")
      let note = "\(place.files): train/times is not used: dataset.view=pixels makes other steps"
      #expect(try StoredRowsTests.source(place).notes.last == note)
    }
  }

  /// Of sequences of unequal lengths, as whole numbers, flat like the inputs.
  @Test(arguments: [0, 1 << 20]) func ofUnequalLengths(memoryLimit: Int) throws {
    try Places.withTemporaryFolder { folder in
      func write(_ times: [Int64], to name: String = "a") throws -> SequenceFileSource {
        let file = try HDF5.File.create("\(folder)/\(name).h5")
        try file.setAttribute("format_version", 1)
        try file.setAttribute("classes", 2)
        try file.setAttribute("task", "classification")
        try file.write((0..<5).map { Float($0) }, to: "train/inputs", shape: [5, 1])
        try file.write([0, 3, 5], to: "train/offsets")
        try file.write([Int32(0), 1], to: "train/targets")
        try file.write(times, to: "train/times")
        try file.close()
        return try SequenceFileSource(
          StoredRowsTests.place("\(folder)/\(name).h5", memoryLimit: memoryLimit),
          task: "classification", part: .train)
      }
      let source = try write([4, 4, 9, -2, 1 << 40])
      try source.openTimes()
      #expect(try times(source, [1, 0], steps: 3) == [-2, 4, 0x1p40, 4, 0x1p40, 9])
      let falling = try write([4, 5, 9, 8, 7], to: "b")
      let text = problem {
        try falling.openTimes()
        _ = try times(falling, [1])
      }
      #expect(
        text.hasPrefix(
          "\(folder)/b.h5: train/times: step 1 of sequence 1 is at 7.0, before step 0 at 8.0; sort"),
        "\(text)")
      let short = try write([4, 5], to: "c")
      #expect(problem(short.openTimes).contains("train/times is [2], but the inputs have steps"))
    }
  }

  /// The message names the file, the sequence and the step, whether all times are read at once or
  /// not.
  @Test(arguments: [0, 1 << 20]) func wrongTimesAreNamed(memoryLimit: Int) throws {
    try Places.withTemporaryFolder { folder in
      func problem(_ change: (inout [Double]) -> Void) throws -> String {
        try write(["a.h5"], in: folder)
        try write(["b.h5"], in: folder, changing: change)
        let source = try source(
          StoredRowsTests.place("\(folder)/a.h5,\(folder)/b.h5", memoryLimit: memoryLimit))
        return self.problem {
          try source.openTimes()
          _ = try times(source, [0, 6])
        }
      }
      let notANumber = try problem { $0[5] = .nan }
      #expect(
        notANumber.hasPrefix(
          "\(folder)/b.h5: train/times: step 1 of sequence 2 is at nan; replace the time"))
      let falling = try problem { $0[5] = 1 }
      #expect(falling.contains("step 1 of sequence 2 is at 1.0, before step 0 at 20.0"))
      let equal = try problem { $0[5] = 20 }
      #expect(equal == "none", "two steps may happen at once")
    }
  }

  /// Times change neither the identity nor the checksums of data whose times are not used.
  @Test func belongToTheIdentityWhereTheyAreUsed() throws {
    try Places.withTemporaryFolder { folder in
      try StoredRowsTests.write(["plain.h5"], in: folder)
      try write(["timed.h5"], in: folder)
      try write(["other.h5"], in: folder) { $0[1] = 4 }
      func opened(_ name: String, _ limit: Int = 1 << 20) throws -> FileSource {
        let source = try source(StoredRowsTests.place("\(folder)/\(name)", memoryLimit: limit))
        try source.openTimes()
        return source
      }
      let plain = try opened("plain.h5").identity()
      let unused = try source(StoredRowsTests.place("\(folder)/timed.h5", memoryLimit: 1 << 20))
      #expect(try unused.identity() == plain && plain.times == nil)
      var identity = DataIdentity()
      identity.parts["train"] = plain
      #expect(try !identity.json.contains("times"), "as before there were times")
      let timed = try opened("timed.h5").identity()
      #expect(
        timed.changes(since: plain, "train") == [
          "the train part has times, but the run learned from none"
        ])
      #expect(
        plain.changes(since: timed, "train") == [
          "the train part has no times, but the run learned from times"
        ])
      let other = try opened("other.h5").identity()
      #expect(
        other.changes(since: timed, "train") == [
          "the times of the train part are not those that the run learned from"
        ])
      #expect(try opened("timed.h5", 0).identity().changes(since: timed, "train").isEmpty)
      let (a, b) = (try opened("timed.h5"), try opened("other.h5"))
      #expect(try a.checksum(of: 0) == b.checksum(of: 0))
      #expect(try a.checksum(of: 0, withTimes: true) != b.checksum(of: 0, withTimes: true))
    }
  }

  /// In a user's own file, the user names the times.
  @Test func underTheUsersOwnName() throws {
    try Places.withTemporaryFolder { folder in
      try write(
        ["own.h5"], in: folder, to: "train/when", inputs: "train/x", targets: "train/y",
        header: false)
      var place = StoredRowsTests.place("\(folder)/own.h5", memoryLimit: 1 << 20)
      (place.inputs, place.targets) = ("{part}/x", "{part}/y")
      #expect(try !source(place).hasTimes)
      place.times = "{part}/when"
      let named = try source(place)
      try named.openTimes()
      #expect(try times(named, [2]) == [20, 23])
      place.readsTimes = false
      #expect(try !source(place).hasTimes)
      place.readsTimes = true
      place.times = "{part}/y"
      let wrong = try source(place)
      #expect(problem(wrong.openTimes).contains("train/y is [4], but the inputs have steps for [4"))
      place.times = "{part}/clock"
      #expect(problem { _ = try source(place) }.contains("has no train/clock; name the times with"))
      // A dataset with our name may be anything.
      try write(
        ["other.h5"], in: folder, inputs: "train/x", targets: "train/y", header: false)
      place.files = "\(folder)/other.h5"
      place.times = DatasetPlace.ownTimes
      #expect(try !source(place).hasTimes)
    }
  }

  /// `inspect` prints the range of the times, and `--verify` refuses times that decrease.
  @Test func areInspected() throws {
    try Places.withTemporaryFolder { folder in
      try write(["a.h5"], in: folder)
      let summary = try DatasetSummary("\(folder)/a.h5", readingAll: true)
      #expect(summary.times == [.train: 0...33] && summary.parts["train/times"] == [4, 2])
      try write(["b.h5"], in: folder) { $0[7] = 1 }
      #expect(try DatasetSummary("\(folder)/b.h5", readingAll: false).times == [.train: 0...30])
      #expect(
        problem { _ = try DatasetSummary("\(folder)/b.h5", readingAll: true) }.contains(
          "step 1 of sequence 3 is at 1.0, before step 0 at 30.0"))
    }
  }
}
