// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Layers
import TestSupport
import Testing

/// What onnxruntime computes from an export is what `predict` says, for all sequences at once and
/// for one alone; and a call is the same as two that carry the states.
@Suite(.serialized) struct OnnxExportTests {
  /// Whether it has what the check needs.
  static let hasRuntime = PythonPackages.has("onnx, onnxruntime, numpy, h5py")

  static let needs: Comment =
    "needs Python with onnx, onnxruntime, numpy and h5py: python3, or what MOMENTUM_DIST_PYTHON names"

  /// One of each class and each drive, and what the layers around a cell can do.
  static let models =
    TorchExportTests.cells.map { [$0] }
    + [
      ["lstm", "model.bidirectional=true"], ["srgru", "model.bidirectional=true"],
      ["exprnn", "model.bidirectional=true", "model.pooling=mean"],
      ["gru", "model.pooling=mean"],
      ["momentum_lstm", "model.normalization=assorted_time", "model.window=3"],
      ["adam_gru", "model.normalization=layer"],
      ["hippo_legs", "model.maximum_steps=3", "model.memory_channels=2", "model.memory_order=5"],
      ["lmu_gated", "model.discretization=bilinear", "model.memory_channels=2"],
      [
        "ndt", "ndt.pre_norm=true", "ndt.position=learned", "ndt.embedding=raw",
        "ndt.context_backward=2", "ndt.context_forward=-1", "ndt.heads=1",
      ],
      ["atn_lstm", "model.window=2"], ["conv_gru", "model.kernel_size=2"],
    ]

