// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Reports

/// Pages of runs with foreign files.
@Suite struct HostileReportTests {
  private func page(
    metrics: String, evaluation: String = "{}", in folder: String
  ) throws -> String {
    try Data(metrics.utf8).write(to: URL(fileURLWithPath: "\(folder)/metrics.jsonl"))
    try Data(evaluation.utf8).write(to: URL(fileURLWithPath: "\(folder)/evaluation-test.json"))
    let run = try RunRecord(folder) { _, _ in nil }
    return ReportPage([run], defaults: [], version: "0").html
  }

  private func evaluation(_ confusion: String, metrics: String = "{}") -> String {
    #"{"split":"test","step":10,"epoch":1,"checkpoint":"best","loss":1,"metrics":\#(metrics),"#
      + #""sequences":3,"elements":3,"confusion":\#(confusion)}"#
  }

  /// A key that contains markup is not a metric.
  @Test func keysAreOfOneAlphabet() throws {
    try Places.withTemporaryFolder { folder in
      let evil = "<img src=x onerror=alert(1)>"
      let page = try page(
        metrics: """
          {"step":1,"epoch":1,"split":"validation","loss":1,"own_metric":2,"\(evil)":3,"A":4}
          {"step":2,"epoch":2,"split":"validation","loss":1,"\(String(repeating: "a", count: 65))":3}
          """,
        evaluation: evaluation("[[1,0],[0,1]]", metrics: #"{"own_metric":5,"\#(evil)":6}"#),
        in: folder)
      #expect(
        !page.contains("onerror") && !page.contains("aaaaa") && !page.contains("<th>validation A"))
      #expect(page.contains("own metric") && page.contains("5.000"))
      for key in ["accuracy", "bits_per_spike", "a.b2"] { #expect(MetricsRecord.isKey(key)) }
      for key in ["", "a b", "a\n", "é", "a-b"] { #expect(!MetricsRecord.isKey(key)) }
    }
  }

  /// The second defence: a page cannot run or load anything.
  @Test func aPageMayNeitherRunNorLoadAnything() throws {
    try Places.withTemporaryFolder { folder in
      let page = try page(metrics: "{}", in: folder)
      #expect(
        page.contains(#"<meta http-equiv="Content-Security-Policy" content="default-src 'none';"#))
      #expect(!page.contains("script-src") && !page.contains("unsafe-eval"))
      #expect(htmlTable(["<a>"], [["<b>", .markup("<i></i>")]]).contains("&lt;a&gt;"))
      #expect(
        htmlTable([], [["<b>", .markup("<i></i>")]]).contains("<td>&lt;b&gt;</td><td><i></i>"))
    }
  }

  @Test(arguments: ["[[-1,0],[0,1]]", "[[9223372036854775807,9223372036854775807],[0,1]]", "[[1]]"])
  func countsOfAnySizeMakeAPage(confusion: String) throws {
    try Places.withTemporaryFolder { folder in
      let page = try page(
        metrics: #"{"step":1,"epoch":1,"split":"validation","loss":1}"#,
        evaluation: evaluation(confusion), in: folder)
      #expect(page.contains("predicted class") == !confusion.contains("-"))
      #expect(page.hasSuffix("</html>\n"))
    }
  }

  /// A record of more bytes than any that `evaluate` writes is not read.
  @Test func aRecordThatIsTooLargeIsLeftOut() throws {
    try Places.withTemporaryFolder { folder in
      let spaces = String(repeating: " ", count: EvaluationRecord.maximumBytes)
      for (more, isRead) in [("", true), (spaces, false)] {
        let page = try page(
          metrics: #"{"step":1,"epoch":1,"split":"validation","loss":1}"#,
          evaluation: evaluation("[[1,0],[0,1]]") + more, in: folder)
        #expect(page.contains("predicted class") == isRead)
      }
    }
  }

  /// The matrix of many classes is left out of the record, so that the rest can be read.
  @Test func whatIsWrittenCanBeReadAgain() throws {
    try Places.withTemporaryFolder { folder in
      for (classes, isKept) in [(1000, true), (1500, false)] {
        var record = EvaluationRecord(
          split: "validation", step: 1, epoch: 1, checkpoint: "best", loss: 2, metrics: [:],
          sequences: 3, elements: 3)
        record.confusion = Array(repeating: Array(repeating: 0, count: classes), count: classes)
        let note = try record.write(to: folder)
        #expect(
          note
            == (isKept
              ? nil
              : "the confusion matrix of 1500 classes is not kept for the report: it"
                + " takes more than 4 MB"))
        let read = try #require(
          EvaluationRecord(contentsOf: EvaluationRecord.path(in: folder, split: "validation")))
        #expect(read.loss == 2 && (read.confusion != nil) == isKept)
      }
    }
  }

