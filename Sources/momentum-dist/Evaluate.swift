import ArgumentParser
import Checkpoints
import Datasets
import Foundation
import MPI
import Training

extension DatasetFile.Part: ExpressibleByArgument {}

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained model on a part of its data.",
    discussion: "Takes the newest checkpoint of a run, or the checkpoint that is named.")

  @Argument(help: "The folder of a run, or of a checkpoint.")
  var path: String

  @Option(help: "train, validation or test.")
  var split = DatasetFile.Part.test

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Set a key of the configuration, such as dataset.file where the data has moved.",
      valueName: "key.path=value"))
  var assignments: [String] = []

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let communicator = try Launch.communicator()
    let agreement = Agreement(communicator)
    let (session, checkpoint) = try TrainingSession.restore(
      from: path, assignments: assignments, on: communicator)
    let evaluation = try agreement.together { try session.workload.evaluation(of: split) }
    let totals = try session.evaluate(evaluation)
    guard communicator.rank == 0 else { return }
    if json {
      var record = MetricsRecord(
        step: checkpoint.manifest.step, epoch: checkpoint.manifest.epoch, split: split.rawValue)
      session.add(totals, to: &record)
      record.add(
        session.task.elementName ?? "sequences",
        Int(session.task.elementName == nil ? totals.sequences : totals.elements))
      print(record.json)
    } else {
      print(
        "\(split.rawValue)  \(session.describe(totals))  (\(session.describeAmount(totals)),"
          + " step \(checkpoint.manifest.step))")
    }
  }
}
