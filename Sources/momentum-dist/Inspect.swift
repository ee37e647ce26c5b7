// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Checkpoints
import Foundation
import Training

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what a checkpoint, a run, a data set or any other HDF5 file holds.",
    discussion: """
      For a run, shows the newest checkpoint. parameters_sha256 covers all parameters together, \
      regardless of how many files hold them: two runs that print the same hash ended with the \
      same bits. For your own HDF5 file, lists the datasets, and the keys to train on them.
      """)

  @Argument(help: "A run's folder, a checkpoint's folder or an HDF5 file.")
  var path: String

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(
    help: ArgumentHelp(
      "Read everything, verify its checksums, and fail if a part lacks what training needs."
    ))
  var verify = false

  func run() throws {
    do {
      let report = try Inspection.report(of: path, verifying: verify)
      print(json ? try report.json() : report.text)
    } catch {
      throw RunFailure(error)
    }
  }
}
