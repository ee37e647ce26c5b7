// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Checkpoints

/// Damaged and hostile checkpoints: each is refused in one line, or read as the numbers that were
/// written. The seed is fixed; a failure names the number of the mutation. The environment
/// variable MOMENTUM_DIST_MUTATIONS asks for more than 300 of them.
@Suite struct MutationTests {
  static let count =
    Int(ProcessInfo.processInfo.environment["MOMENTUM_DIST_MUTATIONS"] ?? "") ?? 300
  static let shards = 3

  static func manifest(files: [CheckpointManifest.FileEntry]) -> CheckpointManifest {
    CheckpointManifest(
      step: 3, epoch: 1, batch: 2, parameterCount: 17,
      parametersSHA256: ParametersDigest.sha256(ofCheckpoint: CheckpointTests.tensors),
      optimizer: .init(name: "adam", stepCount: 3), progress: ["best": 0.1],
      tensors: CheckpointTests.tensors.map { .init(path: $0.path, shape: $0.shape) }, files: files,
      configuration: "seed: 1\n",
      machine: .init(
        precision: "float32", kernels: "reference", blasCore: "none", virtualShards: 8,
        ranks: shards, program: "test"))
  }

  static func write(_ folder: String) throws {
    let writer = CheckpointWriter(folder: folder, shards: shards)
    try writer.begin()
    let files = try (0..<shards).map { try writer.writeShard($0, CheckpointTests.tensors) }
    try writer.commit(manifest(files: files))
  }

