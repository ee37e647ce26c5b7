// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import HDF5

@Suite struct ChunkShapeTests {
  @Test(arguments: [
    ([10], [10]), ([1 << 20], [1 << 18]), ([1000, 1000], [262, 1000]),
    ([3, 1 << 20], [1, 1 << 18]),
    ([0], [1]), ([0, 5], [1, 5]), ([7, 2, 300_000], [1, 1, 262_144]), ([2, 3, 4], [2, 3, 4]),
  ])
  func chosen(shape: [Int], expected: [Int]) throws {
    let chunk = try chunkShape(nil, shape: shape, maximum: nil, elementBytes: 4, "x")
    #expect(chunk == expected)
    #expect(chunk.reduce(4, *) <= maximumChunkBytes)
  }

  @Test func growingDimensionsHaveLongerChunks() throws {
    #expect(try chunkShape(nil, shape: [0], maximum: [nil], elementBytes: 8, "x") == [256])
    #expect(try chunkShape(nil, shape: [0, 4], maximum: [9, 4], elementBytes: 8, "x") == [9, 4])
    #expect(try chunkShape(nil, shape: [1000], maximum: [nil], elementBytes: 8, "x") == [1000])
  }

  @Test func requestedIsKeptWithinTheShape() throws {
    #expect(try chunkShape([2, 50], shape: [4, 9], maximum: nil, elementBytes: 8, "x") == [2, 9])
    #expect(try chunkShape([64], shape: [1], maximum: [nil], elementBytes: 8, "x") == [64])
  }
}
