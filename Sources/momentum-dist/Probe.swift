// SPDX-License-Identifier: Apache-2.0

import Configuration
import ArgumentParser
import Checkpoints
import Files
import Foundation
import Kernels
import Reports
import Training

struct Probe: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show how the gradient vanishes through time.",
    discussion: """
      Prints the norm of dL/dh_t, the derivative of the loss at the end of a sequence with respect \
      to the hidden state of step t, averaged over several sequences: for cells at initialisation, \
      configurations at initialisation, and trained checkpoints. Everything is computed in double \
      precision.

      A configuration or checkpoint is probed with sequences of its own training set, cut to the \
      shortest one. A cell, or a configuration whose data cannot be read, is probed with random \
      numbers and classes.

      momentum-dist probe --cell lstm momentum_lstm --svg gradients.svg
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("YAML files to probe at initialisation; see configs/.", valueName: "file"))
  var config: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Cells to probe at initialisation, by their names in configurations.", valueName: "name"))
  var cell: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Folders of runs or of checkpoints to probe.", valueName: "path"))
  var checkpoint: [String] = []

  @Option(help: "H, units of --cell.")
  var hidden = 128

  @Option(help: "T, steps of random sequences.")
  var steps = 784

  @Option(help: "Sequences to average over.")
  var batch = 16

  @Option(help: "Features per step of random sequences.")
  var inputs = 1

  @Option(help: "For --cell: the share of the old velocity that is kept (default: 0.6).")
  var mu: Double?

  @Option(help: "For --cell: the step size of the input (default: 0.6).")
  var epsilon: Double?

  @Option(help: "For --cell: the share of the old second moment that is kept (default: 0.99).")
  var beta: Double?

  @Option(help: "For --cell: steps between restarts of the Nesterov counter (default: 2).")
  var restart: Int?

  @Option(help: "The seed of starting weights and sequences (default: the configuration's; 1).")
  var seed: UInt64?

  @Flag(help: "Print one JSON object with the whole curves.")
  var json = false

  @Option(help: ArgumentHelp("Also draw the curves, to this file.", valueName: "file.svg"))
  var svg: String?

  func validate() throws {
    guard !(config.isEmpty && cell.isEmpty && checkpoint.isEmpty) else {
      throw ValidationError("Nothing to probe: name a --cell, a --config or a --checkpoint.")
    }
    func check(_ name: String, _ value: some Any, _ isGood: Bool, _ expected: String) throws {
      if !isGood { throw ValidationError("--\(name) is \(value); expected \(expected).") }
    }
    for (name, value, limit) in [
      ("hidden", hidden, 65_536), ("steps", steps, 1_000_000), ("batch", batch, 1_000_000),
      ("inputs", inputs, 65_536),
    ] {
      try check(name, value, (1...limit).contains(value), "a whole number within 1...\(limit)")
    }
    if let mu { try check("mu", mu, (0...1).contains(mu), "a number within 0...1") }
    if let epsilon {
      try check("epsilon", epsilon, epsilon > 0 && epsilon.isFinite, "a number above 0")
    }
    if let beta {
      try check("beta", beta, (0..<1).contains(beta), "a number from 0 to below 1")
    }
    if let restart {
      try check("restart", restart, restart >= 0, "a whole number that is not negative")
    }
  }

  func run() throws {
    NumericEnvironment.enter()
    do {
      let curves = try subjects().map { subject in
        var subject = subject
        if let seed { subject.configuration.seed = seed }
        return try subject.curve(steps: steps, features: inputs, batch: batch)
      }
      if let svg { try ProbeCurve.draw(curves, to: svg) }
      print(json ? try encode(curves) : table(curves))
    } catch {
      throw RunFailure(error)
    }
  }

  /// Cells first: `--cell lstm --config FILE` compares with the LSTM.
  private func subjects() throws -> [ProbeSubject] {
    try cell.map(subject(ofCell:))
      + config.map { path in
        let settings = try TrainingConfiguration(file: path, assignments: [])
        let name = DurableFiles.stem(of: DurableFiles.lastName(of: path))
        return ProbeSubject("\(name) (\(settings.model.title))", settings)
      } + checkpoint.map(subject(ofCheckpoint:))
  }

  private func subject(ofCell name: String) throws -> ProbeSubject {
    guard let cell = CellName(configurationText: name) else {
      throw RunFailure(
        .usage, "--cell \(name): no such cell; expected \(CellName.configurationKind)")
    }
    var settings = TrainingConfiguration()
    settings.model.cell = cell
    settings.model.hiddenSize = hidden
    settings.model.mu = mu ?? settings.model.mu
    settings.model.epsilon = epsilon ?? settings.model.epsilon
    settings.model.beta = beta ?? settings.model.beta
    settings.model.restart = restart ?? settings.model.restart
    let constants = cell.system.hyperparameters.compactMap { constant in
      settings.keys.first { $0.path == "model.\(constant.rawValue)" }.map {
        "\(constant.rawValue)=\($0.value)"
      }
    }
    return ProbeSubject(
      ([name] + constants).joined(separator: " "), settings, usesDataset: false)
  }

  private func subject(ofCheckpoint path: String) throws -> ProbeSubject {
    let reader = try RunFolder.firstReadable(at: path)
    try reader.verify()
    let settings = try TrainingConfiguration(of: reader)
    let title = "\(settings.model.title), step \(reader.manifest.step)"
    return ProbeSubject("\(path) (\(title))", settings, checkpoint: reader)
  }

  /// ‖dL/dh_1‖ of a curve over that of the first; nil if the first has vanished.
  private func ratio(_ curve: ProbeCurve, to first: ProbeCurve) -> Double? {
    guard let own = curve.norms.first, let reference = first.norms.first else { return nil }
    let ratio = own / reference
    return ratio.isFinite ? ratio : nil
  }

  private struct Report: Encodable {
    var quantity = "mean Euclidean norm of dL/dh_t per sequence, t = 1 ... steps"
    var curves: [ProbeCurve]
    /// By curve, at t = 1.
    var ratiosToFirst: [Double?]
  }

  private func encode(_ curves: [ProbeCurve]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let ratios = curves.map { ratio($0, to: curves[0]) }
    return String(
      decoding: try encoder.encode(Report(curves: curves, ratiosToFirst: ratios)), as: UTF8.self)
  }

  private func table(_ curves: [ProbeCurve]) -> String {
    let title = "norm of dL/dh_t"
    let width = (curves.map(\.label.count) + [title.count]).reduce(0, max) + 2
    func row(_ title: String, _ cells: [String]) -> String {
      title.padding(toLength: width, withPad: " ", startingAt: 0)
        + cells.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
    }
    let isAlike = Set(curves.map(\.steps)).count == 1
    let times =
      isAlike
      ? curves[0].landmarks.map { "t=\($0)" } : ["t=1", "t=T/4", "t=T/2", "t=3T/4", "t=T"]
    var lines = [row(title, times + ["ratio, t=1"])]
    for curve in curves {
      let ratio = ratio(curve, to: curves[0]).map { String(format: "%.3g", $0) } ?? "-"
      let norms = curve.landmarks.map { String(format: "%.3e", curve.norms[$0 - 1]) }
      lines.append(row(curve.label, norms + [ratio]))
    }
    for curve in curves {
      lines.append(
        "\(curve.label): H=\(curve.hiddenSize), T=\(curve.steps), C=\(curve.inputs), mean over"
          + " \(curve.batch) sequences (\(curve.data)), loss \(brief(curve.loss))")
    }
    return lines.joined(separator: "\n")
  }
}