  @Test func noMutationCrashesOrChangesNumbers() throws {
    try Places.withTemporaryFolder { folder in
      let folder = "\(folder)/step"
      try Self.write(folder)
      let good = try CheckpointFiles(folder)
      #expect(try CheckpointReader(folder).checkedTensors().count == 3)
      var refused: [String: Int] = [:]
      for number in 0..<Self.count {
        var mutator = Mutator(seed: UInt64(number))
        var files = good
        let kind = try mutator.mutate(&files)
        try files.write(to: folder)
        do {
          let reader = try CheckpointReader(folder)
          let read = try reader.checkedTensors()
          // A manifest with a new valid checksum may leave out a tensor, which the trainer then
          // misses, or have another step. Damage may not.
          #expect(kind.isSealed || files == good, "\(number), \(kind): accepted")
          for tensor in read {
            let written = CheckpointTests.tensors.first { $0.path == tensor.path }
            #expect(
              tensor.shape == written?.shape
                && tensor.values.map(\.bitPattern) == written?.values.map(\.bitPattern),
              "\(number), \(kind): other numbers in \(tensor.path)")
          }
        } catch {
          let error = try #require(error as? CheckpointError, "\(number), \(kind): \(error)")
          #expect(!error.isDiskFailure, "\(number), \(kind): \(error)")
          #expect(!error.description.contains("\n"), "\(number), \(kind): \(error)")
          #expect(error.description.contains(folder), "\(number), \(kind): \(error)")
          refused["\(kind)", default: 0] += 1
        }
      }
      #expect(Set(refused.keys) == Set(Mutator.Kind.allCases.map { "\($0)" }), "\(refused)")
      #expect(refused.values.reduce(0, +) > Self.count * 3 / 4, "\(refused)")
    }
  }

  /// Content that a manifest may not have, even with a valid checksum.
  @Test(arguments: [
    ("\"path\" : \"parameters/a\"", "\"path\" : \"../a\""),
    ("\"path\" : \"parameters/a\"", "\"path\" : \"/a\""),
    ("\"path\" : \"parameters/a\"", "\"path\" : \"parameters/a\\n\""),
    ("\"path\" : \"parameters/a\"", "\"path\" : \"parameters/b\""),
    ("shard-00000-of-00003", "../shard-00000-of-00003"),
    ("shard-00000-of-00003", "shard-00001-of-00003"),
    ("shard-00000-of-00003", "shard-00000-of-00003\\nX: "),
    ("5,\n        3", "1099511627776,\n        3"),
    ("5,\n        3", "1099511627776,\n        1099511627776"),
    ("5,\n        3", "0,\n        4611686018427387904,\n        4611686018427387904"),
    ("5,\n        3", "-5,\n        -3"),
    ("5,\n        3", "500000,\n        300000"),
    ("\"step\" : 3", "\"step\" : -3"),
    ("\"step\" : 3", "\"step\" : 9223372036854775807"),
    ("\"step\" : 3", "\"step\" : 1e400"),
    ("\"step_count\" : 3", "\"step_count\" : -1"),
    ("\"epoch\" : 1", "\"epoch\" : 9223372036854775807"),
    ("\"format_version\" : 2", "\"format_version\" : 3"),
  ])
  func aSealedManifestIsNotTrusted(old: String, new: String) throws {
    try Places.withTemporaryFolder { folder in
      let folder = "\(folder)/step"
      try Self.write(folder)
      let path = "\(folder)/\(CheckpointManifest.fileName)"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let seal = try #require(try CheckpointManifest(ofCheckpoint: folder).manifestSHA256)
      let edited = text.replacingOccurrences(of: old, with: new)
      try #require(edited != text, "nothing to replace")
      try CheckpointManifest.seal(edited, inPlaceOf: seal)
        .write(toFile: path, atomically: true, encoding: .utf8)
      let error = #expect(throws: CheckpointError.self) { try CheckpointReader(folder) }
      #expect(error?.description.contains("\n") == false)
      #expect(error?.description.contains("checksum") == false, "the seal was to be good")
    }
  }

  /// HDF5 does not open a file before its checksum is verified, even if the caller forgot to
  /// verify.
  @Test func readingVerifiesFirst() throws {
    try Places.withTemporaryFolder { folder in
      let folder = "\(folder)/step"
      try Self.write(folder)
      let shard = "\(folder)/\(CheckpointWriter.shardName(2, of: Self.shards))"
      let reader = try CheckpointReader(folder)
      let first = try reader.tensors()
      #expect(first.count == 3)
      // Verified before, but changed since, to the same size.
      var data = try Data(contentsOf: URL(fileURLWithPath: shard))
      data[0] ^= 1
      try data.write(to: URL(fileURLWithPath: shard))
      for reader in [reader, try CheckpointReader(folder)] {
        let error = #expect(throws: CheckpointError.self) { try reader.tensors() }
        #expect(error?.problem == "does not match its checksum in the manifest")
      }
      // A link, even to the right bytes, is not a shard, and neither is a folder.
      data[0] ^= 1
      try data.write(to: URL(fileURLWithPath: "\(folder)/elsewhere"))
      try FileManager.default.removeItem(atPath: shard)
      try FileManager.default.createSymbolicLink(
        atPath: shard, withDestinationPath: "\(folder)/elsewhere")
      let error = #expect(throws: CheckpointError.self) { try reader.tensors() }
      #expect(error?.problem == "is not an ordinary file")
    }
  }
}

/// The files of a checkpoint, in memory.
struct CheckpointFiles: Equatable {
  var manifest: Data
  /// nil if a shard is deleted.
  var shards: [Data?]

  init(_ folder: String) throws {
    manifest = try Data(contentsOf: URL(fileURLWithPath: Self.manifestPath(folder)))
    shards = try (0..<MutationTests.shards).map {
      try Data(contentsOf: URL(fileURLWithPath: Self.shardPath(folder, $0)))
    }
  }

  func write(to folder: String) throws {
    try manifest.write(to: URL(fileURLWithPath: Self.manifestPath(folder)))
    for (index, shard) in shards.enumerated() {
      let path = Self.shardPath(folder, index)
      try? FileManager.default.removeItem(atPath: path)
      try shard?.write(to: URL(fileURLWithPath: path))
    }
  }

  private static func manifestPath(_ folder: String) -> String {
    "\(folder)/\(CheckpointManifest.fileName)"
  }

  private static func shardPath(_ folder: String, _ shard: Int) -> String {
    "\(folder)/\(CheckpointWriter.shardName(shard, of: MutationTests.shards))"
  }
}
