// SPDX-License-Identifier: Apache-2.0

/// Rows as text, in columns that are as wide as their widest cell.
///
/// - Parameters:
///   - rows: the cells of each row; a row may have fewer than others
///   - columns: the width of the terminal, which wider lines would wrap in; nil is none
///   - sparing: which columns are left out of a narrower terminal, in this order; the last line says
///     which are
public func plainTable(
  _ rows: [[String]], columns: Int? = nil, sparing: [Int] = []
) -> String {
  let count = rows.map(\.count).max() ?? 0
  let widths = (0..<count).map { column in
    rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
  }
  var kept = Array(0..<count)
  var left: [String] = []
  if let columns {
    for column in sparing where kept.contains(column) {
      guard kept.reduce(2 * (kept.count - 1), { $0 + widths[$1] }) >= columns else { break }
      kept.removeAll { $0 == column }
      left.append(rows[0][column])
    }
  }
  var lines = rows.map { row in
    let cells = kept.filter(row.indices.contains).map { column in
      row[column] + String(repeating: " ", count: widths[column] - row[column].count)
    }
    var line = cells.joined(separator: "  ")
    while line.last == " " { line.removeLast() }
    return line
  }
  if !left.isEmpty {
    lines.append("no room for: \(left.joined(separator: ", "))")
  }
  return lines.joined(separator: "\n")
}
