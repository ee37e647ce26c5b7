// SPDX-License-Identifier: Apache-2.0

import Configuration
import ArgumentParser
import Checkpoints
import Files
import Foundation
import Kernels
import Reports
import Training

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw one run, or several side by side, as a page.",
    discussion: """
      Writes one HTML file that needs no other files: curves of loss and metrics, results, \
      confusion matrices, and the differences between the configurations. Runs may still be in \
      progress. For runs of several seeds, name the folder above them.

      momentum-dist report runs/lstm runs/momentum --to compare.html
      """)

  @Argument(help: "The folders of the runs.")
  var runs: [String]

  @Option(help: ArgumentHelp("The page to write.", valueName: "file.html"))
  var to = "report.html"

  @Flag(
    help: """
      Also draw how the gradient flows back through time, from each run's newest checkpoint. It is \
      computed in double precision, which is slow for long sequences.
      """)
  var gradients = false

  func run() throws {
    try refuseOverwriting(to, unlessNamed: ".html")
    do {
      let records = try runs.flatMap { try RunRecord.all(at: $0) }.withDistinctLabels()
      let curves = gradients ? try records.compactMap(Self.flow) : []
      try Self.page(records, at: runs, gradients: curves).write(to: to)
      print("\(to): \(counted(records.count, "run"))".visible)
    } catch {
      throw RunFailure(error)
    }
  }

  /// The page of some runs.
  ///
  /// - Parameter paths: their folders, or those of their seeds or trials
  static func page(
    _ records: [RunRecord], at paths: [String], gradients: [ProbeCurve] = []
  ) -> ReportPage {
    let series = paths.compactMap { path in
      SeedSummary(contentsOf: SeedSeries.summaryPath(path)).map { (path: path, summary: $0) }
    }
    let sweeps = paths.compactMap { path in
      SweepRecord(at: path).map { (path: path, record: $0) }
    }
    return ReportPage(records, gradients: gradients, series: series, sweeps: sweeps)
  }

  /// The gradient flow of a run; if it cannot be computed, nil, and a line reports why.
  private static func flow(_ run: RunRecord) throws -> ProbeCurve? {
    do {
      NumericEnvironment.enter()
      let reader = try RunFolder.firstReadable(at: run.path)
      try reader.verify()
      let settings = try TrainingConfiguration(of: reader)
      return try ProbeSubject(run.label, settings, checkpoint: reader).curve(
        steps: 784, features: 1, batch: 16)
    } catch {
      Launch.say("no gradient flow: \(RunFailure(error))")
      return nil
    }
  }
}
