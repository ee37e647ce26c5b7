// SPDX-License-Identifier: Apache-2.0

import Foundation
import Layers
import TestSupport
import Testing

@testable import Configuration

/// Keys that a run does not use are refused if they were set by hand, and accepted if the program
/// wrote them.
@Suite struct KeyUseTests {
  private func problem(_ yaml: String, _ assignments: [String] = []) -> String? {
    do {
      _ = try TrainingConfiguration(yaml: yaml, path: "run.yaml", assignments: assignments)
      return nil
    } catch {
      return error.description
    }
  }

  /// A key, the choices that leave it unused, and the choice that the message names.
  private static let unused: [(key: String, choices: [String], named: String)] = [
    ("model.mu=0.6", ["model.cell=lstm"], "model.cell=lstm"),
    ("model.beta=0.9", ["model.cell=momentum_lstm"], "model.cell=momentum_lstm"),
    ("model.restart=2", [], "model.cell=momentum_lstm"),
    ("model.gate_bias=1.0", ["model.cell=rnn_tanh"], "model.cell=rnn_tanh"),
    ("model.gate_bias=1.0", ["model.cell=ln_lstm"], "model.cell=ln_lstm"),
    (
      "model.gate_bias=1.0", ["model.cell=lstm", "model.normalization=layer"],
      "model.normalization=layer"
    ),
    ("model.normalization=none", ["model.cell=dtriv"], "model.cell=dtriv"),
    ("model.normalization=layer", ["model.cell=srlstm_mnist"], "model.cell=srlstm_mnist"),
    ("model.normalization=layer", ["model.cell=atn_lstm"], "model.cell=atn_lstm"),
    ("model.window=4", ["model.cell=ln_lstm"], "model.cell=ln_lstm"),
    ("model.window=4", [], "model.normalization=none"),
    (
      "model.carry_window=true", ["model.normalization=assorted_time"], "dataset.task=adding"
    ),
    (
      "model.carry_window=true",
      ["model.normalization=layer", "dataset.task=language_model", "dataset.file=a.h5"],
      "model.normalization=layer"
    ),
    ("dataset.classes=3", ["dataset.file=a.h5"], "dataset.task=adding"),
    ("model.rebase_every=1", ["model.cell=scornn"], "model.cell=scornn"),
    ("model.orthogonal_start=cayley", ["model.cell=gru"], "model.cell=gru"),
    (
      "model.pooling=last", ["dataset.task=next_frame", "dataset.file=a.h5"],
      "dataset.task=next_frame"
    ),
    (
      "dataset.symbols=10", ["dataset.task=classification", "dataset.file=a.h5"],
      "dataset.task=classification"
    ),
    ("dataset.symbols=10", [], "dataset.task=adding"),
    ("dataset.steps=9", ["dataset.file=a.h5"], "dataset.file=a.h5"),
    ("dataset.symbols=10", ["dataset.task=denoise", "dataset.file=a.h5"], "dataset.file=a.h5"),
    (
      "dataset.permutation_seed=1", ["dataset.task=classification", "dataset.file=a.h5"],
      "dataset.view=rows"
    ),
    (
      "dataset.permutation=numpy",
      ["dataset.task=classification", "dataset.file=a.h5", "dataset.view=pixels"],
      "dataset.view=pixels"
    ),
    (
      "dataset.permutation_seed=1",
      [
        "dataset.task=classification", "dataset.file=a.h5", "dataset.view=permuted",
        "dataset.permutation=bit_reversal",
      ], "dataset.permutation=bit_reversal"
    ),
    (
      "dataset.permutation_file=a.txt",
      ["dataset.task=classification", "dataset.file=a.h5", "dataset.view=permuted"],
      "dataset.permutation=seed"
    ),
    ("dataset.loss=recalled", [], "dataset.task=adding"),
    ("dataset.view=rows", ["dataset.task=copying"], "dataset.task=copying"),
    (
      "dataset.times=when", ["dataset.task=next_frame", "dataset.file=a.h5"],
      "dataset.task=next_frame"
    ),
    (
      "dataset.read_times=off", ["dataset.task=language_model", "dataset.file=a.h5"],
      "dataset.task=language_model"
    ),
    (
      "dataset.steps=9", ["dataset.task=language_model", "dataset.file=a.h5"],
      "dataset.task=language_model"
    ),
    ("language_model.tied=true", ["dataset.task=copying"], "dataset.task=copying"),
    ("sparse_rows=auto", [], "dataset.task=adding"),
    ("optimizer.momentum=0", ["optimizer.name=adam"], "optimizer.name=adam"),
    ("optimizer.beta1=0.9", ["optimizer.name=rmsprop"], "optimizer.name=rmsprop"),
    ("optimizer.alpha=0.9", ["optimizer.name=sgd"], "optimizer.name=sgd"),
    // The rule of skew parameters counts only if there are some.
    ("optimizer.orthogonal_rule=rmsprop", ["model.cell=lstm"], "model.cell=lstm"),
    ("optimizer.averaging_window=0", ["optimizer.name=adamw"], "optimizer.name=adamw"),
    ("optimizer.patience=10", ["optimizer.schedule=step"], "optimizer.schedule=step"),
    ("optimizer.decay_epochs=3", [], "optimizer.schedule=constant"),
  ]

