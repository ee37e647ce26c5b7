// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Checkpoints
import Configuration
import Files
import Foundation
import Reports
import Training

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the runs in a folder.",
    discussion: """
      One line for each run, the most recently changed first: cell, progress, best validation \
      loss, test loss after `evaluate`. Runs of several seeds and of a sweep are listed one by \
      one.
      """)

  @Argument(help: "The folder of the runs.")
  var folder = "runs"

  func run() throws {
    guard DurableFiles.isFolder(folder) else {
      let near = FileManager.default.fileExists(atPath: folder) ? nil : nearest
      throw RunFailure(
        .unusableData,
        near.map { "\(folder): does not exist; did you mean \($0)?" }
          ?? "\(folder): is not a folder; name the one that your runs are in")
    }
    let list = RunList(below: DurableFiles.withoutLastSlashes(folder))
    guard !list.runs.isEmpty else {
      throw RunFailure(
        .unusableData,
        "\(folder): holds no run; start one with momentum-dist train --output \(folder)/NAME")
    }
    print(list.table(at: Date(), columns: Terminal.columnsIfTerminal(STDOUT_FILENO)))
  }

  /// The run or the folder of runs that a path which does not exist may mean.
  private var nearest: String? {
    RunFolder.nearest(to: folder)
      ?? RunFolder.nearest(to: folder) { !RunFolder.newest(in: $0).isEmpty }
  }
}