  @Test(.enabled(if: hasRuntime, needs), arguments: models)
  func onnxruntimeComputesWhatPredictSays(model: [String]) throws {
    let system = try #require(RecurrentSystem(named: model[0]))
    var settings = ["model.cell=\(model[0])", "model.layers=2"] + model.dropFirst()
    if system.readsMaps {
      settings += ["dataset.view=image", "dataset.image_steps=4", "dataset.shown_steps=3"]
      settings += ["model.hidden_size=3"]
      if model == ["graph"] {
        // Every kind of edge, also one to smaller and one to larger maps.
        settings[1] =
          "model.graph=a: input + b + c, channels 4, stride 2, cell rgc, pool mean 2 1; b: a,"
          + " channels 2, separable, norm group 2, activation relu, pool max 2; c: b + input,"
          + " channels 3, cell momentum_conv_lstm, norm layer; d: c + a, channels 2"
      }
    } else {
      // Raw numbers, which both normalise by the statistics of the run.
      settings += ["dataset.offsets={part}/begins", "dataset.normalize=features"]
      settings += ["model.hidden_size=6"]
    }
    try Places.withTemporaryFolder { folder in
      try TorchExportTests.write(to: "\(folder)/data.h5", images: system.readsMaps)
      try train(settings, in: folder)
      let compared = try compare(in: folder)
      #expect(
        compared.status == 0 && compared.output.contains("probabilities"),
        "\(compared.output)\(compared.errors)")
      let seesTheEnd = model.contains("model.bidirectional=true") || system.isEncoder
      #expect(compared.output.contains("in two pieces") == !seesTheEnd, "\(compared.output)")
    }
  }

  /// The states of a graph are those that `predict` carries, name by name.
  @Test(
    .enabled(if: hasRuntime, needs),
    arguments: [
      ("momentum_lstm", ["h_l0", "c_l0", "v_l0"]), ("adam_rnn", ["h_l0", "v_l0", "s_l0"]),
      ("atn_gru", ["h_l0", "window_ih_l0", "window_hh_l0"]), ("hippo_legt", ["h_l0", "m_l0"]),
      ("momentum_conv_lstm", ["h_l0", "c_l0", "v_l0"]),
      ("graph", ["a.pooled_l0", "a.cell.h_l0", "a.cell.c_l0", "b.drive_l0"]),
    ])
  func statesAreThoseOfPredict(cell: String, names: [String]) throws {
    let readsMaps = RecurrentSystem(named: cell)!.readsMaps
    var settings = ["model.cell=\(cell)", "model.hidden_size=3"]
    if readsMaps { settings += ["dataset.view=image", "dataset.image_steps=4"] }
    if !readsMaps { settings.append("dataset.offsets={part}/begins") }
    if cell == "graph" {
      settings.append(
        "model.graph=a: input, channels 4, cell rgc, pool max 2; b: a, channels 2"
      )
    }
    try Places.withTemporaryFolder { folder in
      try TorchExportTests.write(to: "\(folder)/data.h5", images: readsMaps)
      try train(settings, in: folder)
      let compared = try compare(
        in: folder, predicting: "--state-to state.h5", checking: "--state state.h5")
      #expect(compared.status == 0, "\(compared.output)\(compared.errors)")
      for name in names {
        #expect(
          compared.output.contains("state          \(name) "), "\(name): \(compared.output)")
      }
    }
  }

  /// The answers of other tasks, in the units of the data.
  @Test(.enabled(if: hasRuntime, needs), arguments: ["regression", "tagging"])
  func answersHaveTheirUnits(task: String) throws {
    try Places.withTemporaryFolder { folder in
      let file = try HDF5.File.create("\(folder)/data.h5")
      for (part, seed) in [("train", 1), ("test", 2)] {
        let numbers = (0..<36 * 7 * 2).map { 50 + Float($0 * 7919 * seed % 101) / 5 }
        try file.write(numbers, to: "\(part)/x", shape: [36, 7, 2])
        switch task {
        case "regression":
          let targets = (0..<72).map { 300 + Float($0 * 31 * seed % 17) }
          try file.write(targets, to: "\(part)/y", shape: [36, 2])
        case "tagging":
          try file.write((0..<36 * 7).map { Int32($0 % 3) }, to: "\(part)/y", shape: [36, 7])
        default: break
        }
      }
      try file.close()
      let settings = [
        "model.cell=momentum_gru", "model.hidden_size=5", "dataset.normalize=features",
      ]
      try train(settings, task: task, in: folder)
      let compared = try compare(in: folder)
      #expect(compared.status == 0, "\(compared.output)\(compared.errors)")
    }
  }

  /// The next steps of a series, from raw numbers to raw numbers.
  @Test(.enabled(if: hasRuntime, needs)) func forecastsHaveTheUnitOfTheSeries() throws {
    try Places.withTemporaryFolder { folder in
      func value(_ step: Int, _ series: Int) -> Int { 400 + step * step % (7 + 4 * series) }
      let rows = (0..<160).map { "\($0),\(value($0, 0)),\(value($0, 1))" }
      try Data(("t,a,b\n" + rows.joined(separator: "\n")).utf8)
        .write(to: URL(fileURLWithPath: "\(folder)/s.csv"))
      _ = try Program.succeed(
        ["prepare", "series", "--time", "t", "--from", "s.csv", "--to", "s.h5"], in: folder)
      let settings = ["dataset.window=12", "dataset.horizon=3", "model.cell=momentum_lstm"]
      try train(
        settings + ["model.hidden_size=5"], task: "forecast", file: "s.h5", in: folder)
      let file = try HDF5.File.create("\(folder)/data.h5")
      let x = (0..<20).flatMap { row in
        (row..<row + 12).flatMap { t in (0..<2).map { Float(value(t, $0)) } }
      }
      try file.write(x, to: "test/inputs", shape: [20, 12, 2])
      try file.close()
      let compared = try compare(in: folder)
      #expect(
        compared.status == 0 && compared.output.contains("forecast"),
        "\(compared.output)\(compared.errors)")
    }
  }

  /// A text in one column, whose loss is that of an evaluation; in pieces it has the same outputs.
  @Test(.enabled(if: hasRuntime, needs), arguments: ["srlstm", "gru"])
  func onnxruntimeReadsTexts(name: String) throws {
    try Places.withTemporaryFolder { folder in
      try TorchExportTests.prepareText(in: folder)
      try train(
        [
          "model.cell=\(name)", "model.hidden_size=6", "language_model.embedding_size=4",
          "language_model.weight_dropout=0",
        ], task: "language_model", in: folder)
      let check = """
        set -e
        "$PROGRAM" export run --to model.onnx
        "$PROGRAM" evaluate run --checkpoint latest --json \
          --set language_model.evaluation_columns=1 --set language_model.chunk_length=1000 > loss
        "$1" - "$2" <<'END'
        import json, sys
        sys.path.insert(0, sys.argv[1])
        import h5py, numpy as np
        from check_onnx import Session
        tokens = h5py.File("data.h5")["test/tokens"][:].astype(np.int64)[None]
        model = Session("model.onnx")
        whole = model.run(tokens[:, :-1])
        p = whole["probabilities"][0].astype(float)
        loss = -np.log(p[np.arange(len(p)), tokens[0, 1:]]).mean()
        known = json.load(open("loss"))["loss"]
        assert abs(loss - known) < 1e-5, (loss, known)
        first = model.run(tokens[:, :50])
        second = model.run(tokens[:, 50:-1], None, first)
        pieces = np.concatenate([first["outputs"], second["outputs"]], 1)
        assert np.abs(pieces - whole["outputs"]).max() < 1e-6
        print("equal")
        END
        """
      let compared = try Program.bash(
        check, [PythonPackages.python, "\(Places.package)/Examples"], in: folder,
        environment: ["PYTHONDONTWRITEBYTECODE": "1"], deadline: 300)
      #expect(compared.status == 0 && compared.output.contains("equal"), "\(compared.errors)")
    }
  }

  /// What cannot be written ends with one line, and no file.
  @Test func whatONNXCannotHoldIsRefused() throws {
    try Places.withTemporaryFolder { folder in
      try TorchExportTests.write(to: "\(folder)/data.h5", images: false)
      try train(
        [
          "model.cell=hippo_legs", "model.discretization=zoh", "model.memory_form=dense",
          "model.hidden_size=4", "dataset.offsets={part}/begins",
        ], in: folder)
      let outcome = try Program.run(["export", "run", "--to", "model.onnx"], in: folder)
      #expect(outcome.status == 78, "\(outcome.errors)")
      #expect(
        outcome.errors.contains("is zoh") && outcome.errors.contains(".safetensors"),
        "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/model.onnx"))
      let optimizer = try Program.run(
        ["export", "run", "--optimizer", "--to", "model.onnx"], in: folder)
      #expect(optimizer.status == 64 && optimizer.errors.contains("--optimizer"))
    }
  }

  private func compare(
    in folder: String, predicting: String = "", checking: String = ""
  ) throws -> Program.Outcome {
    let check = """
      set -e
      "$PROGRAM" export run --to model.onnx
      "$PROGRAM" predict run data.h5 --checkpoint latest --to answers.h5 \(predicting)
      "$1" "$2/check_onnx.py" model.onnx answers.h5 data.h5 \(checking)
      """
    return try Program.bash(
      check, [PythonPackages.python, "\(Places.package)/Examples"], in: folder,
      environment: ["PYTHONDONTWRITEBYTECODE": "1"], deadline: 300)
  }

  private func train(
    _ settings: [String], task: String = "classification", file: String = "data.h5",
    in folder: String
  ) throws {
    let places =
      ["language_model", "forecast"].contains(task)
      ? []
      : [
        "dataset.inputs={part}/x", "dataset.targets={part}/y", "dataset.validation_count=4",
      ]
    let all = ["dataset.task=\(task)", "dataset.file=\(file)", "batch_size=12", "shards=4"]
    let outcome = try Program.run(
      ["train", "--output", "run", "--max-steps", "6"]
        + (all + places + settings).flatMap { ["--set", $0] }, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }
}
