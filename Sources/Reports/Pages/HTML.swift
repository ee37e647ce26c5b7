import Foundation

/// Text as HTML or SVG content or attribute value. Control characters are not allowed in either.
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
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// An HTML table. Cells are HTML; `numeric` columns are set to the right.
func htmlTable(_ head: [String], _ rows: [[String]], numeric: Set<Int> = []) -> String {
  func row(_ cells: [String], _ tag: String) -> String {
    let cells = cells.enumerated().map { index, cell in
      "<\(tag)\(numeric.contains(index) ? " class=\"n\"" : "")>\(cell)</\(tag)>"
    }
    return "<tr>" + cells.joined() + "</tr>"
  }
  return """
    <div class="scroll"><table><thead>\(row(head, "th"))</thead>
    <tbody>\(rows.map { row($0, "td") }.joined(separator: "\n"))</tbody></table></div>
    """
}
