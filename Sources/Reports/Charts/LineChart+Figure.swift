// SPDX-License-Identifier: Apache-2.0

extension LineChart {
  /// The chart, with a legend below its heading, as a self-contained SVG file.
  var figure: String {
    let row = 20.0
    let legend = series.enumerated().map { index, series in
      let y = 44 + Double(index) * row
      return """
        <path class="plain \(ChartStyle.lineClass(series.number))" \
        d="M\(pixel(left)) \(pixel(y - 4))L\(pixel(left + 30)) \(pixel(y - 4))"/>\
        <text x="\(pixel(left + 40))" y="\(pixel(y))">\(escapeHTML(series.label))\
        <tspan class="tick" dx="10">\(escapeHTML(series.note))</tspan></text>
        """
    }
    let above = Double(series.count) * row + 4
    let css = ChartStyle.css(ink: "#1d1f23", quiet: "#63676f", rule: "#dfe1e5") {
      ChartStyle.colors[$0].light
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(pixel(width)) \(pixel(above + height))" \
      width="\(pixel(1.6 * width))" height="\(pixel(1.6 * (above + height)))" role="img" \
      font-family="Helvetica, Arial, sans-serif">
      <title>\(escapeHTML(title))</title>
      <style>\(css)</style>
      <rect width="100%" height="100%" fill="#ffffff"/>
      \(heading)
      \(legend.joined(separator: "\n"))
      <g transform="translate(0 \(pixel(above)))">
      \(plot)
      </g>
      </svg>

      """
  }
}
