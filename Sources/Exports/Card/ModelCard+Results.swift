// SPDX-License-Identifier: Apache-2.0

import Configuration
import Files
import Foundation
import Reports

extension ModelCard {
  /// The results at the checkpoint's step.
  var results: String {
    var lines: [(part: String, measured: [String: Double], chance: Double?)] = []
    if let validation { lines.append(("validation", validation, validation["chance_loss"])) }
    if let test, test.step == manifest.step {
      var measured = test.metrics
      measured["loss"] = test.loss
      lines.append(("test", measured, test.chanceLoss))
    }
    guard !lines.isEmpty else { return "Nothing was measured at step \(manifest.step)." }
    let metrics = RunRecord.metricKeys(lines.flatMap(\.measured.keys))
    let head = ["part", "loss", "loss of guessing"] + metrics
    let rows = lines.map { line in
      func number(_ value: Double?) -> String { value.map { brief($0) } ?? "" }
      return [line.part, number(line.measured["loss"]), number(line.chance)]
        + metrics.map { number(line.measured[$0]) }
    }
    return ([head, head.map { _ in "---" }] + rows).map {
      "| \($0.joined(separator: " | ")) |"
    }.joined(separator: "\n")
      + "\n\nAt step \(manifest.step), epoch \(manifest.epoch)"
      + (isBest ? ", which was the best on validation." : ".")
  }

  private var isBest: Bool { manifest.bestStep == manifest.step }

  // MARK: Again

  /// The command that trains the same model, with every key that differs from its default.
  var command: String {
    let defaults = Dictionary(TrainingConfiguration().keys.map { ($0.path, $0.value) }) { $1 }
    let keys = configuration.keys.filter { defaults[$0.path] != $0.value }.map {
      "--set \("\($0.path)=\($0.value)".shellWord)"
    }
    // On one line, no text can end the block of code.
    return
      (["momentum-dist train --output \(name.shellWord) --max-steps \(manifest.step)"] + keys)
      .joined(separator: " ").visible
  }

  /// The result of that command.
  var repetition: String {
    let machine = manifest.machine
    let ranks =
      configuration.reduction == .fixed
      ? "at any number of ranks and threads" : "with \(machine.ranks) ranks (reduction is mpi)"
    return "With \(plain(machine.program)) and the same data,"
      + " \(code("momentum-dist inspect \(name)")) then prints the parameters_sha256 above, \(ranks),"
      + " on a processor with fused products (AVX2, AVX-512 or NEON; here \(code(machine.kernels)))."
  }

  // MARK: Limits

  /// The limits that a user of the model has to know, as far as the run knows them.
  var limits: [String] {
    var limits: [String] = []
    let train = manifest.data?.parts["train"]
    if let train {
      limits.append(
        "It takes \(train.features) features per step, in the order of its data, and has seen"
          + " sequences of at most \(train.steps) steps.")
    }
    switch configuration.dataset.task {
    case .classification, .multilabel, .tagging:
      limits.append(
        "It gives its classes or labels for any input, even one unlike its data, and its"
          + " probabilities were not calibrated.")
    case .forecast, .nextFrame:
      limits.append("It forecasts what follows series like those of its data.")
    case .adding, .copying, .denoise, .regression, .languageModel, .maskedSpikes: break
    }
    if let loss = validation?["loss"], let chance = validation?["chance_loss"], loss >= chance {
      limits.append(
        "Its validation loss is not below that of guessing: it has not learned the task.")
    }
    if validation == nil { limits.append("It was not measured on held-out data at this step.") }
    if validation != nil, isBest {
      limits.append("The step was selected by its validation loss, so that loss is optimistic.")
    }
    if test?.step != manifest.step {
      limits.append("The test part was not measured with this checkpoint.")
    }
    limits.append(
      "The run records neither the licence of the data nor what the model is meant for: add both.")
    return limits
  }
}
