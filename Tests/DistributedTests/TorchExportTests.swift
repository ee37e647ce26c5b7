// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Layers
import TestSupport
import Testing

/// Exports contain all that is needed to compute the model. Plain PyTorch modules do so, with the
/// outputs of `predict`.
@Suite(.serialized) struct TorchExportTests {
  /// Whether it has the packages that the modules and their check need.
  static let hasTorch = PythonPackages.has("torch, numpy, h5py")

  /// At least one of each class and each drive of the modules.
  static let cells = [
    "rnn_tanh", "lstm", "gru", "gru_unrolled", "momentum_lstm", "adam_rnn", "rmsprop_gru",
    "nag_rnn", "srlstm", "srlstm_mnist", "exprnn", "scornn", "momentum_dtriv", "hippo_legs",
    "hippo_legt", "hippo_lagt", "lmu", "lmu_gated", "ln_rnn", "ln_lstm", "ln_gru", "atn_rnn",
    "atn_lstm", "atn_gru", "ndt", "rgc", "rgc_zoo", "conv_lstm", "conv_gru", "conv_ugrnn",
    "conv_intersection", "conv_rnn", "momentum_conv_lstm", "time_decay", "graph",
  ]

  @Test(
    .enabled(
      if: hasTorch,
      "needs Python with torch, numpy and h5py: python3, or what MOMENTUM_DIST_PYTHON names"),
    arguments: cells)
  func torchComputesWhatPredictSays(name: String) throws {
    let system = try #require(RecurrentSystem(named: name))
    var settings = ["model.cell=\(name)", "model.layers=2"]
    if system.readsMaps {
      settings += ["dataset.view=image", "dataset.image_steps=4", "dataset.shown_steps=3"]
      settings += ["model.hidden_size=3"]
      if name == "graph" {
        settings[1] =
          "model.graph=a: input + b, channels 4, stride 2, cell rgc; b: a, channels 2, separable,"
          + " norm group 2, activation relu, pool max 2"
      }
    } else {
      // Raw numbers. Both sides normalise them by the statistics of the export.
      settings += ["dataset.offsets={part}/begins", "dataset.normalize=features"]
      settings += ["model.hidden_size=6", "model.bidirectional=\(!system.isEncoder)"]
    }
    try Places.withTemporaryFolder { folder in
      try Self.write(to: "\(folder)/data.h5", images: system.readsMaps)
      let outcome = try train(settings, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let check = """
        set -e
        "$PROGRAM" export run --to model.safetensors
        "$PROGRAM" predict run data.h5 --checkpoint latest --to answers.h5
        "$1" "$2/check_torch.py" model.safetensors answers.h5 data.h5 $3
        """
      let compared = try Program.bash(
        check,
        [PythonPackages.python, "\(Places.package)/Examples", system.readsMaps ? "" : "--raw"],
        in: folder, environment: ["PYTHONDONTWRITEBYTECODE": "1"], deadline: 300)
      #expect(
        compared.status == 0 && compared.output.contains("probabilities"),
        "\(compared.output)\(compared.errors)")
    }
  }

