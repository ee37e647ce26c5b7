// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Files
import Foundation
import Layers
import Reports

struct Cells: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the recurrent cells that model.cell takes.",
    discussion: """
      For each cell: its drive or family, the update of its state, the state that it carries from \
      step to step (H units), the constants that a configuration may set (such as model.mu), and \
      its source.
      """)

  @Flag(help: "Print one JSON object per line.")
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
    print(
      plainTable(
        rows, columns: Terminal.columnsIfTerminal(STDOUT_FILENO), sparing: [4, 5, 2, 1]))
  }
}
