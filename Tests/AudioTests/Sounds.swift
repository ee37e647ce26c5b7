// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Sound files of 16-bit samples, written by hand. (Linked into DatasetsTests too.)
enum Sounds {
  /// A sine of amplitude 1/2.
  static func sine(_ frequency: Double, rate: Double, count: Int) -> [Int16] {
    (0..<count).map { n in Int16(16_384 * sin(2 * .pi * frequency * Double(n) / rate)) }
  }

  /// A RIFF file with a chunk `fmt ` and a chunk `data`.
  ///
  /// - Parameter declaredBytes: the size that the header declares instead of the true one
  static func wav(
    _ samples: [Int16], rate: Int, channels: Int = 1, declaredBytes: Int? = nil
  ) -> Data {
    let bytes = samples.flatMap { little($0) }
    let format =
      little(UInt16(1)) + little(UInt16(channels)) + little(UInt32(rate))
      + little(UInt32(rate * channels * 2)) + little(UInt16(channels * 2)) + little(UInt16(16))
    let data = UInt32(truncatingIfNeeded: declaredBytes ?? bytes.count)
    return Data("RIFF".utf8) + little(data &+ 36) + Data("WAVEfmt ".utf8) + little(UInt32(16))
      + format + Data("data".utf8) + little(data) + bytes
  }

  /// A NIST SPHERE file like TIMIT's: a header of 1024 bytes of text, then the samples.
  ///
  /// - Parameter fields: lines that replace or extend the usual ones
  static func sphere(_ samples: [Int16], rate: Int, fields: [String: String] = [:]) -> Data {
    var all = [
      "database_id": "-s5 TIMIT", "channel_count": "-i 1", "sample_count": "-i \(samples.count)",
      "sample_rate": "-i \(rate)", "sample_n_bytes": "-i 2", "sample_byte_format": "-s2 01",
      "sample_sig_bits": "-i 16", "sample_coding": "-s3 pcm",
    ]
    all.merge(fields) { $1 }
    let lines = all.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
    let text = "NIST_1A\n   1024\n" + lines.joined() + "end_head\n"
    let padding = [UInt8](repeating: UInt8(ascii: " "), count: 1024 - text.utf8.count)
    return Data(text.utf8) + padding + samples.flatMap { little($0) }
  }

  /// Writes a file, and the folders above it.
  static func write(_ data: Data, to path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    try data.write(to: URL(fileURLWithPath: path))
  }

  private static func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }
}
