// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Foundation
import HDF5
import TestSupport
import Testing

@testable import Training

/// The output of `inspect` for files that `prepare` made, and for any others.
@Suite struct InspectionTests {
  private func json(_ path: String, verifying: Bool = false) throws -> [String: Any] {
    let text = try Inspection.report(of: path, verifying: verifying).json()
    return try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func write(_ path: String, _ body: (HDF5.File) throws -> Void) throws {
    let file = try HDF5.File.create(path)
    try body(file)
    try file.close()
  }

  @Test func anyFileIsListed() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      try write(path) { file in
        let x = (0..<72).map { Float($0) }
        try file.write(x, to: "data/x_train", shape: [6, 4, 3], chunk: [2, 4, 3], deflate: 4)
        try file.write([0, 1, 2, 0, 1, 2], to: "data/y_train")
        try file.write(x, to: "data/x_test", shape: [6, 4, 3])
        try file.write([0, 1, 2, 0, 1, 2], to: "data/y_test")
        try file.createDataset(
          "half/written", of: Float.self, shape: [40, 3], chunk: [10, 3], deflate: 1)
      }
      let report = try json(path)
      #expect(report["kind"] as? String == "hdf5")
      let datasets = try #require(report["datasets"] as? [[String: Any]])
      #expect(
        datasets.map { $0["name"] as? String }
          == ["data/x_test", "data/x_train", "data/y_test", "data/y_train", "half/written"])
      #expect(datasets[1]["shape"] as? [Int] == [6, 4, 3])
      #expect(datasets[1]["type"] as? String == "float32")
      #expect(datasets[1]["layout"] as? String == "chunks [2, 4, 3]")
      #expect(datasets[1]["filters"] as? [String] == ["shuffle", "gzip"])
      let problem = datasets[4]["problem"] as? String
      #expect(problem?.contains("none of its 4 chunks was ever written") == true)
      let keys = try #require(report["trainable"] as? [[String]])
      #expect(
        keys == [
          [
            "dataset.file=\(path)", "dataset.task=classification",
            "dataset.inputs=data/x_{part}", "dataset.targets=data/y_{part}",
          ]
        ])
      // The keys train.
      let configuration = try TrainingConfiguration(
        yaml: "model: {hidden_size: 2}",
        path: "run.yaml", assignments: keys[0] + ["dataset.validation_count=1"])
      #expect(try ClassificationTask(configuration.dataset, seed: 1).source(.train).count == 5)
      let text = try Inspection.report(of: path, verifying: false).text
      let line = "data/x_train  float32 [6, 4, 3]  chunks [2, 4, 3], shuffle, gzip"
      #expect(text.contains("\n  \(line)\n"))
      #expect(text.contains("'dataset.inputs=data/x_{part}'"))
      let error = #expect(throws: DatasetError.self) { try json(path, verifying: true) }
      #expect(error?.description.contains("half/written") == true)
    }
  }

  /// If only one thing prevents two datasets from training, the message names it. A name stays on
  /// its line.
  @Test func whatKeepsAFileFromTrainingIsSaid() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      try write(path) { file in
        try file.write((0..<72).map { Float($0) }, to: "x\ny", shape: [6, 4, 3])
        try file.write([1, 2, 3, 1, 2, 3], to: "z")
      }
      let report = try Inspection.report(of: path, verifying: true)
      let lines = report.text.split(separator: "\n")
      #expect(lines.count == 7, "\(report.text)")
      #expect(lines[3] == "  x\u{FFFD}y  float32 [6, 4, 3]  contiguous")
      #expect(lines[5].hasPrefix("trainable: not yet: z has labels from 1 to 3 and no 0; classes"))
      #expect(try json(path)["refusal"] as? String == String(lines[5].dropFirst(20)))
    }
  }

  /// Times are named with the inputs that they fit, and are not taken for inputs.
  @Test func timesAreFound() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      func keys(_ name: String, _ times: [Double], shape: [Int]) throws -> [[String]]? {
        try write(path) { file in
          try file.write((0..<12).map { Float($0) }, to: "train/x", shape: [6, 2, 1])
          try file.write([0, 1, 0, 1, 0, 1], to: "train/y")
          try file.write(times, to: name, shape: shape)
        }
        return try json(path)["trainable"] as? [[String]]
      }
      let plain = [
        "dataset.file=\(path)", "dataset.task=classification", "dataset.inputs={part}/x",
        "dataset.targets={part}/y",
      ]
      let times = (0..<12).map { Double($0) }
      let named = try keys("train/x_timestamps", times, shape: [6, 2])
      #expect(named == [plain + ["dataset.times={part}/x_timestamps"]])
      let others = try keys("train/times", times, shape: [2, 6])
      #expect(others == [plain])
    }
  }

  /// Sequences of unequal lengths are found by where they begin, and a group in itself ends.
  @Test func unequalLengthsAreFound() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      try write(path) { file in
        try file.write((0..<20).map { Float($0) }, to: "steps", shape: [10, 2])
        try file.write([0, 4, 5, 10], to: "begins")
        try file.write([0, 1, 1], to: "labels")
      }
      let report = try json(path, verifying: true)
      #expect(report["verified"] as? Bool == true)
      #expect(
        report["trainable"] as? [[String]] == [
          [
            "dataset.file=\(path)", "dataset.task=classification", "dataset.inputs=steps",
            "dataset.targets=labels", "dataset.offsets=begins",
          ]
        ])
    }
  }

  /// Verifying opens each part as training does.
  @Test(arguments: [
    "none", "test/targets", "validation/inputs", "train/targets",
  ]) func aPartThatLacksSomethingIsNotVerified(_ missing: String) throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/set.h5"
      try write(path) { file in
        try file.setAttribute("format_version", 1)
        try file.setAttribute("task", "classification")
        try file.setAttribute("classes", 2)
        for part in ["train", "validation", "test"] {
          for name in ["\(part)/inputs", "\(part)/targets"] where name != missing {
            if name.hasSuffix("inputs") {
              try file.write([Float](repeating: 1, count: 24), to: name, shape: [4, 3, 2])
            } else {
              try file.write([0, 1, 0, 1], to: name)
            }
          }
        }
      }
      _ = try json(path)
      if missing == "none" {
        #expect(try json(path, verifying: true)["verified"] as? Bool == true)
      } else {
        let error = #expect(throws: DatasetError.self) { try json(path, verifying: true) }
        #expect(error?.description.contains("has no \(missing)") == true)
      }
    }
  }

  /// Files of `prepare` pass, for every task.
  @Test func whatPrepareMakesIsVerified() throws {
    try Places.withTemporaryFolder { folder in
      try GeneratedFile.write(
        [.train: AddingProblem(count: 4, steps: 5, seed: 1, part: .train)],
        to: "\(folder)/adding.h5")
      try GeneratedFile.write(
        [
          .test: RecallProblem(
            .denoise, count: 4, delay: 5, symbols: 2, alphabet: 3, seed: 1, part: .test)
        ], to: "\(folder)/denoise.h5")
      for name in ["adding", "denoise"] {
        #expect(try json("\(folder)/\(name).h5", verifying: true)["verified"] as? Bool == true)
      }
    }
  }
}
