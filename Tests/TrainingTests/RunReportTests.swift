// SPDX-License-Identifier: Apache-2.0

import Foundation
import Reports
import TestSupport
import Testing

@testable import Training

/// Reports of runs of this program, whose configurations are read and compared with the defaults.
@Suite struct RunReportTests {
  private func write(_ yaml: String, to run: String) throws {
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
    try yaml.write(toFile: "\(run)/config.yaml", atomically: true, encoding: .utf8)
  }

  @Test func configurationsAreCompared() throws {
    try Places.withTemporaryFolder { folder in
      for (name, size) in [("a", 8), ("b", 16)] {
        try write("model: {hidden_size: \(size), cell: lstm, mu: 0.9}", to: "\(folder)/\(name)")
      }
      let runs = try ["a", "b"].map { try RunRecord("\(folder)/\($0)") }
      let page = ReportPage(runs).html
      #expect(page.contains("<code>model.hidden_size</code></td><td>8</td><td>16</td>"))
      #expect(!page.contains("<code>model.layers</code>"))
      #expect(page.contains("momentum-dist \(programVersion),"))
    }
  }

  /// A configuration of another version is left out, and the rest is shown.
  @Test func aConfigurationThatCannotBeReadIsLeftOut() throws {
    try Places.withTemporaryFolder { folder in
      try write("no_such_key: 2", to: "\(folder)/odd")
      #expect(ReportPage([try RunRecord("\(folder)/odd")]).html.contains("nothing recorded yet"))
      let none = #expect(throws: RunFailure.self) { try RunRecord("\(folder)/none") }
      #expect(none?.status == .unusableData)
      let answer = "none: does not exist; name a run, such as \(folder)/odd"
      #expect(none?.message.hasSuffix(answer) == true, "\(none?.message ?? "")")
    }
  }
}
