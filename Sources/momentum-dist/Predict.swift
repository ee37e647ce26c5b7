// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Checkpoints
import Datasets
import Files
import Foundation
import MPI
import Training

struct Predict: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict for new sequences with a trained model.",
    discussion: """
      FILE is HDF5 (prepared, or your own, with or without targets), .npy, .npz, .ts, a table such \
      as .csv, or, for a run on speech, a folder of sounds. Raw numbers are normalised like the \
      training data of the run. For a run, the checkpoint that was best on validation is used.

      --to writes .h5, .npz, .csv or .jsonl by its ending: the class and probabilities of a \
      classification, the values of a value task, the forecast of the next step, the rates of \
      masked_spikes. Without --to, a short table is printed, or JSON lines with --json. Output \
      does not depend on the number of ranks. HDF5 files that `predict` wrote are replaced; to \
      replace any other file, add --overwrite.

      momentum-dist predict runs/vowels new.csv --to classes.csv
      mpirun -np 4 momentum-dist predict runs/vowels new.h5 --hidden --to states.h5
      momentum-dist predict runs/sensor chunk2.npy --state s1.h5 --state-to s2.h5
      momentum-dist predict runs/air air.csv --time month --roll-out 36 --to next.csv
      tail -f sensor.csv | momentum-dist predict runs/sensor --stream
      """)

  @Argument(help: "The folder of a run, or of a checkpoint.")
  var path: String

  @Argument(help: "The file of the sequences; with --stream it is left out.")
  var file: String?

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

  @Option(
    help: ArgumentHelp(
      "Forecast this many steps beyond the end, by feeding forecasts back as inputs.",
      valueName: "steps"))
  var rollOut: Int?

  @Flag(
    help: ArgumentHelp(
      "Read steps from standard input, a line of numbers each, and print the answer to each at once:"
        + " CSV, or JSON lines with --json."))
  var stream = false

  @Option(help: ArgumentHelp("Continue from this state of the same streams.", valueName: "file.h5"))
  var state: String?

  @Option(help: ArgumentHelp("Write the state after the last step.", valueName: "file.h5"))
  var stateTo: String?

  @Flag(help: "Replace --to or --state-to even if it is a file of another kind.")
  var overwrite = false

  @OptionGroup var reading: PredictionReading

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Set a key of the configuration.", valueName: "key.path=value"))
  var assignments: [String] = []

  @Option(help: "Which checkpoint of a run to use: the best or the latest.")
  var checkpoint = CheckpointChoice.best

  func validate() throws {
    guard stream || file != nil else {
      throw ValidationError("Missing expected argument '<file>'")
    }
    if let file, RunFolder.candidates(at: path).isEmpty, !RunFolder.candidates(at: file).isEmpty {
      throw ValidationError(
        "\(path) is not a run, but \(file) is; type `momentum-dist predict \(file) \(path)`")
    }
    if file == "-", !stream {
      throw ValidationError("FILE is -, standard input; add --stream, or name a file.")
    }
    if stream, file ?? "-" != "-" || to != nil || rollOut != nil {
      throw ValidationError(
        "--stream reads standard input and prints: leave out"
          + " \(to != nil ? "--to" : rollOut != nil ? "--roll-out" : "FILE").")
    }
    if let rollOut { try require("roll-out", rollOut, 1...1_000_000) }
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
    var request = PredictionRequest(path, file: stream ? "standard input" : file ?? "")
    (request.isStream, request.rollOut) = (stream, rollOut)
    (request.choice, request.assignments) = (checkpoint, assignments)
    (request.part, request.format) = (reading.split, reading.format)
    request.isNormalised = reading.normalised
    (request.wantsHidden, request.wantsFeatures) = (hidden, features)
    (request.state, request.stateTo) = (state, stateTo)
    (request.to, request.overwrites) = (to, overwrite)
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
      if stream {
        try predictSteps(session, writer)
      } else {
        try session.run { rows in try writer?.append(rows) }
      }
      try agreement.together { try writer?.finish() }
      try session.publishState()
    } catch {
      writer?.cancel()
      throw error
    }
    if isFirst, let to {
      let shapes = session.fields.map { "\($0.name) \([session.count] + $0.shape)" }
      print(
        "\(to): \(counted(session.count, "sequence")), \(shapes.joined(separator: ", "))".visible)
    }
  }

  /// Answers each line of standard input before the next is read.
  private func predictSteps(
    _ session: PredictionSession, _ writer: (any PredictionWriter)?
  ) throws {
    var lines = StepLines("standard input", features: session.features)
    try session.stream({ try lines.next { readLine() } }) { rows in try writer?.append(rows) }
  }
}

/// The options for reading the file of the inputs.
struct PredictionReading: ParsableArguments {
  @Option(help: "In an HDF5 file: train, validation or test (default: test, or the only part).")
  var split: DatasetFile.Part?

  @Option(
    help: ArgumentHelp(
      "The name of the inputs in HDF5 or .npz, such as {part}/x. By default, it is found.",
      valueName: "name"))
  var inputs: String?

  @Flag(help: "The numbers are already normalised; use them unchanged.")
  var normalised = false

  @OptionGroup var columns: TableColumns

  @Option(
    help: ArgumentHelp("Of a table: a column of targets to leave out.", valueName: "column"))
  var target: String?

  var format: UnlabelledFormat {
    var format = UnlabelledFormat()
    format.inputs = inputs
    format.table = columns.format
    format.table.target = target
    return format
  }
}
