// SPDX-License-Identifier: Apache-2.0

import Foundation
import Models

/// A confusion matrix as an HTML table.
struct ConfusionFigure {
  let counts: [[Int]]
  let names: [String]

  /// More classes than this make a table too large to read.
  static let maximumClasses = 40

  init?(_ record: EvaluationRecord) {
    guard let counts = record.confusion, !counts.isEmpty, counts.count <= Self.maximumClasses,
      counts.allSatisfy({ $0.count == counts.count && $0.allSatisfy { $0 >= 0 } })
    else { return nil }
    self.counts = counts
    let given = record.classNames ?? []
    names = given.count == counts.count ? given : counts.indices.map(String.init)
  }

  /// The most frequent class, and its share: "walk is right for 97.00 %".
  var majority: String? {
    ClassScores(confusion: counts).majority.map {
      "\(names[$0.number]) is right for " + String(format: "%.2f %%", 100 * $0.share)
    }
  }

  var html: String {
    let head = names.map { "<th class=\"n\">\(escapeHTML($0))</th>" }.joined()
    let rows = counts.enumerated().map { truth, row in
      // In floating point: a file may have counts whose sum overflows an integer.
      let total = row.reduce(0) { $0 + Double($1) }
      let cells = row.enumerated().map { guess, count in
        let share = total > 0 ? Double(count) / total : 0
        let kind = guess == truth ? "right" : "wrong"
        // A few mistakes among many answers must still be visible.
        let depth = count == 0 ? 0 : Int((15 + 70 * share.squareRoot()).rounded())
        return "<td class=\"n \(kind)\" style=\"--d:\(depth)%\">\(count)</td>"
      }
      let recall =
        total > 0 ? String(format: "%.1f %%", 100 * Double(row[truth]) / total) : "–"
      return
        "<tr><th>\(escapeHTML(names[truth]))</th>\(cells.joined())<td class=\"n\">\(recall)</td></tr>"
    }
    return """
      <div class="scroll"><table class="confusion"><thead>
      <tr><th></th><th colspan="\(names.count)">predicted class</th><th></th></tr>
      <tr><th>true class</th>\(head)<th class="n">right</th></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }
}
