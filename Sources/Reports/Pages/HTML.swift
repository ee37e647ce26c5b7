// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// Text as HTML or SVG content or attribute value. Control characters are not allowed in either,
/// and characters that change the direction of the surrounding text are shown as escapes.
func escapeHTML(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\n", "\t": result += " "
    case _ where scalar.value < 0x20 || scalar.value == 0x7f: continue
    case _ where scalar.isHiddenOrActive: result += String(scalar).visible
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// A cell of a table. A plain string is text, which is escaped when the table is written; markup
/// must be declared as such.
enum HTMLCell: ExpressibleByStringInterpolation {
  case text(String)
  /// HTML of this module.
  case markup(String)

  init(stringLiteral text: String) { self = .text(text) }

  var html: String {
    switch self {
    case .text(let text): escapeHTML(text)
    case .markup(let html): html
    }
  }
}

/// An HTML table. `numeric` columns are right-aligned.
func htmlTable(
  _ head: [HTMLCell], _ rows: [[HTMLCell]], numeric: Set<Int> = []
) -> String {
  func row(_ cells: [HTMLCell], _ tag: String) -> String {
    let cells = cells.enumerated().map { index, cell in
      "<\(tag)\(numeric.contains(index) ? " class=\"n\"" : "")>\(cell.html)</\(tag)>"
    }
    return "<tr>" + cells.joined() + "</tr>"
  }
  return """
    <div class="scroll"><table><thead>\(row(head, "th"))</thead>
    <tbody>\(rows.map { row($0, "td") }.joined(separator: "\n"))</tbody></table></div>
    """
}
