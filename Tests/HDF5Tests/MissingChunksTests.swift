// SPDX-License-Identifier: Apache-2.0

import HDF5
import Testing

/// Data that were declared but never written, and data of a filter that is not available.
@Suite struct MissingChunksTests {
  let folder = try! TemporaryFolder()

  /// A dataset of 25 rows in chunks of 10, of which some chunks are written.
  private func dataset(
    writing chunks: [Int], format: File.Format = .current, deflate: Int? = 4,
    maximumShape: [Int?]? = nil
  ) throws -> Dataset {
    let path = folder.path("chunks-\(chunks.count)-\(maximumShape == nil).h5")
    let file = try File.create(path, format: format)
    let dataset = try file.createDataset(
      "x", of: Float.self, shape: [25, 3], chunk: [10, 2], deflate: deflate,
      maximumShape: maximumShape)
    for chunk in chunks {
      let row = chunk / 2 * 10
      let count = [min(10, 25 - row), chunk % 2 == 0 ? 2 : 1]
      let values = [Float](repeating: 1, count: count[0] * count[1])
      try dataset.write(values.span, at: [row, chunk % 2 * 2], count: count)
    }
    try file.close()
    return try File.open(path).dataset("x")
  }

  @Test(arguments: [File.Format.current, .earliest], [nil, 4])
  func wholeDatasetsAreTaken(format: File.Format, deflate: Int?) throws {
    let whole = try dataset(writing: [0, 1, 2, 3, 4, 5], format: format, deflate: deflate)
    #expect(try whole.missingChunks() == nil)
    #expect(try whole.chunkCounts()! == (6, 6))
    try whole.requireStored()
    let growing = try dataset(
      writing: [5, 4, 3, 2, 1, 0], format: format, deflate: deflate, maximumShape: [nil, nil])
    try growing.requireStored()
  }

  @Test(arguments: [File.Format.current, .earliest], [nil, 4])
  func whatWasNeverWrittenIsCounted(format: File.Format, deflate: Int?) throws {
    let rest = try dataset(writing: [0, 1, 2, 3], format: format, deflate: deflate)
    let missing = try #require(try rest.missingChunks())
    #expect((missing.needed, missing.missing, missing.firstRow, missing.isRest) == (6, 2, 20, true))
    expectError("2 of its 6 chunks were never written, from row 20 on") { try rest.requireStored() }

    let hole = try dataset(writing: [0, 1, 2, 4, 5], format: format, deflate: deflate)
    expectError("1 of its 6 chunks were never written, the first of them at row 10") {
      try hole.requireStored()
    }
    let never = try dataset(writing: [], format: format, deflate: deflate)
    expectError("none of its 6 chunks was ever written") { try never.requireStored() }
    do {
      try never.requireStored()
    } catch {
      #expect(error.cure.contains("if the fill value is meant, write it out"))
    }
  }

  /// What lies outside of a dataset that was made shorter is not needed.
  @Test func aShortenedDatasetIsWhole() throws {
    let file = try File.create(folder.path())
    let dataset = try file.createDataset(
      "x", of: Float.self, shape: [100], chunk: [16], deflate: 1, maximumShape: [nil])
    try dataset.write([Float](repeating: 1, count: 60).span, at: [0], count: [60])
    #expect(try dataset.missingChunks() != nil)
    try dataset.extend(to: [60])
    try file.close()
    try File.open(folder.path()).dataset("x").requireStored()
  }

  /// HDF5 1.10 reads beyond its memory if the bits of a number are outside of its bytes.
  @Test(arguments: [0, 2, 5, 7]) func aDamagedTypeIsRefused(byte: Int) throws {
    let file = try File.create(folder.path(), format: .earliest)
    try file.write([1.5, 2.5], to: "x")
    try file.close()
    try File.open(folder.path()).dataset("x").requireStored()
    try folder.edit { bytes in
      // Offset and precision in bits, places and sizes of exponent and mantissa, the bias.
      let start = position(of: [0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0], in: bytes)!
      bytes[start + byte] = 200
    }
    expectError("x: cannot use: its type is damaged") {
      try File.open(folder.path()).dataset("x").requireStored()
    }
  }

  /// Replaces the number of deflate by an unused one, and its name by that of another program.
  @Test(arguments: [(32000, "lzf"), (60123, "madeup")])
  func aMissingFilterIsNamed(_ id: Int, _ name: String) throws {
    _ = try dataset(writing: [0, 1, 2, 3, 4, 5], format: .earliest)
    try folder.edit("chunks-6-true.h5") { bytes in
      let start = position(of: Array("deflate\0".utf8), in: bytes)!
      bytes.replaceSubrange(start..<start + 8, with: Array("madeup\0\0".utf8))
      // Number, length of the name, flags and count of values precede the name.
      #expect(bytes[start - 8] == 1 && bytes[start - 6] == 8)
      bytes.replaceSubrange(start - 8..<start - 6, with: [UInt8(id & 255), UInt8(id >> 8)])
    }
    let dataset = try File.open(folder.path("chunks-6-true.h5")).dataset("x")
    let filters = try dataset.filters()
    #expect(filters.map(\.name) == ["shuffle", name])
    #expect(filters.map(\.isAvailable) == [true, false])
    for read in [
      { try dataset.requireStored() }, { _ = try dataset.read(as: Float.self) },
    ] as [() throws -> Void] {
      expectError("packed by the filter \(name) (number \(id)), which is not installed here") {
        try read()
      }
    }
    do {
      try dataset.requireStored()
    } catch {
      #expect(error.cure.contains("h5repack -f GZIP=4"))
    }
  }
}
