// SPDX-License-Identifier: Apache-2.0

import HDF5
import Testing

@Suite struct DamageTests {
  let folder = try! TemporaryFolder()

  @Test func checksumFindsOneBit() throws {
    let values = (0..<1000).map { Float($0) + 0.25 }
    let file = try File.create(folder.path())
    try file.write(values, to: "x", fletcher32: true)
    try file.close()
    #expect(try File.open(folder.path()).readAll("x", as: Float.self) == values)

    try folder.edit { bytes in
      let start = position(of: HDF5Tests.bytes(of: Array(values[500..<510])), in: bytes)!
      bytes[start + 5] ^= 1
    }
    expectError("test.h5:/x: cannot read", "Fletcher32") {
      _ = try File.open(folder.path()).readAll("x", as: Float.self)
    }
    expectError("Fletcher32") {
      _ = try File.open(folder.path()).dataset("x").read(as: Float.self, at: [0], count: [1])
    }
  }

  /// A chunked dataset takes no space until it is written, so a small file can declare a large one.
  @Test func hugeShapesAreRefused() throws {
    let file = try File.create(folder.path())
    try file.createDataset("x", of: UInt8.self, shape: [1 << 40, 1 << 20], chunk: [1, 1024])
    try file.createDataset("y", of: Double.self, shape: [1 << 33], chunk: [1024])
    try file.createDataset("z", of: Double.self, shape: [1 << 62], chunk: [1024])
    try file.close()

    let dataset = try File.open(folder.path()).dataset("x")
    #expect(dataset.shape == [1 << 40, 1 << 20])
    expectError("x: cannot read", "more than the limit of 8589934592") {
      _ = try dataset.read(as: UInt8.self)
    }
    expectError("not enough memory") { _ = try dataset.read(as: UInt8.self, maximumElements: .max) }
    expectError("not enough memory") {
      _ = try dataset.read(as: Double.self, at: [0, 0], count: [1 << 40, 1 << 20])
    }
    #expect(try dataset.read(as: UInt8.self, at: [1 << 39, 7], count: [1, 3]) == [0, 0, 0])
    expectError("limit of 100") {
      _ = try File.open(folder.path()).readAll("y", as: Double.self, maximumElements: 100)
    }
    expectError("not enough memory") {
      _ = try File.open(folder.path()).readAll("z", as: Double.self, maximumElements: .max)
    }
  }

  /// The extents are stored as 64-bit numbers, so they can be beyond what Swift can count.
  @Test(arguments: [[UInt64.max - 1, 1 << 20], [1 << 62, 1 << 62]])
  func overflowingShapesAreRefused(extents: [UInt64]) throws {
    let file = try File.create(folder.path())
    let declared: [UInt64] = [0x1234_5678, 0x2345_6789]
    try file.createDataset("x", of: UInt8.self, shape: declared.map(Int.init), chunk: [1, 1])
    try file.close()
    try folder.edit { bytes in
      let pattern = HDF5Tests.bytes(of: declared)
      let start = position(of: pattern, in: bytes)!
      bytes.replaceSubrange(start..<start + 16, with: HDF5Tests.bytes(of: extents))
    }
    expectError("test.h5:/x: cannot") { _ = try File.open(folder.path()).dataset("x") }
  }
}
