// SPDX-License-Identifier: Apache-2.0

import Foundation
import Gzip
import Testing

@Suite struct ReadPossiblyGzippedTests {
  /// The output of `printf 'momentum\n' | gzip -n`.
  static let compressed: [UInt8] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0xcd, 0xcf, 0x4d, 0xcd,
    0x2b, 0x29, 0xcd, 0xe5, 0x02, 0x00, 0x2e, 0xdb, 0x55, 0x50, 0x09, 0x00, 0x00, 0x00,
  ]
  static let text = Array("momentum\n".utf8)

  /// Content that is longer than all buffers and repeats with none of their lengths.
  static let long = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 % 251) }

  /// Expects a file of `bytes` to be read as `content`.
  func expect(_ bytes: [UInt8], reads content: [UInt8]) throws {
    try withFile(bytes) { path in
      let found = try readPossiblyGzipped(path)
      #expect(found == content)
    }
  }

  /// The first byte of a file of a million bytes says that there are 36. At most one piece of the
  /// rest, which may be endless, is read.
  @Test(arguments: [true, false]) func whatIsBehindTheDeclaredEndIsLeft(isCompressed: Bool) throws {
    let content = [36] + Self.long
    try withFile(isCompressed ? gzipMember(content) : content) { path in
      let found = try readPossiblyGzipped(path, maximumBytes: 1 << 19) { start in
        start.first.map { Int($0) }
      }
      #expect((37...1 << 19).contains(found.count) && content.starts(with: found))
    }
  }

  @Test func compressedFile() throws {
    try expect(Self.compressed, reads: Self.text)
  }

  @Test(arguments: [[], [0x1f], [0x8b, 0x1f], text, long])
  func plainFile(content: [UInt8]) throws {
    try expect(content, reads: content)
  }

  @Test(arguments: [[], [0x1f, 0x8b], long])
  func storedFile(content: [UInt8]) throws {
    try expect(gzipMember(content), reads: content)
  }

  @Test func membersFollowOneAnother() throws {
    let file = Self.compressed + gzipMember(Self.long) + gzipMember([]) + Self.compressed
    try expect(file, reads: Self.text + Self.long + Self.text)
    // Tape archives are padded with zeros.
    try expect(
      file + [UInt8](repeating: 0, count: 700_000), reads: Self.text + Self.long + Self.text)
  }

  @Test func everyTruncationIsSeen() throws {
    for count in 2..<Self.compressed.count {
      try withFile(Array(Self.compressed.prefix(count))) { path in
        #expect(throws: GzipError.truncated(path: path)) { try readPossiblyGzipped(path) }
      }
    }
    try withFile(gzipMember(Self.long).dropLast()) { path in
      #expect(throws: GzipError.truncated(path: path)) { try readPossiblyGzipped(path) }
    }
  }

  /// Method, deflate data, checksum, length, and what follows the member.
  @Test(arguments: [2, 10, 23, 27])
  func damageIsSeen(at index: Int) throws {
    var file = Self.compressed
    file[index] ^= 0x07
    try withFile(file) { path in
      #expect {
        try readPossiblyGzipped(path)
      } throws: { error in
        if case GzipError.corrupt(path, _) = error { true } else { false }
      }
    }
  }

  @Test(arguments: [[1, 2, 3], [0, 0, 1]] as [[UInt8]])
  func otherDataBehindIsSeen(data: [UInt8]) throws {
    try withFile(Self.compressed + data) { path in
      #expect {
        try readPossiblyGzipped(path)
      } throws: { error in
        if case GzipError.corrupt(path, _) = error { true } else { false }
      }
    }
  }

  @Test(arguments: [text, compressed])
  func limit(file: [UInt8]) throws {
    try withFile(file) { path in
      let content = try readPossiblyGzipped(path, maximumBytes: 9)
      #expect(content == Self.text)
      #expect(throws: GzipError.tooLarge(path: path, maximumBytes: 8)) {
        try readPossiblyGzipped(path, maximumBytes: 8)
      }
    }
  }

  @Test func missingAndUnreadable() {
    let folder = FileManager.default.temporaryDirectory
    let missing = folder.appending(path: "\(UUID())").path
    #expect(throws: GzipError.missing(path: missing)) { try readPossiblyGzipped(missing) }
    #expect(throws: GzipError.unreadable(path: folder.path, reason: "Is a directory")) {
      try readPossiblyGzipped(folder.path)
    }
  }

  @Test(arguments: [
    GzipError.missing(path: "a/b.gz"), .unreadable(path: "a/b.gz", reason: "x"),
    .truncated(path: "a/b.gz"), .corrupt(path: "a/b.gz", reason: "x"),
    .tooLarge(path: "a/b.gz", maximumBytes: 8),
  ])
  func descriptions(error: GzipError) {
    #expect("\(error)".hasPrefix("a/b.gz: "))
    #expect(!"\(error)".contains("\n"))
  }
}
