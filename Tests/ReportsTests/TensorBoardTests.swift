// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import TestSupport
import Testing

@testable import Reports

@Suite struct TensorBoardTests {
  @Test func checksumsAreThoseOfTheStandard() {
    // RFC 3720, appendix B.4, and the usual check string.
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
  }

  /// A record that TensorBoard's own reader took, byte by byte.
  @Test func anEventHasTheWireFormat() throws {
    var event = TensorBoardEvent(
      step: 300, .summary(TensorBoardSummary([(tag: "loss/train", value: 0.25)])))
    event.wallTime = 1.5
    let message =
      [0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f]  // 1: 1.5
      + [0x10, 0xac, 0x02]  // 2: 300
      + [0x2a, 19, 0x0a, 17]  // 5: a summary of one value
      + [0x0a, 10] + Array("loss/train".utf8) + [0x15, 0, 0, 0x80, 0x3e]
    let record = Array(try event.record())
    #expect(record.count == 12 + message.count + 4)
    #expect(Array(record[..<8]) == [UInt8(message.count), 0, 0, 0, 0, 0, 0, 0])
    #expect(Array(record[12...].dropLast(4)) == message)
    // A zero is written too.
    let zero = try TensorBoardSummary([(tag: "", value: 0)]).serializedBytes() as [UInt8]
    #expect(zero == [0x0a, 5, 0x15, 0, 0, 0, 0])
  }

  /// The name has the time and the process in it: a link under one that comes is not followed.
  @Test func plantedLinksAreNotFollowed() throws {
    try Places.withTemporaryFolder { folder in
      let victim = "\(folder)/victim"
      try "precious".write(toFile: victim, atomically: true, encoding: .utf8)
      let process = ProcessInfo.processInfo.processIdentifier
      let now = Int(Date().timeIntervalSince1970)
      for second in now...now + 60 {
        symlink(victim, "\(folder)/events.out.tfevents.\(second).\(process)")
      }
      for _ in 0..<3 { _ = try TensorBoardLog(in: folder, from: 1) }
      let made = try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasSuffix(".01") || $0.hasSuffix(".02") || $0.hasSuffix(".03") }
      #expect(made.count == 3)
      #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
    }
  }

  @Test func whatIsNotFiniteIsLeftOut() {
    var record = MetricsRecord(step: 7, epoch: 1, split: "train")
    record.add("loss", Double.nan)
    record.add("accuracy", 0.5)
    #expect(record.numbers.map(\.key) == ["accuracy"] && record.json.contains("\"loss\": null"))
  }
}
