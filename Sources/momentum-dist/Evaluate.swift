import ArgumentParser
import Checkpoints
import Datasets
import Foundation
import MPI
import Training

extension DatasetFile.Part: ExpressibleByArgument {}
extension CheckpointChoice: ExpressibleByArgument {}

struct Evaluate: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained model on a part of its data.",
    discussion: """
      Of a run it takes the checkpoint that was best on validation, or the newest where nothing was \
      validated; --checkpoint latest takes the newest in any case. The figures are kept in the \
      run's folder as evaluation-test.json, with the confusion matrix of a classification, for \
      `report`, unless --set or --file changes what is measured.

      The data must mean the same as the run's. Classes and words are matched by name; names that \
      the run did not learn, or different normalisation statistics, are refused, with the first \
      difference.
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
      "Set a key of the configuration, such as dataset.file where the data has moved.",
      valueName: "key.path=value"))
  var assignments: [String] = []

  @Option(help: "Of a run, its best or its latest checkpoint.")
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
      // Kept for the report is what a run, and not one of its checkpoints, does on its own data.
      keptIn: checkpoint.folder != path && assignments.isEmpty && file == nil ? path : nil)
  }

  /// Measures the test part with a run's best checkpoint, prints the figures and keeps them.
  static func measure(_ run: String, on communicator: Communicator) throws {
    let (session, checkpoint) = try TrainingSession.restore(
      from: run, choice: .best, assignments: [], part: .test, on: communicator)
    try measure(.test, session, checkpoint, asJSON: false, keptIn: run)
  }

  /// Measures a part of the data and prints the figures.
  ///
  /// - Parameter run: where they are kept; nil if nowhere
  private static func measure(
    _ split: DatasetFile.Part, _ session: TrainingSession, _ checkpoint: TrainedCheckpoint,
    asJSON: Bool, keptIn run: String?
  ) throws {
    let (record, totals) = try session.record(
      of: split, at: checkpoint.manifest, checkpoint: checkpoint.choice)
    guard session.communicator.rank == 0 else { return }
    if asJSON {
      print(try record.json)
    } else {
      let which = checkpoint.choice == .best ? ", best on validation" : ""
      let scores = record.classScores.map { "  \($0)" } ?? ""
      let chance = record.chance.map { "; \($0)" } ?? ""
      let majority = record.majority.map { "; \($0)" } ?? ""
      print(
        "\(split.rawValue)  \(session.describe(totals))\(scores)"
          + "  (\(session.describeAmount(totals)), step \(checkpoint.manifest.step)\(which)"
          + "\(chance)\(majority))")
    }
    guard let run else { return }
    do {
      try record.write(to: run)
    } catch {
      Launch.say("note: not kept for the report: \(error)")
    }
  }
}
