// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import TestSupport
import Testing

@testable import Reports

@Suite struct MetricsTests {
  @Test func recordsKeepEveryDigit() throws {
    var record = MetricsRecord(step: 3, epoch: 1, split: "train")
    record.add("loss", 0.1 + 0.2)
    record.add("seconds", Double.infinity)
    struct Line: Decodable {
      var loss: Double
      var seconds: Double?
      var split: String
    }
    let line = try JSONDecoder().decode(Line.self, from: Data(record.json.utf8))
    #expect(line.loss == 0.1 + 0.2)
    #expect(line.seconds == nil)
    #expect(line.split == "train")
  }

  @Test func aResumedLogDropsLaterAndTornLines() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/metrics.jsonl"
      let validation = #"{"step": 5, "epoch": 2, "split": "validation"}"#
      try "{\"step\": 5}\n\(validation)\n{\"step\": 10}\n{\"st".write(
        toFile: path, atomically: true, encoding: .utf8)
      let log = try MetricsLog(path, keepingThrough: 5, epochs: 1)
      try log.append(MetricsRecord(step: 6, epoch: 1, split: "train"))
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 2 && lines[0] == "{\"step\": 5}" && lines[1].contains("\"step\": 6"))
    }
  }

  /// An editor of Windows ends lines with two characters; the history is the same.
  @Test func linesOfWindowsAreLines() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/metrics.jsonl"
      try Data("{\"step\": 5}\r\n{\"step\": 6}\r\n{\"step\": 10}\r\n".utf8)
        .write(to: URL(fileURLWithPath: path))
      _ = try MetricsLog(path, keepingThrough: 6, epochs: 1)
      #expect(
        try String(contentsOfFile: path, encoding: .utf8) == "{\"step\": 5}\n{\"step\": 6}\n")
    }
  }

  /// A history that is there and cannot be read is not replaced by an empty one: a pipe, and a file
  /// whose first byte the system answers with EIO.
  @Test(.timeLimit(.minutes(15))) func whatCannotBeReadIsNotReplaced() throws {
    try Places.withTemporaryFolder { folder in
      let (pipe, broken) = ("\(folder)/pipe", "\(folder)/broken")
      #expect(mkfifo(pipe, 0o600) == 0)
      #expect(symlink("/proc/self/mem", broken) == 0)
      for path in [pipe, broken] {
        #expect(throws: FileError.self) { try MetricsLog(path, keepingThrough: 9, epochs: 9) }
        #expect(FileStamp(path)?.isRegular == false, "\(path) is what it was")
      }
      _ = try MetricsLog("\(folder)/none", keepingThrough: 9, epochs: 9)
      #expect(FileStamp("\(folder)/none")?.bytes == 0)
    }
  }

  @Test func numbersForPeople() {
    #expect(brief(0.012345) == "0.01235")
    #expect(brief(1234.6) == "1235")
  }
}
