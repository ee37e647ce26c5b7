// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Foundation
import TestSupport
import Testing

/// `train --initial`: the parameters of another file, by name and shape.
@Suite(.serialized) struct InitialParametersTests {
  private func train(
    _ run: String, _ more: [String], ranks: Int? = nil, in folder: String
  ) throws -> Program.Outcome {
    try RankCountTests.train(run, ranks: ranks, in: folder, more)
  }

  /// A run starts with the exported parameters of another; no step changes them.
  @Test(arguments: ["lstm", "momentum_dtriv"]) func anExportStartsARun(cell: String) throws {
    try Places.withTemporaryFolder { folder in
      let settings = ["--set", "model.cell=\(cell)", "--set", "seed=3"]
      #expect(try train("first", settings + ["--max-steps", "9"], in: folder).status == 0)
      let exported = try Program.run(["export", "first", "--to", "m.safetensors"], in: folder)
      #expect(exported.status == 0, "\(exported.errors)")
      let started = try train(
        "second", settings + ["--set", "seed=4", "--initial", "m.safetensors", "--max-steps", "0"],
        ranks: 2, in: folder)
      #expect(started.status == 0, "\(started.errors)")
      #expect(started.errors.contains("note: starts with "))
      #expect(!started.errors.contains("not in that file"), "\(started.errors)")
      #expect(
        try RankCountTests.digest("second", in: folder)
          == RankCountTests.digest("first", in: folder))
    }
  }

  /// A model of another size takes the tensors that fit, and lists the rest.
  @Test func whatDoesNotFitIsListed() throws {
    try Places.withTemporaryFolder { folder in
      let tensors = [
        CheckpointTensor(path: "readout.bias", shape: [1], values: [0.5]),
        CheckpointTensor(path: "readout.weight", shape: [1, 3], values: [1, 2, 3]),
        CheckpointTensor(path: "other", shape: [2], values: [1, 2]),
      ]
      try SafetensorsFile.write(tensors, metadata: [:], to: "\(folder)/m.safetensors")
      let started = try train(
        "run", ["--initial", "m.safetensors", "--max-steps", "0"], in: folder)
      #expect(started.status == 0, "\(started.errors)")
      #expect(started.errors.contains("starts with 1 tensors of m.safetensors"))
      #expect(started.errors.contains("([1, 3] there, [1, 5] here)"), "\(started.errors)")
      #expect(started.errors.contains("in that file, but not in the model: other"))
    }
  }

  @Test func whatFitsNowhereIsRefused() throws {
    try Places.withTemporaryFolder { folder in
      try SafetensorsFile.write(
        [CheckpointTensor(path: "other", shape: [1], values: [1])], metadata: [:],
        to: "\(folder)/other.safetensors")
      try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(folder)/short.safetensors"))
      for (file, status, words) in [
        ("other", 65, "has none of this model's parameters"), ("short", 65, "is shorter"),
        ("none", 65, "none.safetensors"),
      ] as [(String, Int32, String)] {
        let outcome = try train(
          "run", ["--initial", "\(file).safetensors"], ranks: 2, in: folder)
        #expect(outcome.status == status && outcome.message.contains(words), "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
      }
      let both = try train("run", ["--initial", "other.safetensors", "--resume"], in: folder)
      #expect(both.status == 64, "\(both.errors)")
    }
  }
}
