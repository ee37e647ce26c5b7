// SPDX-License-Identifier: Apache-2.0

import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct IDXArrayTests {
  /// A file of `values` under a header for `shape`.
  static func file(_ shape: [Int], _ values: [UInt8], type: UInt8 = 8) -> [UInt8] {
    [0, 0, type, UInt8(shape.count)]
      + shape.flatMap { extent in (0..<4).map { UInt8(extent >> (24 - 8 * $0) & 255) } } + values
  }

  private func problem(_ bytes: [UInt8], dimensions: Int = 1) -> String? {
    do {
      _ = try IDXArray(parsing: bytes, dimensions: dimensions, path: "labels")
      return nil
    } catch {
      return error.description
    }
  }

  @Test func readsShapeAndBytes() throws {
    let array = try IDXArray(
      parsing: Self.file([2, 1, 3], [1, 2, 3, 4, 5, 6]), dimensions: 3, path: "images")
    #expect(array.shape == [2, 1, 3])
    #expect(array.bytes == [1, 2, 3, 4, 5, 6])
  }

  @Test func refusesWhatIsNoSuchFile() throws {
    #expect(try #require(problem([])).contains("is empty"))
    #expect(try #require(problem([0, 0, 8])).contains("ends after 3 bytes"))
    #expect(try #require(problem([0, 0, 8, 1, 0, 0])).contains("ends within its header"))
    let swapped = Self.file([1, 1, 1], [9])
    #expect(try #require(problem(swapped)).contains("00 00 08 03"), "images given for labels")
    #expect(try #require(problem(Self.file([1], [9], type: 13))).contains("00 00 0d 01"))
    let short = Self.file([5], [1, 2, 3])
    #expect(
      try #require(problem(short)).contains("declares 5 bytes of data (shape [5]) and holds 3"))
    #expect(try #require(problem(Self.file([2], [1, 2, 3]))).contains("holds more"))
    let huge = Self.file([1 << 31, 1 << 31, 1 << 31], [])
    #expect(try #require(problem(huge, dimensions: 3)).contains("declares"))
  }

  @Test func aFolderMustHoldMatchingFiles() throws {
    try Places.withTemporaryFolder { folder in
      func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      }
      func problem() -> String? {
        do {
          _ = try MNISTFolder(contentsOf: folder)
          return nil
        } catch {
          return error.description
        }
      }
      #expect(problem()?.contains("has no train-images-idx3-ubyte") == true)
      try write("train-images-idx3-ubyte", Self.file([2, 1, 2], [1, 2, 3, 4]))
      try write("train-labels-idx1-ubyte", Self.file([3], [0, 1, 1]))
      try write("t10k-images-idx3-ubyte", Self.file([1, 1, 2], [5, 6]))
      try write("t10k-labels-idx1-ubyte", Self.file([1], [1]))
      #expect(problem()?.contains("holds 2 images, but") == true)
      try write("train-labels-idx1-ubyte", Self.file([2], [0, 1]))
      #expect(problem() == nil)
    }
  }
}
