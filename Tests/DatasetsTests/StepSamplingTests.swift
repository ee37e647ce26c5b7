// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// Some of the steps of a file, with their times.
@Suite struct StepSamplingTests {
  /// An archive of one table or of two files, with C features.
  private func archive(_ missing: MissingValues = .refuse, _ text: String) throws -> SequenceArchive
  {
    try Places.withTemporaryFolder { folder in
      for part in ["TRAIN", "TEST"] {
        try TextFiles.write(
          Array((TSFileTests.header + text).utf8), "\(folder)/X_\(part).ts")
      }
      return try TSArchive.read([folder], missing: missing)
    }
  }

  private func sampling(_ change: (inout StepSampling) -> Void) -> StepSampling {
    var sampling = StepSampling()
    change(&sampling)
    return sampling
  }

  private func times(_ part: SequenceArchive.Part, features: Int = 1) -> [[Double]] {
    part.sequences.enumerated().map { part.steps(of: $0).times($1.count / features) }
  }

  /// The content of a part of a written file: rows of inputs, or the flat ones, and their times.
  private func written(
    _ archive: SequenceArchive, _ part: String, withTimes: Bool = true
  ) throws -> (inputs: [Float], times: [Double]?, shape: [Int]) {
    try Places.withTemporaryFolder { folder in
      try archive.write(to: "\(folder)/a.h5", normalising: false, withTimes: withTimes)
      let file = try HDF5.File.open("\(folder)/a.h5")
      let inputs = try file.dataset("\(part)/inputs").read(as: Float.self)
      guard file.contains("\(part)/times") else { return (inputs, nil, []) }
      #expect(file.contains("\(part)/times_crc32"))
      let times = try file.dataset("\(part)/times")
      return (inputs, try times.read(as: Double.self), times.shape)
    }
  }

  static let eight = "0,1,2,3,4,5,6,7:a\n10,11,12,13,14,15,16,17:b\n"

  /// Trained at half the rate, tested at the full one: times count the steps of the file.
  @Test func partsMayHaveDifferentRates() throws {
    let all = try archive(.refuse, Self.eight)
    #expect(try written(all, "train", withTimes: false).times == nil)
    let whole = try written(all, "test")
    #expect(whole.times == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7])
    #expect(whole.shape == [2, 8])
    let shifted = try all.sampled(sampling { $0.trainEvery = 2 })
    #expect(shifted.train.sequences == [[0, 2, 4, 6], [10, 12, 14, 16]])
    #expect(shifted.test.sequences == all.test.sequences)
    #expect(times(shifted.train) == [[0, 2, 4, 6], [0, 2, 4, 6]])
    #expect(shifted.notes == ["training part: 8 of 16 steps kept, one in 2"])
    let (inputs, found, shape) = try written(shifted, "train")
    #expect(inputs == [0, 2, 4, 6, 10, 12, 14, 16] && shape == [8])
    #expect(found == [0, 2, 4, 6, 0, 2, 4, 6])
    let odd = try all.sampled(sampling { ($0.trainEvery, $0.testEvery) = (3, 3) })
    #expect(try written(odd, "test").times == [0, 3, 6, 0, 3, 6])
  }

  /// Two features. A step that lacks one is left out, and the steps after it keep their times.
  @Test func stepsThatLackAValueGoAndTheOthersKeepTheirTimes() throws {
    let archive = try archive(.drop, "0,1,?,3,4:0,1,2,3,4:a\n0,1,2,3,4:9,?,7,6,5:b\n?:1:a\n")
    #expect(archive.train.sequences == [[0, 0, 1, 1, 3, 3, 4, 4], [0, 9, 2, 7, 3, 6, 4, 5]])
    #expect(times(archive.train, features: 2) == [[0, 1, 3, 4], [0, 2, 3, 4]])
    // The rate counts the file's steps, including missing ones.
    let half = try archive.sampled(sampling { $0.trainEvery = 2 })
    #expect(times(half.train, features: 2) == [[0, 4], [0, 2, 4]])
    #expect(half.train.sequences[0] == [0, 0, 4, 4])
    let none = try self.archive(.drop, "?,1:a\n0,1:b\n0,2:a\n").sampled(
      sampling { $0.trainEvery = 2 })
    #expect(none.train.classes == [1, 0] && none.test.classes == [0, 1, 0])
    #expect(none.notes.last?.hasSuffix("one in 2; 1 sequence without a step left out") == true)
  }

