// SPDX-License-Identifier: Apache-2.0

/// The colours and strokes of charts, as CSS.
enum ChartStyle {
  /// Okabe and Ito (2008), distinguishable with any colour vision: on white, and, lighter, on
  /// black.
  static let colors: [(light: String, dark: String)] = [
    ("#0072b2", "#56a8e0"), ("#d55e00", "#ff8c42"), ("#009e73", "#3ccfa4"),
    ("#b3589a", "#e08fc4"), ("#a87900", "#e6b422"), ("#4b4bb8", "#9a9af5"),
    ("#7a4b2a", "#c99a78"), ("#555555", "#bbbbbb"),
  ]
  /// Dash patterns, used once the colours are used up.
  private static let dashes = ["", "8 4", "2 4", "8 4 2 4"]

  /// The classes of line `number`.
  static func lineClass(_ number: Int) -> String {
    "\(colorClass(number)) d\(number / colors.count % dashes.count)"
  }

  /// The class that gives something the colour of line `number`.
  static func colorClass(_ number: Int) -> String { "c\(number % colors.count)" }

  /// The rules of a chart's elements.
  ///
  /// - Parameters:
  ///   - ink, quiet, rule: the colours of text, of marks and of the grid
  ///   - color: the value of each of the `colors`. SVG viewers other than browsers do not support
  ///     variables, so a separate figure has plain values
  static func css(ink: String, quiet: String, rule: String, color: (Int) -> String) -> String {
    let lines = colors.indices.map {
      "path.c\($0){stroke:\(color($0))}circle.c\($0){fill:\(color($0))}"
    }
    let patterns = dashes.indices.dropFirst().map { "path.d\($0){stroke-dasharray:\(dashes[$0])}" }
    return """
      svg text{fill:\(ink);font-size:13px}svg .title{font-size:15px;font-weight:600}
      svg .tick{fill:\(quiet);font-size:12px}svg .label{fill:\(quiet)}
      .grid{stroke:\(rule)}.axis{stroke:\(quiet)}
      .level{stroke:\(quiet);stroke-dasharray:6 4}
      path{fill:none;stroke-linejoin:round;stroke-linecap:round}
      path.faint{stroke-width:1.3;opacity:.55}path.marked,path.plain{stroke-width:2.2}
      \((lines + patterns).joined())
      """
  }
}
