// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// A user's own files in the format of HDF5 1.0 to 1.8, which has no checksums of its own. They are
/// read as written. Damaged ones are refused in one line or read, and never crash.
@Suite struct OldFormatTests {
  /// How the numbers are stored in the file.
  enum Layout: String, CaseIterable {
    case contiguous, chunked, compressed, checked
  }

  static func write(_ layout: Layout, to path: String) throws {
    let file = try HDF5.File.create(path, format: .earliest)
    let values = (0..<240).map { Double($0) * 0.25 }
    let labels = (0..<20).map { Int64($0 % 5) }
    for part in ["train", "test"] {
      switch layout {
      case .contiguous:
        try file.write(values, to: "\(part)/x", shape: [20, 4, 3])
        try file.write(labels, to: "\(part)/y")
      case .chunked, .compressed, .checked:
        try file.write(
          values, to: "\(part)/x", shape: [20, 4, 3], chunk: [6, 4, 3],
          deflate: layout == .compressed ? 6 : nil, fletcher32: layout == .checked)
        try file.write(
          labels, to: "\(part)/y", shape: [20], chunk: [8],
          deflate: layout == .compressed ? 6 : nil, fletcher32: layout == .checked)
      }
    }
    try file.close()
  }

  static func numbers(_ path: String, memoryLimit: Int) throws -> ([Float], [Int32]) {
    var place = DatasetPlace(path)
    (place.inputs, place.targets) = ("{part}/x", "{part}/y")
    place.memoryLimit = memoryLimit
    let source = try FileSource(place, part: .train, view: .rows)
    guard source.count == 20, source.steps == 4, source.features == 3 else { return ([], []) }
    let x = Tensor<Float>(shape: [4, 20, 3])
    let labels = try source.read(Array(0..<20)[...], into: x).whole
    return (x.array, labels)
  }

  @Test(arguments: Layout.allCases) func whatWasWrittenIsRead(_ layout: Layout) throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      try Self.write(layout, to: path)
      // The first version of the format's first block.
      #expect(try Data(contentsOf: URL(fileURLWithPath: path))[8] == 0)
      for limit in [0, 1 << 20] {
        let (x, labels) = try Self.numbers(path, memoryLimit: limit)
        #expect(labels == (0..<20).map { Int32($0 % 5) })
        for n in 0..<20 {
          for t in 0..<4 {
            for i in 0..<3 { #expect(x[(t * 20 + n) * 3 + i] == Float(n * 12 + t * 3 + i) * 0.25) }
          }
        }
      }
    }
  }

  @Test(arguments: Layout.allCases) func noDamageCrashes(_ layout: Layout) throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      try Self.write(layout, to: path)
      let good = try Data(contentsOf: URL(fileURLWithPath: path))
      ByteMutator.campaign("old HDF5, \(layout)", seed: 9, good: good) { data in
        try data.write(to: URL(fileURLWithPath: path))
        _ = try Self.numbers(path, memoryLimit: 1 << 20)
      } judge: { error, number in
        #expect(error is DatasetError, "\(layout) \(number): \(error)")
        #expect(!"\(error)".contains("\n"), "\(layout) \(number): \(error)")
      }
    }
  }

  /// The checksum of a piece is the only one that such a file can have, and it is compared.
  @Test func aChangedNumberIsFoundWhereThereAreSums() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      try Self.write(.checked, to: path)
      var data = try Data(contentsOf: URL(fileURLWithPath: path))
      let number = withUnsafeBytes(of: 100 * 0.25) { Data($0) }
      let place = try #require(data.range(of: number))
      data[place.lowerBound + 6] ^= 1
      try data.write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: DatasetError.self) { try Self.numbers(path, memoryLimit: 0) }
      #expect(error?.description.contains("Fletcher32") == true, "\(String(describing: error))")
    }
  }
}