  /// Numbers that are numbers of JSON, and of which no curve can be drawn.
  @Test(arguments: [
    #"{"step":5,"epoch":1,"split":"train","loss":1}~{"step":0,"epoch":1,"split":"validation","loss":1}"#,
    #"{"step":1,"epoch":1,"split":"train","loss":1.7e308}~{"step":2,"epoch":1,"split":"train","loss":-1.7e308}"#,
    #"{"step":9223372036854775807,"epoch":-9223372036854775808,"split":"validation","loss":5e-324}"#,
    #"{"step":-1,"epoch":0,"split":"validation","loss":5e-324}~{"step":-2,"epoch":0,"split":"validation","loss":1e300}"#,
    #"{"step":1e300,"epoch":1,"split":"train","loss":1e999}~{"step":true,"epoch":1,"split":"train","loss":1}"#,
    #"{"step":1,"epoch":1,"split":"train","loss":[[[[[[1]]]]]]}"#,
  ])
  func numbersOfAnySizeMakeAPage(metrics: String) throws {
    try Places.withTemporaryFolder { folder in
      let page = try page(metrics: metrics.replacingOccurrences(of: "~", with: "\n"), in: folder)
      #expect(page.hasSuffix("</html>\n"))
    }
  }

  /// Right-to-left marks could disguise a text: it is shown in its stored order.
  @Test func directionsAreShown() {
    #expect(escapeHTML("run\u{202e}gnp\u{200b}") == #"run\u{202e}gnp\u{200b}"#)
    #expect(escapeHTML("شبکه 网络") == "شبکه 网络")
  }

  /// Damaged records of runs, as the fuzzer of bytes makes them.
  @Test func damagedRecordsMakeAPage() throws {
    try Places.withTemporaryFolder { folder in
      let good = Data(
        (#"{"step":5,"epoch":1,"split":"train","loss":2.0,"accuracy":0.25,"gradient_norm":3}"#
          + "\n"
          + #"{"step":10,"epoch":1,"split":"validation","loss":1.5,"chance_loss":2.5}"# + "\n"
          + evaluation("[[1,0],[1,1]]", metrics: #"{"accuracy":0.5}"#)).utf8)
      let words = [
        "1e308", "-1e308", "5e-324", "-1", "9223372036854775807", "-9223372036854775808", "null",
        "\"<script>\"", "1e999", "{}", "0", "\"\\u0000\"",
      ]
      let tally = ByteMutator.campaign("report", seed: 71, words: words, good: good) { data in
        let lines = data.split(separator: 10)
        let head = lines.dropLast().map { String(decoding: $0, as: UTF8.self) }
        let page = try page(
          metrics: head.joined(separator: "\n"),
          evaluation: String(decoding: lines.last ?? Data(), as: UTF8.self), in: folder)
        #expect(!page.contains("<script") && page.hasSuffix("</html>\n"))
      } judge: { error, number in
        Issue.record("mutation \(number): \(error)")
      }
      #expect(tally.read > 0)
    }
  }
}