  @Test(arguments: unused.indices)
  func aKeyThatTheRunDoesNotUseIsRefused(_ index: Int) {
    let (assignment, choices, named) = Self.unused[index]
    let sides = assignment.split(separator: "=")
    let cure = "\(sides[0]) is not used by \(named); remove it"
    #expect(problem("", choices + [assignment]) == "--set: \(cure)")
    #expect(problem("\(sides[0]): \(sides[1])", choices) == "run.yaml:1: \(cure)")
    #expect(problem("", choices) == nil, "it goes by whether the key was set")
  }

  @Test func aKeyThatTheRunUsesIsTaken() {
    for assignments in [
      ["model.cell=momentum_lstm", "model.mu=0.5", "model.epsilon=0.5", "model.gate_bias=2"],
      ["model.cell=srlstm", "model.restart=3"],
      ["model.cell=atn_gru", "model.window=3"],
      [
        "model.cell=adam_lstm", "model.normalization=assorted_time", "model.window=20",
        "model.beta=0.9",
      ],
      [
        "model.cell=momentum_lstm", "model.normalization=assorted_time", "model.carry_window=true",
        "dataset.task=language_model", "dataset.file=a.h5",
      ],
      ["model.cell=scornn", "model.orthogonal_start=henaff"],
      ["model.cell=dtriv", "model.rebase_every=0", "model.project_every=7"],
      ["dataset.task=denoise", "dataset.symbols=3", "dataset.alphabet=2", "dataset.steps=5"],
      [
        "dataset.task=language_model", "dataset.file=a.h5", "language_model.tied=false",
        "sparse_rows=on",
      ],
      [
        "dataset.task=classification", "dataset.file=a.h5", "dataset.view=permuted",
        "dataset.permutation_seed=2", "dataset.classes=3", "model.pooling=mean",
      ],
      [
        "dataset.task=classification", "dataset.file=a.h5", "dataset.view=permuted",
        "dataset.permutation=numpy", "dataset.permutation_seed=4294967295",
      ],
      [
        "dataset.task=classification", "dataset.file=a.h5", "dataset.view=permuted",
        "dataset.permutation=file", "dataset.permutation_file=order.txt",
      ],
      // A prepared file does not say which steps count.
      ["dataset.task=copying", "dataset.file=a.h5", "dataset.loss=recalled"],
      [
        "optimizer.name=sgd", "optimizer.momentum=0.9", "optimizer.nesterov=true",
        "optimizer.averaging_window=5",
      ],
      // Skew parameters have a rule of their own, with its constants.
      ["model.cell=dtriv", "optimizer.orthogonal_rule=rmsprop", "optimizer.alpha=0.9"],
      ["optimizer.schedule=plateau", "optimizer.patience=3", "optimizer.decay_factor=0.5"],
      // A limit is used whether or not it is reached.
      ["dataset.memory=0"],
    ] {
      #expect(problem("", assignments) == nil, "\(assignments)")
    }
  }

