// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Checkpoints
import Datasets
import Foundation
import MPI
import Reports
import Training

extension DatasetFile.Part: ExpressibleByArgument {}
extension CheckpointChoice: ExpressibleByArgument {}

struct Evaluate: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluate a trained model on a part of its data.",
    discussion: """
      For a run, evaluates the checkpoint that was best on validation, or the newest if nothing was \
      validated; --checkpoint latest always takes the newest. The results are kept in the run's \
      folder as evaluation-test.json, with the confusion matrix of a classification, for `report`, \
      unless --set or --file changes what is measured.

      The data must have the same meaning as the run's. Classes and words are matched by name. \
      Names that the run did not learn and different normalisation statistics are refused, and the \
      first difference is named.
      """)

  @Argument(help: "The folder of a run, or of a checkpoint.")
  var path: String

  @Option(help: "train, validation or test (default: test, or the only part of --file).")
  var split: DatasetFile.Part?

  @Option(
    help: ArgumentHelp(
      "Measure all sequences of this data set instead of the run's own; it needs no other part.",
      valueName: "file.h5"))
  var file: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Set a key of the configuration, such as dataset.file if the data has moved.",
      valueName: "key.path=value"))
  var assignments: [String] = []

  @Option(help: "Which checkpoint of a run: best or latest.")
  var checkpoint = CheckpointChoice.best

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if file?.isEmpty == true {
      throw ValidationError("--file is empty; name a data set file, or leave it out.")
    }
  }

  func run() throws {
    let communicator = try Launch.communicator()
    let (session, checkpoint) = try TrainingSession.restore(
      from: path, choice: self.checkpoint, assignments: assignments, file: file, part: split,
      on: communicator)
    let split = session.configuration.dataset.measured ?? split ?? .test
    for note in try session.notes(on: split) where communicator.rank == 0 { Launch.say(note) }
    try Self.measure(
      split, session, checkpoint, asJSON: json,
      // The report shows the results of a run on its own data, not those of a single checkpoint.
      keptIn: checkpoint.folder != path && assignments.isEmpty && file == nil ? path : nil)
  }

  /// Evaluates a run's best checkpoint on the test part, and prints and keeps the results.
  static func measure(_ run: String, on communicator: Communicator) throws {
    let (session, checkpoint) = try TrainingSession.restore(
      from: run, choice: .best, assignments: [], part: .test, on: communicator)
    try measure(.test, session, checkpoint, asJSON: false, keptIn: run)
  }

  /// The most values whose errors are printed.
  private static let mostValues = 16

  /// Evaluates a part of the data and prints the results.
  ///
  /// - Parameter run: the folder that keeps them; nil keeps nothing
  private static func measure(
    _ split: DatasetFile.Part, _ session: TrainingSession, _ checkpoint: TrainedCheckpoint,
    asJSON: Bool, keptIn run: String?
  ) throws {
    let (record, totals) = try session.record(
      of: split, at: checkpoint.manifest, checkpoint: checkpoint.choice)
    guard session.communicator.rank == 0 else { return }
    if asJSON {
      var figures = record
      figures.forecasts = nil  // hundreds of numbers, which `report` draws
      print(try figures.json)
    } else {
      let which = checkpoint.choice == .best ? ", best on validation" : ""
      let scores = record.classScores.map { "  \($0)" } ?? ""
      let chance = record.chance.map { "; \($0)" } ?? ""
      let majority = record.majority.map { "; \($0)" } ?? ""
      printFitted(
        "\(split.rawValue)  \(session.describe(totals))\(scores)"
          + "  (\(session.describeAmount(totals)), step \(checkpoint.manifest.step)\(which)"
          + "\(chance)\(majority))")
    }
    if !asJSON, let errors = record.valueErrors {
      let shown = errors.prefix(mostValues).map { "\($0.name) \(brief($0.mae))" }
      let more = errors.count > mostValues ? ", ... (--json prints all \(errors.count))" : ""
      printFitted("MAE of each value: \(shown.joined(separator: ", "))\(more)")
    }
    guard let run else { return }
    do {
      var record = record
      record.forecasts = try session.forecastCurves(of: split)
      if let note = try record.write(to: run) { Launch.say("note: \(note)") }
    } catch {
      Launch.say("note: not kept for the report: \(error)")
    }
  }
}
