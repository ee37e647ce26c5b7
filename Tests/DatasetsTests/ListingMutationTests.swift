// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

@testable import Datasets

/// Any file may be inspected. A damaged one is listed, or refused in one line. The file has the
/// checksums of HDF5 1.10's structures. Without them libhdf5 1.10.8 itself crashes when a dataset
/// with some damage is opened, such as a chunk with a side of 0 (H5D__chunk_set_info).
@Suite struct ListingMutationTests {
  @Test(arguments: [nil, 4]) func noDamageCrashesAListing(deflate: Int?) throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      let file = try HDF5.File.create(path)
      try file.write(
        (0..<240).map { Double($0) }, to: "group/train/x", shape: [20, 4, 3], chunk: [6, 4, 3],
        deflate: deflate)
      try file.write((0..<20).map { Int32($0 % 3) }, to: "group/train/y", chunk: [8])
      try file.write([0, 5, 20], to: "begins")
      try file.setAttribute("class_names", ["a", "b", "c"])
      try file.close()
      let whole = try FileListing(path, readingAll: true)
      #expect(whole.entries.map(\.name) == ["begins", "group/train/x", "group/train/y"])
      #expect(whole.trainable.count == 1)
      let good = try Data(contentsOf: URL(fileURLWithPath: path))
      let tally = ByteMutator.campaign(
        "listing, deflate \(deflate ?? 0)", seed: 11, good: good
      ) { data in
        try data.write(to: URL(fileURLWithPath: path))
        let listing = try FileListing(path, readingAll: false)
        for entry in listing.entries { #expect(entry.text.split(separator: "\n").count == 1) }
        _ = try FileListing(path, readingAll: true)
      } judge: { error, number in
        #expect(error is DatasetError, "\(number): \(error)")
        #expect(!"\(error)".contains("\n"), "\(number): \(error)")
      }
      #expect(tally.refused > ByteMutator.count / 20)
    }
  }

  /// A link to a group that was listed, or is being listed, adds nothing.
  @Test func groupsAreListedOnce() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      let file = try HDF5.File.create(path)
      try file.write([Float(1)], to: "group/x")
      try file.write([Float(1)], to: "y")
      for number in 0..<300 { try file.createLink("link\(number)", to: "/") }
      try file.createLink("group/up", to: "/group")
      try file.close()
      let listing = try FileListing(path, readingAll: true)
      #expect(listing.entries.map(\.name) == ["group/x", "y"])
      #expect(listing.isComplete)
    }
  }

  /// What is not examined is not called verified.
  @Test func aFileWithTooManyNamesIsNotVerified() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      let file = try HDF5.File.create(path)
      try file.write([Float(1)], to: "\((0..<65).map { "\($0)/" }.joined())x")
      try file.write([Float(1)], to: "y")
      try file.close()
      let listing = try FileListing(path, readingAll: false)
      #expect(listing.entries.map(\.name) == ["y"])
      #expect(!listing.isComplete)
      let error = try #require(throws: DatasetError.self) {
        try FileListing(path, readingAll: true)
      }
      #expect("\(error)".contains("or 64 levels of groups, which are not all checked"))
    }
  }
}
