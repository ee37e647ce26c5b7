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

  /// The events of the only file in a folder.
  private func events(in folder: String) throws -> [TensorBoardEvent] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasPrefix("events.") }
    #expect(names.count == 1)
    var rest = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(try #require(names.first))"))
    var events: [TensorBoardEvent] = []
    while rest.count >= 16 {
      let length = rest.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
      events.append(try TensorBoardEvent(serializedBytes: Data(rest.dropFirst(12).prefix(length))))
      rest = rest.dropFirst(12 + length + 4)
    }
    #expect(rest.isEmpty)
    return events
  }

  /// Keys by their kinds of values, the configuration as code, and the end.
  @Test func aRunHasHyperparametersAndAnEnd() throws {
    try Places.withTemporaryFolder { folder in
      let log = try TensorBoardLog(in: folder, from: 8)
      try log.begin(
        with: [
          ("model.hidden_size", "16"), ("model.bidirectional", "true"), ("model.cell", "gru"),
        ],
        configuration: "model:\n  cell: gru\n")
      try log.end(well: false)
      let events = try events(in: folder)
      #expect(events.count == 5 && events[1].step == 8)
      let (start, text, end) = (events[2].summary, events[3].summary, events[4].summary)
      let startValue = try #require(start.value.first)
      #expect(startValue.tag == "_hparams_/session_start_info")
      #expect(startValue.metadata.pluginData.pluginName == "hparams")
      #expect(startValue.tensor.dtype == .dtFloat && startValue.tensor.tensorShape.dim.count == 1)
      let keys = try TensorBoardHyperparameters(
        serializedBytes: startValue.metadata.pluginData.content
      ).sessionStartInfo.hparams
      #expect(keys["model.hidden_size"]?.numberValue == 16)
      #expect(keys["model.bidirectional"]?.boolValue == true)
      #expect(keys["model.cell"]?.stringValue == "gru" && keys.count == 3)
      #expect(text.value.first?.metadata.pluginData.pluginName == "text")
      #expect(
        text.value.first?.tensor.stringVal == [Data("    model:\n      cell: gru".utf8)])
      let content = try #require(end.value.first).metadata.pluginData.content
      let info = try TensorBoardHyperparameters(serializedBytes: content)
      #expect(info.sessionEndInfo.status == .failure && info.sessionEndInfo.endTimeSecs > 1e9)
    }
  }

  /// The test figures of a run, at the step of the checkpoint, without a mark that voids later steps.
  @Test func anEvaluationHasAFileOfItsOwn() throws {
    try Places.withTemporaryFolder { folder in
      var record = EvaluationRecord(
        split: "validation", step: 12, epoch: 3, checkpoint: "best", loss: 0.5,
        metrics: ["accuracy": 0.75], sequences: 9, elements: 9)
      #expect(try record.write(to: folder) == nil)
      record.split = "test"
      #expect(try record.write(to: folder) == nil)
      let events = try events(in: folder)
      #expect(events.count == 2 && events[1].step == 12)
      #expect(!events.contains { $0.sessionLog.status == .start })
      #expect(events[1].summary.value.map(\.tag) == ["loss/test", "accuracy/test"])
      #expect(events[1].summary.value.map(\.simpleValue) == [0.5, 0.75])
    }
  }

  /// Every finite number is in one bin, the largest in the last.
  @Test func histogramsCountEveryNumberOnce() throws {
    let numbers = (0...300).map { Float($0) * 0.1 - 10 }
    let histogram = try #require(Histogram(numbers + [.nan, .infinity]))
    #expect(histogram.low == -10 && histogram.high == Double(Float(300) * 0.1 - 10))
    #expect(histogram.counts.reduce(0, +) == 301)
    #expect(histogram.counts.allSatisfy { (9...11).contains($0) } && histogram.counts[29] >= 10)
    let rows = histogram.rows
    #expect(rows.count == 90 && rows[0] == -10 && rows[88] == histogram.high)
    #expect((1..<30).allSatisfy { rows[3 * $0] == rows[3 * $0 - 2] })
    let same = try #require(Histogram([Float](repeating: 2, count: 7)))
    #expect(same.low == 1.5 && same.high == 2.5 && same.counts[29] == 7)
    #expect(Histogram([Float.nan]) == nil && Histogram([Float]()) == nil)
    let extreme = try #require(
      Histogram([-Float.greatestFiniteMagnitude, 0, Float.greatestFiniteMagnitude]))
    #expect(extreme.counts.reduce(0, +) == 3 && extreme.counts[15] == 1)
    let value = TensorBoardSummary([(tag: "weights/w", histogram: same)]).value[0]
    #expect(value.metadata.pluginData.pluginName == "histograms" && value.tag == "weights/w")
    #expect(value.tensor.dtype == .dtDouble && value.tensor.tensorShape.dim.map(\.size) == [30, 3])
  }
}
