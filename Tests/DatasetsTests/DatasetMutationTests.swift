// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// Damaged data sets: each is refused in one line, or read as the numbers that were written. The
/// seed is fixed; a failure names the number of the mutation. The environment variable
/// MOMENTUM_DIST_MUTATIONS asks for more than 300 of them.
@Suite struct DatasetMutationTests {
  static let count =
    Int(ProcessInfo.processInfo.environment["MOMENTUM_DIST_MUTATIONS"] ?? "") ?? 300

  static func write(_ path: String, compressing: Bool) throws {
    try DatasetFile.create(at: path) { file in
      try file.setAttribute("format_version", DatasetFile.formatVersion)
      try file.setAttribute("task", "classification")
      try file.setAttribute("classes", 5)
      try file.setAttribute("scaling", 0.5)
      try file.write(
        (0..<240).map { Float($0) * 0.25 }, to: "train/inputs", shape: [20, 4, 3],
        chunk: [6, 4, 3], deflate: compressing ? 4 : nil, fletcher32: true)
      try file.write((0..<20).map { Int32($0 % 5) }, to: "train/targets", fletcher32: true)
    }
  }

  static func numbers(_ path: String, memoryLimit: Int) throws -> ([Float], [Int32]) {
    var place = DatasetPlace(path)
    place.memoryLimit = memoryLimit
    let source = try FileSource(place, part: .train, view: .rows)
    let x = Tensor<Float>(shape: [source.steps, source.count, source.features])
    guard source.count == 20 else { return ([], []) }
    let labels = try source.read(Array(0..<20)[...], into: x).whole
    return (x.array, labels)
  }

  @Test(arguments: [false, true]) func noMutationCrashesOrChangesNumbers(compressing: Bool) throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/set.h5"
      try Self.write(path, compressing: compressing)
      let good = try Data(contentsOf: URL(fileURLWithPath: path))
      let expected = try Self.numbers(path, memoryLimit: 1 << 20)
      var random = Numbers(state: compressing ? 1 : 2)
      var refused = 0
      for number in 0..<Self.count / 2 {
        let mutated = random.mutate(good)
        try mutated.write(to: URL(fileURLWithPath: path))
        do {
          let read = try Self.numbers(path, memoryLimit: number % 2 == 0 ? 0 : 1 << 20)
          #expect(read == expected, "mutation \(number): other numbers")
        } catch {
          refused += 1
          let error = try #require(error as? DatasetError, "mutation \(number): \(error)")
          #expect(!error.description.contains("\n"), "mutation \(number): \(error)")
          #expect(error.description.contains(path), "mutation \(number): \(error)")
        }
      }
      print("\(Self.count / 2) mutated data sets, \(refused) refused, none read as other numbers")
      #expect(refused > Self.count / 8)
    }
  }

  /// HDF5's checksum cannot tell words of zeros from words of ones. Ours can: in memory, in
  /// streamed reads, in labels, and when a file is inspected.
  @Test func whatFletcher32DoesNotSeeIsSeen() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/set.h5"
      try DatasetFile.create(at: path) { file in
        try file.setAttribute("format_version", DatasetFile.formatVersion)
        try file.setAttribute("task", "classification")
        try file.setAttribute("classes", 300)
        let pixels = (0..<20).flatMap { row in (0..<12).map { UInt8(row == 7 && $0 < 8 ? 0 : 9) } }
        try file.write(pixels, to: "train/inputs", shape: [20, 4, 3], fletcher32: true)
        try file.write(
          (0..<20).map { $0 == 3 ? Int32(0) : 259 }, to: "train/targets", fletcher32: true)
      }
      let good = try Data(contentsOf: URL(fileURLWithPath: path))
      /// Turns a word of zeros after `before` to ones.
      func spoil(after before: [UInt8], _ zeros: Int) throws {
        var data = good
        let place = try #require(data.range(of: Data(before + [UInt8](repeating: 0, count: zeros))))
        let start = place.lowerBound + before.count
        let word = start + start % 2
        data.replaceSubrange(word..<word + 2, with: [255, 255])
        try data.write(to: URL(fileURLWithPath: path))
        #expect(try HDF5.File.open(path).readAll("train/targets", as: Int32.self).count == 20)
        #expect(try HDF5.File.open(path).readAll("train/inputs", as: UInt8.self).count == 240)
      }
      func problem(memoryLimit: Int) throws -> String {
        let error = #expect(throws: DatasetError.self) {
          try Self.numbers(path, memoryLimit: memoryLimit)
        }
        return try #require(error).description
      }
      func inspection() throws -> String {
        let error = #expect(throws: DatasetError.self) {
          try DatasetSummary(path, readingAll: true)
        }
        return try #require(error).description
      }
      try spoil(after: [9, 9, 9, 9], 8)
      let problems = [
        try problem(memoryLimit: 0), try problem(memoryLimit: 1 << 20), try inspection(),
      ]
      for problem in problems {
        #expect(problem.hasPrefix("\(path): train/inputs[0], or one soon after it"), "\(problem)")
      }
      try spoil(after: [3, 1, 0, 0], 4)
      for problem in [try problem(memoryLimit: 0), try inspection()] {
        #expect(problem.contains("train/targets"), "\(problem)")
      }
    }
  }

  /// Arrays in the MNIST format, plain and gzipped: any bytes give an error or an array.
  @Test func noIDXFileCrashes() throws {
    try Places.withTemporaryFolder { folder in
      let good = Data(IDXArrayTests.file([4, 3, 2], (0..<24).map { $0 }))
      var random = Numbers(state: 3)
      for _ in 0..<Self.count * 10 {
        let bytes = [UInt8](random.mutate(good))
        if let array = try? IDXArray(parsing: bytes, dimensions: 3, path: "x") {
          #expect(array.shape.reduce(1, *) == array.bytes.count)
        }
      }
      print("\(Self.count * 10) mutated arrays of the MNIST format")
    }
  }

  /// Flips, truncations, zeros and exchanges that follow from a seed.
  struct Numbers: RandomNumberGenerator {
    var state: UInt64

    /// SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }

    mutating func mutate(_ good: Data) -> Data {
      var data = good
      let place = Int.random(in: 0..<data.count, using: &self)
      let length = min(Int.random(in: 1...64, using: &self), data.count - place)
      switch Int.random(in: 0..<6, using: &self) {
      case 0: data.removeLast(data.count - place)
      case 1: data.replaceSubrange(place..<place + length, with: Data(count: length))
      case 2:
        let other = Int.random(in: 0...data.count - length, using: &self)
        data.replaceSubrange(place..<place + length, with: good[other..<other + length])
      default:
        for _ in 0..<Int.random(in: 1...4, using: &self) {
          data[Int.random(in: 0..<data.count, using: &self)] ^=
            1 << UInt8.random(in: 0..<8, using: &self)
        }
      }
      return data
    }
  }
}
