// SPDX-License-Identifier: Apache-2.0

extension ReportPage {
  static var style: String {
    let colors = ChartStyle.colors
    func variables(_ pick: (Int) -> String) -> String {
      colors.indices.map { "--c\($0):\(pick($0));" }.joined()
    }
    let swatches = colors.indices.map { ".swatch.c\($0){background:var(--c\($0))}" }
    return """
      :root{color-scheme:light dark;--ink:#1d1f23;--quiet:#63676f;--paper:#fff;--rule:#dfe1e5;\
      --right:#009e73;--wrong:#d55e00;\(variables { colors[$0].light })}
      @media (prefers-color-scheme:dark){:root{--ink:#e6e7ea;--quiet:#9a9ea8;--paper:#16181c;\
      --rule:#32363d;--right:#3ccfa4;--wrong:#ff8c42;\(variables { colors[$0].dark })}}
      body{font:15px/1.5 system-ui,"Helvetica Neue",Arial,sans-serif;color:var(--ink);\
      background:var(--paper);max-width:1180px;margin:0 auto;padding:24px 20px 60px}
      h1{font-size:26px;margin:0;overflow-wrap:anywhere}
      h2{font-size:19px;margin:36px 0 10px;overflow-wrap:anywhere}
      .quiet{color:var(--quiet);margin:4px 0 12px;font-size:14px}
      .legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 22px;padding:0;margin:18px 0 4px}
      .legend li{overflow-wrap:anywhere}
      .swatch{display:inline-block;width:22px;height:5px;border-radius:3px;margin-right:8px;\
      vertical-align:middle}
      .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:14px 22px}
      figure{margin:0}svg{width:100%;height:auto;display:block}
      \(ChartStyle.css(ink: "var(--ink)", quiet: "var(--quiet)", rule: "var(--rule)") { "var(--c\($0))" })
      .scroll{overflow-x:auto}
      table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
      th,td{padding:5px 12px 5px 0;text-align:left;border-bottom:1px solid var(--rule);vertical-align:top}
      th{color:var(--quiet);font-weight:600}th.n,td.n{text-align:right;padding-left:12px;padding-right:6px}
      td:first-child{white-space:nowrap}
      table.confusion td,table.confusion th{padding:4px 9px}
      td.right{background:color-mix(in srgb,var(--right) var(--d),transparent)}
      td.wrong{background:color-mix(in srgb,var(--wrong) var(--d),transparent)}
      code{font-size:13px}
      pre.live{font-size:13px;line-height:1.45;margin:18px 0;padding:12px 14px;overflow-x:auto;\
      border:1px solid var(--rule);border-radius:6px}
      .wide{grid-column:1/-1}
      svg .mark{fill:var(--quiet);font-size:12px;paint-order:stroke;stroke:var(--paper);\
      stroke-width:5px;stroke-linejoin:round}
      @media (max-width:640px){body{padding:16px 14px 40px}
      svg text{font-size:19px}svg .tick,svg .mark{font-size:18px}svg .title{font-size:21px}\
      svg .upright{display:none}
      .wide{overflow-x:auto}.wide svg{min-width:860px}
      .stacked thead{display:none}.stacked,.stacked tbody,.stacked tr,.stacked td{display:block}
      .stacked tr{border-bottom:1px solid var(--rule);padding:8px 0}
      .stacked td,.stacked td.n{display:flex;justify-content:space-between;gap:14px;padding:1px 0;\
      border:0;text-align:right;overflow-wrap:anywhere}
      .stacked td::before{content:attr(data-h);color:var(--quiet);text-align:left}
      .stacked td:first-child{font-weight:600}.stacked td:first-child::before{content:none}
      .stacked td:first-child{justify-content:flex-start;align-items:center;gap:0}}
      \(swatches.joined())
      """
  }
}
