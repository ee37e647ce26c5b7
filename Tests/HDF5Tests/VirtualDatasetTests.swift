// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Testing

@Suite struct VirtualDatasetTests {
  let folder = try! TemporaryFolder()

  /// Rows 0 and 1 are in one file, rows 2 to 4 in another, and one shard has no rows.
  func makeFiles() throws {
    try File.create(folder.path("a.h5")).write([1, 2, 3, 4] as [Float], to: "v", shape: [2, 2])
    let second: [Float] = [5, 6, 7, 8, 9, 10]
    try File.create(folder.path("b.h5")).write(
      second, to: "deep/v", shape: [3, 2], fletcher32: true)
    let file = try File.create(folder.path("all.h5"))
    try file.createVirtualDataset(
      "model/v", of: Float.self, shape: [5, 2],
      sources: [
        VirtualSource(file: "a.h5", dataset: "v", shape: [2, 2], offset: [0, 0]),
        VirtualSource(file: "none.h5", dataset: "v", shape: [0, 2], offset: [2, 0]),
        VirtualSource(file: "b.h5", dataset: "deep/v", shape: [3, 2], offset: [2, 0]),
      ])
    try file.close()
  }

  @Test func twoFilesReadAsOne() throws {
    try makeFiles()
    let dataset = try File.open(folder.path("all.h5")).dataset("model/v")
    #expect(dataset.shape == [5, 2])
    #expect(try dataset.read(as: Float.self) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    #expect(try dataset.read(as: Float.self, at: [1, 1], count: [2, 1]) == [4, 6])
  }

  /// The files are found next to the one that names them.
  @Test func filesMoveTogether() throws {
    try makeFiles()
    let moved = try TemporaryFolder()
    for name in ["a.h5", "b.h5", "all.h5"] {
      try FileManager.default.moveItem(atPath: folder.path(name), toPath: moved.path(name))
    }
    let values = try File.open(moved.path("all.h5")).readAll("model/v", as: Float.self)
    #expect(values == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  }

  /// The documented hazard that every reader must guard against.
  @Test func missingFilesReadAsZero() throws {
    try makeFiles()
    try FileManager.default.removeItem(atPath: folder.path("a.h5"))
    let values = try File.open(folder.path("all.h5")).readAll("model/v", as: Float.self)
    #expect(values == [0, 0, 0, 0, 5, 6, 7, 8, 9, 10])
  }

  @Test func sourcesOpenElsewhereInTheProcess() throws {
    try makeFiles()
    let open = [try File.open(folder.path("a.h5")), try File.open(folder.path("b.h5"))]
    let values = try File.open(folder.path("all.h5")).readAll("model/v", as: Float.self)
    #expect(values == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    #expect(open.count == 2)
  }

  @Test func sourcesOutsideAreRefused() throws {
    let file = try File.create(folder.path())
    let source = VirtualSource(file: "a.h5", dataset: "v", shape: [2, 2], offset: [4, 0])
    expectError("outside of shape [5, 2]") {
      try file.createVirtualDataset("v", of: Float.self, shape: [5, 2], sources: [source])
    }
    #expect(!file.contains("v"))
  }
}