  @Test func aShareOfTheStepsIsLeftOutByTheSeed() throws {
    let all = try archive(.refuse, Self.eight)
    func dropped(_ share: Double, seed: UInt64 = 1) throws -> SequenceArchive {
      try all.sampled(sampling { ($0.dropShare, $0.seed) = (share, seed) })
    }
    let some = try dropped(0.3)
    #expect(some.train.sequences.allSatisfy { $0.count == 6 }, "2.4 of 8 steps are 2")
    for (sequence, times) in zip(some.train.sequences, times(some.train)) {
      #expect(sequence.map { Double($0).truncatingRemainder(dividingBy: 10) } == times)
      #expect(times == times.sorted() && Set(times).count == 6)
    }
    #expect(try dropped(0.3).train.sequences == some.train.sequences)
    let seeds = try (1...8).map { try times(dropped(0.3, seed: UInt64($0)).train) }
    #expect(Set(seeds.map(\.description)).count > 1)
    #expect(Set(seeds.map { "\($0[0])" }) != Set(seeds.map { "\($0[1])" }))
    #expect(try (1...8).contains { try times(dropped(0.3, seed: $0).test) != seeds[Int($0) - 1] })
    #expect(try dropped(0.99).train.sequences.allSatisfy { $0.count == 1 })
  }

  /// The file's own times, in .ts archives and long tables; dates are not numbers.
  @Test func timesOfTheFileAreKept() throws {
    let stamped = try archive(.drop, "(2.5,1),(0,?),(-1,3),(7,4):a\n(0,5),(9,6):b\n")
    #expect(stamped.train.sequences == [[3, 1, 4], [5, 6]])
    #expect(times(stamped.train) == [[-1, 2.5, 7], [0, 9]])
    #expect(try times(stamped.sampled(sampling { $0.trainEvery = 3 }).train) == [[-1, 7], [0]])
    let long = try TextFiles.table(LongTableTests.text, LongTableTests.text) {
      ($0.id, $0.time, $0.target, $0.values) = ("who", "when", "kind", ["x", "y"])
    }
    #expect(times(long.train, features: 2) == [[9, 10, 11], [1, 2]])
    #expect(try written(long, "train").times == [9, 10, 11, 1, 2])
    let dates = try archive(.refuse, "(2020-03-01,1),(2020-02-28,2):a\n(2021-01-01,3):b\n")
    #expect(times(dates.train) == [[0, 2 * 86_400], [0]])
    let months = try archive(.refuse, "(2020-Feb-01,1),(2020-Feb-02,2):a\n(2021-Feb-01,3):b\n")
    let error = #expect(throws: DatasetError.self) { try written(months, "train") }
    #expect(error?.problem == "orders its steps by dates that give no seconds")
    #expect(try written(months, "train", withTimes: false).times == nil)
  }

  @Test func datesAreSeconds() {
    func between(_ from: String, _ to: String) -> Double? {
      guard let a = DateTime.seconds(Array(from.utf8)[...]),
        let b = DateTime.seconds(Array(to.utf8)[...])
      else { return nil }
      return b - a
    }
    let day = 86_400.0
    #expect(between("2024-02-28", "2024-03-01") == 2 * day)
    #expect(between("2023-02-28", "2023-03-01") == day)
    #expect(between("1900-02-28", "1900-03-01") == day, "a hundred years: no leap day")
    #expect(between("2000-02-28", "2000-03-01") == 2 * day, "four hundred: a leap day")
    #expect(between("2023-12-31 23:59:59", "2024-01-01 00:00:01.5") == 2.5)
    #expect(between("2023/12/31T23:00+02:00", "2024/01/02T01:30+02:00") == 26.5 * 3600)
    #expect(between("09:45:10Z", "10:30:00Z") == 2690)
    for text in [
      "", "2024", "2024-05", "2024-13-01", "2024-05-32", "2024-Feb-01", "2024-5-1", "20240501",
      "2024-05-01x", "2024-05-01 25:00", "12", "12:60", "12:00:61", "12:00 pm", "2024-05-01 ",
    ] {
      #expect(DateTime.seconds(Array(text.utf8)[...]) == nil, "\(text)")
    }
  }

  /// One table that is cut in two, and a wide table: times go with their sequences.
  @Test func aTableThatIsSplitKeepsItsTimes() throws {
    let rows = (0..<30).map { row in
      "\(row),\(row % 3 == 0 ? "?" : "1"),2,\(row % 2 == 0 ? "a" : "b")\n"
    }
    let table = try TextFiles.table(rows.joined()) { ($0.missing, $0.index) = (.drop, .no) }
    for part in [table.train, table.test] {
      for (sequence, times) in zip(part.sequences, times(part)) {
        #expect(times == (Int(sequence[0]) % 3 == 0 ? [0, 2] : [0, 1, 2]))
      }
    }
  }
}
