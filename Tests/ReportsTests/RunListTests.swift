// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Reports

@Suite struct RunListTests {
  private func write(_ run: String, _ lines: [String], age: Double) throws {
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
    try "model.cell: lstm\n".write(
      toFile: "\(run)/config.yaml", atomically: true, encoding: .utf8)
    try lines.joined(separator: "\n").write(
      toFile: "\(run)/metrics.jsonl", atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: "\(run)/metrics.jsonl")
  }

  @Test func theLastChangedIsFirst() throws {
    try Places.withTemporaryFolder { folder in
      let best = #"{"step": 10, "epoch": 2, "split": "validation", "loss": 0.5}"#
      try write("\(folder)/old", [best], age: 300_000)
      try write("\(folder)/seeds/seed-1", [], age: 600)
      try write("\(folder)/a/b/c/too-deep", [], age: 1)
      symlink("\(folder)/old", "\(folder)/linked")
      let list = RunList(below: folder) { _, _ in [ReportedKey("model.cell", "lstm")] }
      let rows = list.table(at: Date()).split(separator: "\n").map {
        $0.replacingOccurrences(of: folder, with: "").split(separator: "  ")
          .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
      }
      #expect(
        rows == [
          ["run", "cell", "stands at", "best validation loss", "test loss", "changed"],
          ["/seeds/seed-1", "lstm", "nothing recorded yet", "–", "–", "10 min ago"],
          ["/old", "lstm", "epoch 2, step 10", "0.5000 (epoch 2)", "–", "3 days ago"],
        ])
      // A narrow terminal: what is dispensable goes, and is named.
      let narrow = list.table(at: Date(), columns: 70 + folder.count).split(separator: "\n")
      #expect(narrow.dropLast().allSatisfy { $0.count < 70 + folder.count })
      #expect(narrow.last == "no room for: cell, changed")
    }
  }
}