  /// A text in one column, whose loss is that of an evaluation; in pieces it has the same outputs.
  @Test(
    .enabled(if: hasTorch, "needs Python with torch, numpy and h5py"),
    arguments: ["srlstm", "atn_gru", "hippo_legs"])
  func torchReadsTextsAsEvaluateDoes(name: String) throws {
    try Places.withTemporaryFolder { folder in
      try Self.prepareText(in: folder)
      let outcome = try train(
        [
          "model.cell=\(name)", "model.layers=2", "model.hidden_size=6",
          "language_model.embedding_size=4", "language_model.weight_dropout=0",
        ], task: "language_model", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let compare = """
        set -e
        "$PROGRAM" export run --to model.safetensors
        "$PROGRAM" evaluate run --checkpoint latest --json \
          --set language_model.evaluation_columns=1 --set language_model.chunk_length=1000 > loss
        "$1" - "$2" <<'END'
        import json, sys
        sys.path.insert(0, sys.argv[1])
        import h5py, torch
        from momentum_dist_torch import load
        tokens = torch.from_numpy(h5py.File("data.h5")["test/tokens"][:]).long()
        model = load("model.safetensors", torch.float64)
        with torch.no_grad():
            z = model(tokens[None, :-1])[0]
            first, state = model.run(tokens[None, :50])
            second, _ = model.run(tokens[None, 50:-1], state)
        loss = torch.nn.functional.cross_entropy(z, tokens[1:]).item()
        known = json.load(open("loss"))["loss"]
        assert abs(loss - known) < 1e-6, (loss, known)
        pieces = torch.cat([first, second], 1)[0]
        assert torch.allclose(pieces, z, rtol=0, atol=1e-12)
        print("equal")
        END
        """
      let compared = try Program.bash(
        compare, [PythonPackages.python, "\(Places.package)/Examples"], in: folder,
        environment: ["PYTHONDONTWRITEBYTECODE": "1"], deadline: 300)
      #expect(compared.status == 0 && compared.output.contains("equal"), "\(compared.errors)")
    }
  }

  @Test func exportsSayWhatComputesThemAgain() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write(to: "\(folder)/data.h5", images: false)
      let outcome = try train(
        ["dataset.offsets={part}/begins", "dataset.normalize=features", "model.mu=0.7"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let texts = try metadata(in: folder)
      let configuration = try object(texts["configuration"]) as? [String: String]
      #expect(configuration?["model.cell"] == "momentum_lstm")
      #expect(configuration?["dataset.offsets"] == "{part}/begins")
      #expect(texts["cell"] == "momentum_lstm")
      #expect(texts["equations"]?.hasPrefix("Nguyen et al., NeurIPS 2020") == true)
      #expect(
        try object(texts["constants"]) as? [String: String]
          == ["model.mu": "0.7", "model.epsilon": "0.6"])
      #expect(
        try object(texts["shapes"]) as? [String: [String]]
          == ["inputs": ["N", "7", "3"], "outputs": ["N", "2"]])
      let data = try object(texts["data"]) as? [String: Any]
      let meaning = data?["meaning"] as? [String: Any]
      #expect((meaning?["statistics"] as? [String: Any])?["mean"] is [Double])
      #expect(texts["vocabulary"] == nil && texts["pixel_order"] == nil)
    }
  }

  @Test func exportsNamePixelsAndTokens() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write(to: "\(folder)/data.h5", images: true, grey: true)
      let outcome = try train(
        ["dataset.view=permuted", "dataset.permutation=bit_reversal"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      // The numbers below 12 = 4 x 3 of the bit-reversal order of 16.
      #expect(
        try object(try metadata(in: folder)["pixel_order"]) as? [Int]
          == [0, 8, 4, 2, 10, 6, 1, 9, 5, 3, 11, 7])
    }
    try Places.withTemporaryFolder { folder in
      try Self.prepareText(in: folder)
      let outcome = try train(
        ["language_model.embedding_size=4", "language_model.chunk_length=9"],
        task: "language_model", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let texts = try metadata(in: folder)
      let tokens = try object(texts["vocabulary"]) as? [String]
      #expect(Set(tokens ?? []) == ["a", "b", " ", "\n"])
      #expect(texts["vocabulary_level"] == "character")
      #expect(
        try object(texts["shapes"]) as? [String: [String]]
          == ["inputs": ["N", "T"], "outputs": ["N", "T", "4"]])
    }
  }

  private func train(
    _ settings: [String], task: String = "classification", in folder: String
  ) throws -> Program.Outcome {
    let places =
      task == "classification"
      ? [
        "dataset.inputs={part}/x", "dataset.targets={part}/y", "dataset.validation_count=4",
      ] : []
    let all = ["dataset.task=\(task)", "dataset.file=data.h5", "batch_size=12", "shards=4"]
    return try Program.run(
      ["train", "--output", "run", "--max-steps", "6"]
        + (all + places + settings).flatMap { ["--set", $0] }, in: folder)
  }

  /// 3000 characters of four kinds.
  static func prepareText(in folder: String) throws {
    let alphabet = Array("ab \n".utf8)
    let letters = (0..<3000).map { alphabet[$0 * $0 % 97 % 4] }
    try Data(letters).write(to: URL(fileURLWithPath: "\(folder)/text.txt"))
    let prepared = try Program.run(
      ["prepare", "text", "--from", "text.txt", "--to", "data.h5", "--level", "character"],
      in: folder)
    #expect(prepared.status == 0, "\(prepared.errors)")
  }

  /// The metadata of the run's export.
  private func metadata(in folder: String) throws -> [String: String] {
    let outcome = try Program.run(["export", "run", "--to", "model.safetensors"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let data = try #require(
      FileManager.default.contents(atPath: "\(folder)/model.safetensors"))
    let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length))
    return try #require((header as? [String: Any])?["__metadata__"] as? [String: String])
  }

  private func object(_ text: String?) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(try #require(text).utf8))
  }

  /// 36 sequences of three features far from 0 and of unequal lengths, or 36 images of 4 x 3 x 3, or
  /// 4 x 3 grey ones, for training and as many for the test, of two classes.
  static func write(to path: String, images: Bool, grey: Bool = false) throws {
    let file = try HDF5.File.create(path)
    for (part, seed) in [("train", 1), ("test", 2)] {
      let begins = (0..<36).reduce(into: [0]) { $0.append($0.last! + 3 + $1 * seed % 5) }
      let count = images ? 36 * 36 : 3 * begins.last!
      let numbers = (0..<count).map { Float($0 * 7919 * seed % 101) / 100 }
      if images {
        let pixels = grey ? Array(numbers.prefix(36 * 12)) : numbers
        try file.write(pixels, to: "\(part)/x", shape: grey ? [36, 4, 3] : [36, 4, 3, 3])
      } else {
        try file.write(numbers.map { 50 + 20 * $0 }, to: "\(part)/x", shape: [begins.last!, 3])
        try file.write(begins, to: "\(part)/begins")
      }
      try file.write((0..<36).map { Int32($0 % 2) }, to: "\(part)/y")
    }
    try file.close()
  }
}
