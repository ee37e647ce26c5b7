import ArgumentParser
import Datasets
import Files
import Foundation
import MPI
import Training

struct Predict: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict for new sequences with a trained model.",
    discussion: """
      FILE is HDF5 (prepared, or your own, with or without targets), .npy, .npz, .ts or a table \
      such as .csv. Raw numbers are normalised as those that the run learned from. Of a run, the \
      checkpoint is the best on validation.

      --to writes .h5, .npz, .csv or .jsonl by its ending: the class and probabilities of a \
      classification, the values of a value task, the forecast of the next step, the rates of \
      masked_spikes. Without --to, a short table is printed, or JSON lines with --json. Output \
      does not depend on the number of ranks.

      momentum-dist predict runs/vowels new.csv --to classes.csv
      mpirun -np 4 momentum-dist predict runs/vowels new.h5 --hidden --to states.h5
      momentum-dist predict runs/sensor chunk2.npy --state s1.h5 --state-to s2.h5
      """)

  @Argument(help: "The folder of a run, or of a checkpoint.")
  var path: String

  @Argument(help: "The file of the sequences.")
  var file: String

  @Option(help: ArgumentHelp("The file to write: .h5, .npz, .csv or .jsonl.", valueName: "file"))
  var to: String?

  @Flag(help: "Without --to: print a JSON object per sequence.")
  var json = false

  @Flag(help: "Write the states of the last layer at each step, [N, T, H].")
  var hidden = false

  @Flag(
    help: ArgumentHelp(
      "Write the output of each layer at each step, and of each node of a model.graph:"
        + " features/NAME [N, T, ...]."))
  var features = false

  @Option(help: ArgumentHelp("Continue from this state of the same streams.", valueName: "file.h5"))
  var state: String?

  @Option(help: ArgumentHelp("Write the state after the last step.", valueName: "file.h5"))
  var stateTo: String?

  @OptionGroup var reading: PredictionReading

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Set a key of the configuration.", valueName: "key.path=value"))
  var assignments: [String] = []

  @Option(help: "Of a run, its best or its latest checkpoint.")
  var checkpoint = CheckpointChoice.best

  func validate() throws {
    for (name, value) in [
      ("FILE", file), ("--to", to), ("--state", state), ("--state-to", stateTo),
    ]
    where value?.isEmpty == true {
      throw ValidationError("\(name) is empty; name a file, or leave it out.")
    }
    if let to, PredictionFormat(to) == nil {
      throw ValidationError("--to is \(to); its name must end in .h5, .npz, .csv or .jsonl.")
    }
    guard to == nil || !json else {
      throw ValidationError("--json prints, and --to writes a file: give one of them.")
    }
    if to == nil, !json, hidden || features {
      throw ValidationError(
        "\(hidden ? "--hidden" : "--features") needs --to FILE.h5 (or .npz or .jsonl), or --json.")
    }
  }

  private var request: PredictionRequest {
    var request = PredictionRequest(path, file: file)
    (request.choice, request.assignments) = (checkpoint, assignments)
    (request.part, request.format) = (reading.split, reading.format)
    request.isNormalised = reading.normalised
    (request.wantsHidden, request.wantsFeatures) = (hidden, features)
    (request.state, request.stateTo) = (state, stateTo)
    return request
  }

  func run() throws {
    let communicator = try Launch.communicator()
    let isFirst = communicator.rank == 0
    let session = try PredictionSession(request, on: communicator)
    if isFirst { for note in session.notes { Launch.say("note: \(note)") } }
    let agreement = Agreement(communicator)
    let writer = try agreement.together { () throws -> (any PredictionWriter)? in
      guard isFirst else { return nil }
      guard let to else { return PrintedPredictions(session, json: json) }
      return try session.writer(to: to, PredictionFormat(to)!)
    }
    do {
      try session.run { rows in try writer?.append(rows) }
      try agreement.together { try writer?.finish() }
    } catch {
      writer?.cancel()
      throw error
    }
    if isFirst, let to {
      let shapes = session.fields.map { "\($0.name) \([session.count] + $0.shape)" }
      print("\(to): \(session.count) sequences, \(shapes.joined(separator: ", "))")
    }
  }
}

/// How the file of the inputs is read.
struct PredictionReading: ParsableArguments {
  @Option(help: "Of HDF5: train, validation or test (default: test, or the only part).")
  var split: DatasetFile.Part?

  @Option(
    help: ArgumentHelp(
      "The name of the inputs in HDF5 or .npz, such as {part}/x. By default, it is found.",
      valueName: "name"))
  var inputs: String?

  @Flag(help: "The numbers are normalised already: take them as they are.")
  var normalised = false

  @Option(
    help: ArgumentHelp("Of a table: the column that names the sequence.", valueName: "column"))
  var id: String?

  @Option(
    help: ArgumentHelp("Of a table: the column that orders the steps.", valueName: "column"))
  var time: String?

  @Option(
    help: ArgumentHelp(
      "Of a table with a time step per line: the value columns.", valueName: "columns"))
  var values: String?

  @Option(
    help: ArgumentHelp("Of a table: a column of targets to leave out.", valueName: "column"))
  var target: String?

  @Option(
    help: ArgumentHelp(
      "How to treat missing values of text, as in `prepare csv`.",
      valueName: "refuse|zero|carry|drop"))
  var missing = MissingValues.refuse

  var format: UnlabelledFormat {
    var format = UnlabelledFormat()
    format.inputs = inputs
    format.table.missing = missing
    (format.table.id, format.table.time, format.table.target) = (id, time, target)
    format.table.values =
      values.map { list in
        list.split(separator: ",").map { String($0.drop(while: \.isWhitespace)) }
      } ?? []
    return format
  }
}
