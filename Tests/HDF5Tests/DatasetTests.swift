// SPDX-License-Identifier: Apache-2.0

import HDF5
import Testing

@Suite struct DatasetTests {
  let folder = try! TemporaryFolder()

  @Test func everyTypeComesBack() throws {
    try check([-.infinity, -0.0, 1.5, Float.greatestFiniteMagnitude], .float32)
    try check([-1e300, 0.1, Double.leastNonzeroMagnitude], .float64)
    try check([Int8.min, -1, 0, Int8.max], .int8)
    try check([Int16.min, -1, 0, Int16.max], .int16)
    try check([Int32.min, -1, 0, Int32.max], .int32)
    try check([Int64.min, -1, 0, Int64.max], .int64)
    try check([Int.min, -1, 0, Int.max], .int64)
    try check([0, 1, UInt8.max], .uint8)
    try check([0, 1, UInt16.max], .uint16)
    try check([0, 1, UInt32.max], .uint32)
    try check([0, 1, UInt64.max], .uint64)
  }

  func check<Scalar: HDF5Scalar & Equatable>(_ values: [Scalar], _ type: ElementType) throws {
    let path = folder.path("\(Scalar.self).h5")
    let file = try File.create(path)
    try file.write(values, to: "deep/in/the/file")
    try file.close()
    let dataset = try File.open(path).dataset("deep/in/the/file")
    #expect(dataset.elementType == type)
    #expect(Scalar.elementType == type)
    #expect(dataset.shape == [values.count])
    #expect(bytes(of: try dataset.read(as: Scalar.self)) == bytes(of: values))
  }

  @Test func numbersAreConverted() throws {
    let file = try File.create(folder.path())
    try file.write([1, 2, 300] as [Int32], to: "x")
    #expect(try file.readAll("x", as: Float.self) == [1, 2, 300])
    #expect(try file.readAll("x", as: UInt8.self) == [1, 2, 255])
    let halves = try file.createDataset("y", of: Float.self, shape: [2])
    try halves.write([0.5, 2.0] as [Double])
    #expect(try halves.read(as: Double.self) == [0.5, 2])
  }

  @Test(arguments: [nil, [2, 3], [100, 100]] as [[Int]?], [false, true])
  func blocks(chunk: [Int]?, checksum: Bool) throws {
    let file = try File.create(folder.path())
    let dataset = try file.createDataset(
      "x", of: Int32.self, shape: [5, 7], chunk: chunk, deflate: chunk == nil ? nil : 4,
      fletcher32: checksum)
    var expected = (0..<35).map { Int32($0) }
    try dataset.write(expected)
    let block: [Int32] = [-1, -2, -3, -4, -5, -6]
    try dataset.write(block.span, at: [1, 4], count: [2, 3])
    for index in 0..<6 { expected[(1 + index / 3) * 7 + 4 + index % 3] = block[index] }
    #expect(try dataset.read(as: Int32.self) == expected)
    #expect(try dataset.read(as: Int32.self, at: [1, 4], count: [2, 3]) == block)
    #expect(try dataset.read(as: Int32.self, at: [4, 0], count: [1, 7]) == Array(28..<35))
    #expect(try dataset.read(as: Int32.self, at: [5, 7], count: [0, 0]) == [])

    var column = [Int32](repeating: 0, count: 5)
    var span = column.mutableSpan
    try dataset.read(into: &span, at: [0, 2], count: [5, 1])
    #expect(column == [2, 9, 16, 23, 30])
  }

