// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// Windows of series, cut into parts by time.
@Suite struct ForecastSourceTests {
  /// Two series of 20 and 12 steps: value t of series s is 100 s + t.
  private func withFile<Result>(_ body: (String) throws -> Result) throws -> Result {
    try Places.withTemporaryFolder { folder in
      let rows = [20, 12].enumerated().flatMap { s, length in
        (0..<length).map { "s\(s),\($0),\(100 * s + $0)" }
      }
      let path = "\(folder)/s.csv"
      try TextFiles.write(Array(("id,t,x\n" + rows.joined(separator: "\n")).utf8), path)
      var format = CSVFormat()
      (format.id, format.time) = ("id", "t")
      var archive = try SeriesArchive(path, format)
      (archive.validationShare, archive.testShare) = (0.25, 0.25)
      try archive.write(to: "\(folder)/s.h5")
      return try body("\(folder)/s.h5")
    }
  }

  /// The steps in windows and their targets, without the normalisation.
  private func windows(
    _ path: String, _ part: DatasetFile.Part, window: Int, horizon: Int, stride: Int = 1
  ) throws -> [[Int]] {
    var settings = ForecastWindows()
    (settings.window, settings.horizon, settings.stride) = (window, horizon, stride)
    let source = try ForecastSource(DatasetPlace(path), part: part, settings)
    let file = try HDF5.File.open(path)
    let mean = try file.readAll("feature_mean", as: Double.self)[0]
    let deviation = try file.readAll("feature_std", as: Double.self)[0]
    return try (0..<source.count).map { index in
      let x = Tensor<Float>(shape: [source.length(of: index), 1, 1])
      let targets = try source.read([index], into: x)
      return (x.array + targets.numbers).map { Int((Double($0) * deviation + mean).rounded()) }
    }
  }

  @Test func partsFollowOneAnotherInTime() throws {
    try withFile { path in
      let train = try windows(path, .train, window: 4, horizon: 2)
      #expect(train.first == [0, 1, 2, 3, 4, 5])
      // The first series has 10 steps for training, then 5 for validation and 5 for testing.
      #expect(train.filter { $0[0] < 100 }.last == [4, 5, 6, 7, 8, 9])
      let validation = try windows(path, .validation, window: 4, horizon: 2)
      #expect(validation.first == [6, 7, 8, 9, 10, 11])
      let test = try windows(path, .test, window: 4, horizon: 2)
      #expect(
        test.filter { $0[0] < 100 } == [
          [11, 12, 13, 14, 15, 16], [12, 13, 14, 15, 16, 17], [13, 14, 15, 16, 17, 18],
          [14, 15, 16, 17, 18, 19],
        ])
      #expect(test.last == [106, 107, 108, 109, 110, 111])
      #expect(
        try windows(path, .train, window: 4, horizon: 2, stride: 3).map { $0[0] }
          == [0, 3, 100])
      // A series shorter than the window has one window, of all its steps.
      #expect(
        try windows(path, .train, window: 7, horizon: 2).filter { $0[0] >= 100 }
          == [[100, 101, 102, 103, 104, 105]])
      #expect(throws: DatasetError.self) { try windows(path, .test, window: 4, horizon: 9) }
    }
  }

  /// The window and the first step of each that is drawn.
  private func places(
    _ path: String, _ part: DatasetFile.Part, stride: Int, limit: Int
  ) throws -> [[Int]] {
    var settings = ForecastWindows()
    (settings.window, settings.horizon, settings.stride) = (4, 2, stride)
    let source = try ForecastSource(DatasetPlace(path), part: part, settings)
    return source.consecutiveWindows(ofSteps: limit).map { [$0.index, $0.step] }
  }

  @Test func windowsForAPictureFollowOneAnotherInTheFirstSeries() throws {
    try withFile { path in
      // The test part of the first series has 5 steps: two windows of 2, and not one of the second.
      let test = try places(path, .test, stride: 1, limit: 100)
      #expect(test == [[0, 0], [2, 2]])
      let few = try places(path, .test, stride: 1, limit: 3)
      #expect(few == [[0, 0]])
      let apart = try places(path, .test, stride: 3, limit: 100)
      #expect(apart == [[0, 0], [1, 3]])
      // The first steps of a series have no window before them.
      let train = try places(path, .train, stride: 1, limit: 4)
      #expect(train == [[0, 4], [2, 6]])
    }
  }

  @Test func theLastStepsAreTaken() throws {
    let sequences = UnlabelledSequences(
      "a", features: 1, values: [1, 2, 3, 4, 5, 6], lengths: [4, 2])
    let source = LastSteps(try PlainSequences(sequences, kind: .values(1)), atMost: 3)
    #expect(source.steps == 3 && source.length(of: 0) == 3 && source.length(of: 1) == 2)
    let x = Tensor<Float>(shape: [3, 2, 1])
    _ = try source.read([0, 1], into: x)
    #expect(x.array == [2, 5, 3, 6, 4, 0])
  }

  /// The times of the last steps, not of the first; beyond the end that of the last.
  @Test func theLastStepsKeepTheirTimes() throws {
    var sequences = UnlabelledSequences(
      "a", features: 1, values: [1, 2, 3, 4, 5, 6], lengths: [4, 2])
    sequences.times = [0, 1, 4, 9, 0, 2]
    let source = LastSteps(try PlainSequences(sequences, kind: .values(1)), atMost: 3)
    #expect(source.hasTimes)
    try source.openTimes()
    let times = Tensor<Double>(shape: [3, 2])
    try source.readTimes([0, 1], into: times)
    #expect(times.array == [1, 0, 4, 2, 9, 2])
  }
}
