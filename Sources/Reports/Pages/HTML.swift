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

/// An HTML table.
///
/// - Parameters:
///   - numeric: the columns that are right-aligned
///   - isStacked: whether a narrow screen shows each row as a list of names and values, so that no
///     column is out of sight
func htmlTable(
  _ head: [HTMLCell], _ rows: [[HTMLCell]], numeric: Set<Int> = [], isStacked: Bool = false
) -> String {
  func row(_ cells: [HTMLCell], _ tag: String, named: Bool = false) -> String {
    let cells = cells.enumerated().map { index, cell in
      let name = named && head.indices.contains(index) ? " data-h=\"\(head[index].html)\"" : ""
      return "<\(tag)\(numeric.contains(index) ? " class=\"n\"" : "")\(name)>\(cell.html)</\(tag)>"
    }
    return "<tr>" + cells.joined() + "</tr>"
  }
  let body = rows.map { row($0, "td", named: isStacked) }.joined(separator: "\n")
  return """
    <div class="scroll"><table\(isStacked ? " class=\"stacked\"" : "")><thead>\(row(head, "th"))</thead>
    <tbody>\(body)</tbody></table></div>
    """
}
