// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport

@testable import Datasets

/// Files of spikes in common formats.
enum SpikeFiles {
  /// A file of MATLAB's version 5, compressed, that libmatio wrote: `spikes` [2, 4, 3] of doubles 0,
  /// 1 ... 23, the first index running fastest; `y` [2, 4, 3] of bytes 0, 1, 2, 3, 4, 0 ...; and the
  /// structure `session` with `counts`, which is `y`, and the text `name`.
  static let matlab = Data(
    base64Encoded: """
      TUFUTEFCIDUuMCBNQVQtZmlsZSwgbGlibWF0aW8AICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg
      ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAABSU0PAAAAcQAAAHic
      42MAAkYGBjYgxcEAoUGAFYh5gJgJiFmAmBkqzghVU1yQmZ1azMDACWQfYEAHH+yhDAcIxQGlBaC0CJSWgNIyUFoBSitB
      aRUorQalNaC0FpTWgdJ6UNoAShtCaSMobQylTaC0KZQ2g9LmDgBkDg2ADwAAADEAAAB4nONjYGAIAGI2IOYAYk4GCGAF
      Yh4gZgJiFiBmhoozAmElVFwCLMDEzIKFAABCaAFTDwAAAGwAAAB4nONjYGB4AcRsQMwBxEwMEMAK5TMiYXYgLk4tLs7M
      zwPKs8DlBYA4Ob80r6SYgSEvMTcVpJ8PiAOQzOVEMpcHag8LEDNDxRmhNEhcAizAxMyChQCZa4FkLgsW9zIjmScA5Scm
      JYP5AI9lCvw=
      """.split(whereSeparator: \.isNewline).joined())!

  /// The same numbers as a file stores them, uncompressed and with the high byte first.
  static func bigEndian() -> Data {
    func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) } }
    func element(_ type: Int, _ bytes: [UInt8]) -> [UInt8] {
      word(type) + word(bytes.count) + bytes
        + [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    }
    var numbers: [UInt8] = []
    for value in 0..<24 { numbers += word(value).suffix(2) }
    var content = element(6, word(11) + word(0))  // of class uint16
    content += element(5, word(2) + word(4) + word(3))
    content += element(1, Array("spikes".utf8))
    content += element(4, numbers)
    var file = Array("MATLAB 5.0 MAT-file".utf8)
    file += [UInt8](repeating: 0x20, count: 124 - file.count)
    return Data(file + [1, 0, 0x4d, 0x49] + element(14, content))
  }

  /// A file of MATLAB's version 5 with one compressed element: some bytes, and then `copies` times
  /// 258 copies of the last of them, 13 bits for each (RFC 1951, section 3.2.6), without an end.
  static func expanding(_ start: [UInt8], copies: Int) -> Data {
    var (packed, bits, count): ([UInt8], UInt32, UInt32) = ([0x78, 1], 0, 0)
    func append(_ code: UInt32, _ length: UInt32) {
      for place in (0..<length).reversed() {
        bits |= (code >> place & 1) << count
        count += 1
        if count == 8 {
          packed.append(UInt8(bits))
          (bits, count) = (0, 0)
        }
      }
    }
    append(0b110, 3)  // the last block, with fixed codes
    for byte in start {
      byte < 144 ? append(0x30 + UInt32(byte), 8) : append(0x190 + UInt32(byte - 144), 9)
    }
    for _ in 0..<copies { append(0b1100_0101 << 5, 13) }
    var file = Array("MATLAB 5.0 MAT-file".utf8)
    file += [UInt8](repeating: 0x20, count: 124 - file.count)
    let length = (0..<4).map { UInt8(truncatingIfNeeded: packed.count >> (8 * $0)) }
    return Data(file + [0, 1, 0x49, 0x4d] + [15, 0, 0, 0] + length + packed)
  }

  /// Counts that tell where they came from: 100 trial + 10 step + neuron of [N, T, C].
  static func counts(_ shape: [Int]) -> [Float] {
    let (steps, neurons) = (shape[1], shape[2])
    return (0..<shape.reduce(1, *)).map { place -> Float in
      let (trial, step) = (place / neurons / steps, place / neurons % steps)
      return Float(trial * 100 + step * 10 + place % neurons)
    }
  }

  /// A session of three units and two trials of 0.3 and 0.45 s, the second unit held out.
  static func writeNWB(
    _ path: String, times: [Double] = [1.0, 1.05, 1.299, 1.3, 2.01, 1.1, 2.31, 0.5, 2.02, 2.02],
    ends: [Int] = [5, 7, 10], starts: [Double] = [1, 2], stops: [Double] = [1.3, 2.45]
  ) throws {
    let file = try HDF5.File.create(path)
    try file.write(times, to: "units/spike_times")
    try file.write(ends.map { UInt8($0) }, to: "units/spike_times_index")
    try file.write([0, 1, 0] as [Int8], to: "units/heldout")
    try file.write(starts, to: "intervals/trials/start_time")
    try file.write(stops, to: "intervals/trials/stop_time")
    try file.close()
  }
}
