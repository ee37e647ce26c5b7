// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Layers

struct Cells: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the recurrent cells that model.cell takes.",
    discussion: """
      For each: its drive or family, the update of its state, what it carries from step to step \
      (H units), the constants that a configuration may set (model.mu and so on), and its source.
      """)

  @Flag(help: "Print one JSON object a line.")
  var json = false

  private struct Line: Encodable {
    let cell: String
    let family: String
    let body: String
    let state: String
    let constants: [String]
    let source: String
    let isFused: Bool

    init(_ system: RecurrentSystem) {
      cell = system.name
      family = system.family
      body = system.body
      state = system.state
      constants = system.hyperparameters.map { "model.\($0.rawValue)" }
      source = system.source
      if case .fused = system.design { isFused = true } else { isFused = false }
    }

    var columns: [String] {
      let names = constants.map { String($0.dropFirst("model.".count)) }
      return [cell, family, body, state, names.joined(separator: ", "), source]
    }
  }

  func run() throws {
    let lines = RecurrentSystem.all.map { Line($0) }
    guard !json else {
      for line in lines { print(try Bench.json(line)) }
      return
    }
    let rows = [["cell", "family", "body", "state", "constants", "source"]] + lines.map(\.columns)
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = zip(row, widths).map { text, width in
        text.padding(toLength: width, withPad: " ", startingAt: 0)
      }
      print(cells.joined(separator: "  ").trimmingTrailingSpaces)
    }
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    String(reversed().drop { $0 == " " }.reversed())
  }
}