  @Test func anOrderOfPixelsThatCannotBeIsRefused() {
    let images = ["dataset.task=classification", "dataset.file=a.h5", "dataset.view=permuted"]
    #expect(
      problem("", images + ["dataset.permutation=numpy", "dataset.permutation_seed=4294967296"])
        == "dataset.permutation is numpy and dataset.permutation_seed 4294967296; NumPy's seeds are"
        + " at most 4294967295")
    #expect(
      problem("", images + ["dataset.permutation=file"])
        == "dataset.permutation is file, but dataset.permutation_file is empty; name the text file of"
        + " the indices")
    #expect(
      problem("", images + ["dataset.permutation=random"])
        == "--set: dataset.permutation is \"random\", expected one of seed, bit_reversal, numpy,"
        + " file")
  }

  /// A cell with norms is the cell's own drive and body with them.
  @Test func theTitleTellsTheNorms() throws {
    for (assignments, title) in [
      (["model.cell=lstm"], "lstm"), (["model.cell=atn_rnn"], "atn_rnn(25)"),
      (["model.normalization=layer"], "momentum_lstm, layer"),
      (
        ["model.normalization=assorted_time", "model.window=20"],
        "momentum_lstm, assorted_time(20)"
      ),
    ] {
      let configuration = try TrainingConfiguration(file: nil, assignments: assignments)
      #expect(configuration.model.title == title)
    }
  }

  /// `RecurrentSystem.hyperparameters` is the one place that says which constants a cell has.
  @Test(arguments: RecurrentSystem.all)
  func everyCellTakesItsOwnConstantsAlone(_ system: RecurrentSystem) {
    let constants: [RecurrentSystem.Hyperparameter] = [.mu, .epsilon, .beta, .restart, .window]
    for constant in constants {
      let value = [.restart, .window].contains(constant) ? "1" : "0.5"
      let images = ["dataset.task=classification", "dataset.file=x.h5", "dataset.view=image"]
      let found = problem(
        "",
        ["model.cell=\(system.name)", "model.\(constant.rawValue)=\(value)"]
          + (system.readsMaps ? images : []))
      #expect((found == nil) == system.hyperparameters.contains(constant), "\(constant)")
    }
  }

  /// A configuration that version 1 resolved, with every key of every task and cell.
  private static let resolvedPath = "\(Places.fixtures)/resolved-configuration-v1.yaml"

  @Test func aResolvedConfigurationListsKeysThatItDoesNotUse() throws {
    let old = try TrainingConfiguration(file: Self.resolvedPath, assignments: [])
    #expect(old.dataset.task == .copying && old.model.cell.system.name == "lstm")
    #expect(old.dataset.symbols == 4 && old.optimizer.name == .sgd && old.model.hiddenSize == 7)
    let own = try TrainingConfiguration(yaml: old.yaml, path: "config.yaml")
    #expect(own == old)
    // A value set over it counts as set by hand, regardless of the value.
    let refused = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(file: Self.resolvedPath, assignments: ["model.mu=0.6"])
    }
    #expect(
      refused?.description == "--set: model.mu is not used by model.cell=lstm; remove it")
  }

  /// Keys that were taken out of a run's config.yaml do not make it one that was written by hand.
  @Test func aRunsOwnFileIsTheProgramsWhateverItLacks() throws {
    let text = try String(contentsOfFile: Self.resolvedPath, encoding: .utf8)
    let less = text.split(separator: "\n").filter { !$0.contains("nesterov") }
      .joined(separator: "\n")
    #expect(problem(less)?.contains("is not used by") == true)
    _ = try TrainingConfiguration(yaml: less, path: "config.yaml", isResolved: true)
  }

  @Test func listedKeysBelongToTheChosenTaskAndCell() throws {
    func paths(_ assignments: [String]) throws -> Set<String> {
      Set(try TrainingConfiguration.keys(file: nil, assignments: assignments).map(\.path))
    }
    let all = Set(TrainingConfiguration().keys.map(\.path))
    #expect(try paths([]) == all, "nothing is chosen")
    // A listing needs no file.
    let text = try paths(["dataset.task=language_model", "model.cell=lstm"])
    #expect(text.isSuperset(of: ["language_model.tied", "sparse_rows", "model.gate_bias"]))
    #expect(text.isDisjoint(with: ["model.mu", "dataset.steps", "dataset.view", "model.pooling"]))
    let images = try paths(["dataset.task=classification", "model.cell=momentum_dtriv"])
    #expect(images.isSuperset(of: ["dataset.view", "model.mu", "model.rebase_every"]))
    #expect(!images.contains { $0.hasPrefix("language_model.") } && !images.contains("model.beta"))
    #expect(images.isSubset(of: all))
    let values = try TrainingConfiguration.keys(
      file: Places.package + "/configs/adding.yaml", assignments: ["model.mu=0.25"])
    #expect(values.first { $0.path == "model.mu" }?.value == "0.25")
  }
}