  @Test func blocksOutsideAreRefused() throws {
    let file = try File.create(folder.path())
    let dataset = try file.write([Float](repeating: 1, count: 35), to: "x", shape: [5, 7])
    let blocks: [([Int], [Int])] = [
      ([0, 0], [6, 1]), ([0, 1], [1, 7]), ([5, 0], [1, 1]), ([-1, 0], [1, 1]), ([0, 0], [-1, 1]),
      ([.max, 0], [1, 1]), ([1, 1], [.max, .max]), ([6, 0], [0, 0]),
    ]
    for (offset, count) in blocks {
      expectError("x: cannot read", "outside of shape [5, 7]") {
        _ = try dataset.read(as: Float.self, at: offset, count: count)
      }
      expectError("x: cannot write", "outside of shape [5, 7]") {
        try dataset.write([1, 2].span as Span<Float>, at: offset, count: count)
      }
    }
    expectError("[0] and count [1]", "[5, 7]") {
      _ = try dataset.read(as: Float.self, at: [0], count: [1])
    }
    expectError("4 elements", "buffer has 3") {
      var buffer: [Float] = [0, 0, 0]
      var span = buffer.mutableSpan
      try dataset.read(into: &span, at: [0, 0], count: [2, 2])
    }
    expectError("35 elements", "buffer has 2") { try dataset.write([1, 2] as [Float]) }
    expectError("3 values do not fill shape [2, 2]") {
      try file.write([1, 2, 3] as [Float], to: "y", shape: [2, 2])
    }
  }

  @Test(arguments: [[0], [0, 4], [3, 0]], [false, true])
  func emptyShapes(shape: [Int], checksum: Bool) throws {
    let file = try File.create(folder.path())
    try file.write(
      [] as [Float], to: "x", shape: shape, deflate: checksum ? 1 : nil, fletcher32: checksum)
    try file.close()
    let dataset = try File.open(folder.path()).dataset("x")
    #expect(dataset.shape == shape)
    #expect(dataset.count == 0)
    #expect(try dataset.read(as: Float.self) == [])
  }

  @Test func singleValue() throws {
    let file = try File.create(folder.path())
    try file.write([42] as [Int], to: "x", shape: [])
    let dataset = try file.dataset("x")
    #expect(dataset.shape == [] && dataset.count == 1)
    #expect(try dataset.read(as: Int.self) == [42])
    expectError("single value has no chunks") {
      try file.createDataset("y", of: Int.self, shape: [], fletcher32: true)
    }
  }

  @Test func datasetsGrow() throws {
    let file = try File.create(folder.path())
    let dataset = try file.createDataset(
      "log", of: Double.self, shape: [0, 2], fletcher32: true, maximumShape: [nil, 2])
    for step in 0..<5 {
      try dataset.extend(to: [step + 1, 2])
      try dataset.write([Double(step), -1].span, at: [step, 0], count: [1, 2])
    }
    #expect(dataset.shape == [5, 2])
    #expect(try file.readAll("log", as: Double.self) == [0, -1, 1, -1, 2, -1, 3, -1, 4, -1])
    expectError("cannot extend") { try dataset.extend(to: [5, 3]) }
    expectError("cannot extend") { try dataset.extend(to: [5]) }
    expectError("cannot extend") { try dataset.extend(to: [-1, 2]) }
    #expect(dataset.shape == [5, 2])
    let fixed = try file.createDataset("fixed", of: Double.self, shape: [2])
    expectError("cannot extend") { try fixed.extend(to: [3]) }
  }

  @Test func badOptionsAreRefused() throws {
    let file = try File.create(folder.path())
    expectError("deflate", "11") {
      try file.createDataset("a", of: Float.self, shape: [4], deflate: 11)
    }
    expectError("chunk [2, 2]") {
      try file.createDataset("a", of: Float.self, shape: [4], chunk: [2, 2])
    }
    expectError("chunk [0]") {
      try file.createDataset("a", of: Float.self, shape: [4], chunk: [0])
    }
    expectError("maximum shape [Optional(3)]") {
      try file.createDataset("a", of: Float.self, shape: [4], maximumShape: [3])
    }
    for shape in [[-1], [1 << 40, 1 << 40]] {
      expectError("negative or overflows") {
        try file.createDataset("a", of: Float.self, shape: shape)
      }
    }
    #expect(try file.childNames() == [])
    try file.write([1] as [Float], to: "a")
    expectError("cannot create the dataset", "exists") { try file.write([1] as [Float], to: "a") }
  }
}
