// SPDX-License-Identifier: Apache-2.0

import Digests
import Foundation
import Testing

/// Vectors of NIST FIPS 180-4 and its published examples.
@Suite struct SHA256DigestTests {
  static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  static let twoBlocks = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
  static let millionA = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

  @Test func nothing() {
    #expect(SHA256Digest().finalize() == Self.empty)
    let digest = SHA256Digest()
    digest.update([])
    digest.update("")
    #expect(digest.finalize() == Self.empty)
  }

  @Test func knownTexts() {
    let abc = SHA256Digest()
    abc.update("abc")
    #expect(abc.finalize() == Self.abc)
    let twoBlocks = SHA256Digest()
    twoBlocks.update("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
    #expect(twoBlocks.finalize() == Self.twoBlocks)
  }

  @Test(arguments: [1, 55, 63, 64, 65, 4096])
  func pieces(of size: Int) {
    let digest = SHA256Digest()
    let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    for start in stride(from: 0, to: bytes.count, by: size) {
      digest.update(bytes.span.extracting(start..<min(start + size, bytes.count)))
    }
    #expect(digest.finalize() == Self.millionA)
  }

  @Test func floatsAreLittleEndian() {
    let floats: [Float] = [1, -2, .pi, 0]
    let digest = SHA256Digest()
    digest.update(floats.span)
    let bytes = SHA256Digest()
    for value in floats {
      for shift in stride(from: 0, to: 32, by: 8) {
        bytes.update([UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(shift))])
      }
    }
    #expect(digest.finalize() == bytes.finalize())
  }

  @Test(arguments: [(0, empty), (1_000_000, millionA)])
  func file(size: Int, expected: String) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).txt")
    defer { try? FileManager.default.removeItem(at: url) }
    try Data(repeating: UInt8(ascii: "a"), count: size).write(to: url)
    #expect(try SHA256Digest.ofFile(url.path) == expected)
  }

  @Test func fileOfSeveralPieces() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).bin")
    defer { try? FileManager.default.removeItem(at: url) }
    let bytes = (0..<(1 << 21) + 5).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }
    try Data(bytes).write(to: url)
    let digest = SHA256Digest()
    digest.update(bytes)
    #expect(try SHA256Digest.ofFile(url.path) == digest.finalize())
  }

  @Test func unreadableFilesAreNamed() throws {
    let missing = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).none").path
    #expect {
      try SHA256Digest.ofFile(missing)
    } throws: { error in
      "\(error)" == "\(missing): cannot compute the SHA-256 digest: No such file or directory"
    }
    let directory = FileManager.default.temporaryDirectory.path
    #expect {
      try SHA256Digest.ofFile(directory)
    } throws: { error in
      "\(error)".hasPrefix(directory) && "\(error)".hasSuffix("Is a directory")
    }
  }
}
