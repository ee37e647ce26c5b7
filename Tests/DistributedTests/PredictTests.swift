// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// Predictions of the whole program have the figures of `evaluate` and the bytes of one rank, and a
/// stream in pieces equals the whole.
@Suite(.serialized) struct PredictTests {
  /// 60 labelled sequences of two features far from 0, as lines of a table.
  private func table(_ seed: Int) -> String {
    (0..<60).map { row in
      let rises = (row * 7 + seed) % 3 > 0
      let numbers = (0..<10).map { place -> String in
        let noise = (row * 131 + place * 7919 + seed * 17) % 100
        let slope = (rises ? 1 : -1) * 12 * (place / 2)
        return "\(5000 + slope + noise).5"
      }
      return numbers.joined(separator: ",") + (rises ? ",rises" : ",falls")
    }.joined(separator: "\n") + "\n"
  }

  func run(_ arguments: [String], ranks: Int? = nil, in folder: String) throws -> String {
    let outcome = try Program.run(arguments, ranks: ranks, in: folder)
    #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
    return outcome.output
  }

  func bytes(_ name: String, in folder: String) throws -> Data {
    try #require(FileManager.default.contents(atPath: "\(folder)/\(name)"))
  }

  func evaluation(_ run: String, in folder: String) throws -> [String: Any] {
    let text = try self.run(["evaluate", run, "--json"], in: folder)
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func classesAreThoseOfAnEvaluation() throws {
    try Places.withTemporaryFolder { folder in
      for (name, seed) in [("train", 1), ("test", 2)] {
        try Data(table(seed).utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).csv"))
      }
      _ = try run(
        ["prepare", "csv", "--features", "2", "--from", "train.csv", "test.csv", "--to", "d.h5"],
        in: folder)
      _ = try run(
        ["train", "--output", "run"]
          + [
            "dataset.task=classification", "dataset.file=d.h5", "model.hidden_size=6", "epochs=4",
            "batch_size=8", "optimizer.learning_rate=0.01",
          ].flatMap { ["--set", $0] }, in: folder)
      for ending in ["h5", "npz", "csv", "jsonl"] {
        _ = try run(["predict", "run", "d.h5", "--to", "one.\(ending)"], in: folder)
        _ = try run(["predict", "run", "d.h5", "--to", "three.\(ending)"], ranks: 3, in: folder)
        #expect(
          try bytes("one.\(ending)", in: folder) == bytes("three.\(ending)", in: folder),
          "\(ending)")
        // Raw numbers of the table are normalised as `prepare` did.
        if ending != "h5" {
          _ = try run(["predict", "run", "test.csv", "--to", "raw.\(ending)"], in: folder)
          #expect(
            try bytes("one.\(ending)", in: folder) == bytes("raw.\(ending)", in: folder),
            "\(ending)")
        }
      }
      let predictions = try HDF5.File.open("\(folder)/one.h5")
      let classes = try predictions.readAll("class", as: Int32.self)
      let probabilities = try predictions.readAll("probabilities", as: Float.self)
      let labels = try HDF5.File.open("\(folder)/d.h5").readAll("test/targets", as: Int32.self)
      #expect(classes.count == 60 && Set(classes) == [0, 1])
      let known = try evaluation("run", in: folder)
      let right = zip(classes, labels).count { $0 == $1 }
      #expect(Double(right) / 60 == known["accuracy"] as? Double)
      let loss = labels.enumerated().reduce(0) {
        $0 - log(Double(probabilities[2 * $1.0 + Int($1.1)]))
      }
      #expect(abs(loss / 60 - (known["loss"] as? Double ?? 0)) < 1e-5)
      let lines = String(decoding: try bytes("one.csv", in: folder), as: UTF8.self)
        .split(separator: "\n")
      #expect(lines[0] == "sequence,class,p_falls,p_rises" && lines.count == 61)
      #expect(try predictions.stringsAttribute("class_names") == ["falls", "rises"])
      let shown = try run(["predict", "run", "test.csv"], in: folder)
      #expect(shown.split(separator: "\n").count == 60 && shown.contains("rises 0."), "\(shown)")
    }
  }

  /// Rates at hidden steps, whose bits per spike are those of an evaluation.
  @Test func ratesAreThoseOfAnEvaluation() throws {
    try Places.withTemporaryFolder { folder in
      let file = try HDF5.File.create("\(folder)/spikes.h5")
      let counts: [[UInt8]] = (0..<3).map { part in
        (0..<960).map { (place: Int) -> UInt8 in
          let number: Int = place * 7919 + part * 31 + place / 48 * 5
          return UInt8(number % 7 / 3)
        }
      }
      for (part, own) in zip(["train", "validation", "test"], counts) {
        try file.write(own, to: "\(part)/counts", shape: [20, 12, 4])
      }
      try file.close()
      _ = try run(
        ["train", "--output", "run"]
          + [
            "dataset.task=masked_spikes", "dataset.file=spikes.h5", "dataset.inputs={part}/counts",
            "model.cell=gru", "model.hidden_size=6", "epochs=3", "batch_size=8", "shards=4",
          ].flatMap { ["--set", $0] }, in: folder)
      for (name, ranks) in [("one", nil), ("three", 3)] as [(String, Int?)] {
        _ = try run(
          ["predict", "run", "spikes.h5", "--hidden", "--to", "\(name).h5"], ranks: ranks,
          in: folder)
      }
      #expect(try bytes("one.h5", in: folder) == bytes("three.h5", in: folder))
      let predictions = try HDF5.File.open("\(folder)/one.h5")
      #expect(try predictions.dataset("hidden").shape == [20, 12, 6])
      let rates = try predictions.readAll("rates", as: Float.self).map { Double($0) }
      var means = [Double](repeating: 0, count: 4)
      for (place, count) in counts[0].enumerated() { means[place % 4] += Double(count) / 240 }
      func logLikelihood(_ rate: (Int) -> Double) -> Double {
        counts[2].indices.reduce(0) { $0 + Double(counts[2][$1]) * log(rate($1)) - rate($1) }
      }
      let spikes = Double(counts[2].reduce(0) { $0 + Int($1) })
      let bits =
        (logLikelihood { rates[$0] } - logLikelihood { means[$0 % 4] }) / (log(2) * spikes)
      let known = try #require(try evaluation("run", in: folder)["bits_per_spike"] as? Double)
      #expect(abs(bits - known) < 1e-6, "\(bits) \(known)")
    }
  }

  /// Rates of held-out neurons come from the pass that hides nothing else, so co-smoothing equals
  /// that of an evaluation.
  @Test func ratesOfHeldOutNeuronsAreThoseOfAnEvaluation() throws {
    try Places.withTemporaryFolder { folder in
      let file = try HDF5.File.create("\(folder)/spikes.h5")
      try file.setAttribute("task", "masked_spikes")
      try file.setAttribute("format_version", 1)
      try file.setAttribute("held_out", 2)
      let counts: [[UInt8]] = (0..<3).map { part in
        (0..<1200).map { (place: Int) -> UInt8 in
          let step: Int = place / 5 * 31 + part * 17
          return UInt8(place % 5 < 3 ? step % 7 / 2 : step % 7 / 3 + place % 2)
        }
      }
      for (part, own) in zip(["train", "validation", "test"], counts) {
        try file.write(own, to: "\(part)/spikes", shape: [20, 12, 5])
      }
      try file.close()
      _ = try run(
        ["train", "--output", "run"]
          + [
            "dataset.task=masked_spikes", "dataset.file=spikes.h5", "model.cell=gru",
            "model.hidden_size=6", "epochs=3", "batch_size=8", "shards=4",
          ].flatMap { ["--set", $0] }, in: folder)
      for (name, ranks) in [("one", nil), ("three", 3)] as [(String, Int?)] {
        _ = try run(
          ["predict", "run", "spikes.h5", "--to", "\(name).h5"], ranks: ranks, in: folder)
      }
      #expect(try bytes("one.h5", in: folder) == bytes("three.h5", in: folder))
      let rates = try HDF5.File.open("\(folder)/one.h5").readAll("rates", as: Float.self)
      #expect(rates.count == 1200)
      let known = try evaluation("run", in: folder)
      for (key, neurons) in [("bits_per_spike", 0..<3), ("co_smoothing", 3..<5)] {
        var (bits, spikes) = (0.0, 0.0)
        for c in neurons {
          let places = Array(stride(from: c, to: 1200, by: 5))
          let mean = Double(places.reduce(0) { $0 + Int(counts[0][$1]) }) / 240
          for place in places {
            let (count, rate) = (Double(counts[2][place]), Double(rates[place]))
            bits += count * log(rate) - rate - (count * log(mean) - mean)
            spikes += count
          }
        }
        let figure = try #require(known[key] as? Double)
        #expect(abs(bits / (log(2) * spikes) - figure) < 1e-6, "\(key): \(bits) \(figure)")
      }
    }
  }

  /// A user's own file of sequences [20, steps, 2], without targets.
  private func write(_ steps: Range<Int>, _ name: String, in folder: String) throws {
    let file = try HDF5.File.create("\(folder)/\(name)")
    var x: [Float] = []
    for n in 0..<20 {
      for t in steps {
        for c in 0..<2 { x.append(Float((n * 37 + t * 11 + c * 5) % 19) / 10 - 1) }
      }
    }
    try file.write(x, to: "signal", shape: [20, steps.count, 2])
    try file.close()
  }

  @Test func aStreamInPiecesIsTheWhole() throws {
    try Places.withTemporaryFolder { folder in
      _ = try run(
        ["train", "--output", "run"]
          + [
            "dataset.steps=9", "dataset.train_count=64", "dataset.test_count=16", "epochs=1",
            "model.cell=nag_lstm", "model.hidden_size=5", "model.layers=2", "batch_size=16",
          ].flatMap { ["--set", $0] }, in: folder)
      try write(0..<9, "whole.h5", in: folder)
      _ = try run(["predict", "run", "whole.h5", "--hidden", "--to", "whole.out.h5"], in: folder)
      var hidden: [[Float]] = []
      var values: [Float] = []
      for (index, steps) in (0..<9).map({ ($0, $0..<$0 + 1) }) {
        try write(steps, "piece.h5", in: folder)
        _ = try run(
          ["predict", "run", "piece.h5", "--hidden", "--to", "piece.out.h5"]
            + (index > 0 ? ["--state", "state.h5"] : []) + ["--state-to", "state.h5"],
          ranks: index % 3 == 1 ? 3 : nil, in: folder)
        let piece = try HDF5.File.open("\(folder)/piece.out.h5")
        hidden.append(try piece.readAll("hidden", as: Float.self))
        values = try piece.readAll("values", as: Float.self)
      }
      let whole = try HDF5.File.open("\(folder)/whole.out.h5")
      #expect(try whole.readAll("values", as: Float.self) == values)
      let joined = (0..<20).flatMap { n in hidden.flatMap { $0[n * 5..<(n + 1) * 5] } }
      #expect(try whole.readAll("hidden", as: Float.self) == joined)
      let steps = try HDF5.File.open("\(folder)/state.h5").readAll("steps", as: Int.self)
      #expect(steps == Array(repeating: 9, count: 20))
      // Anything other than the same streams of the same model is refused.
      _ = try run(
        ["train", "--output", "other", "--set", "dataset.steps=9", "--set", "epochs=1"]
          + ["--set", "dataset.train_count=256", "--set", "model.hidden_size=4"], in: folder)
      let refused = try Program.run(
        ["predict", "other", "piece.h5", "--state", "state.h5"], in: folder)
      #expect(refused.status == 65 && refused.message.contains("state of another checkpoint"))
    }
  }

  /// Images without labels, as a graph of layers sees them.
  @Test func featuresOfAGraph() throws {
    try Places.withTemporaryFolder { folder in
      func write(_ name: String, labelled: Bool) throws {
        let file = try HDF5.File.create("\(folder)/\(name)")
        let x = (0..<24 * 36).map { UInt8($0 * 7919 % 251) }
        try file.write(x, to: "train/x", shape: [24, 6, 6, 1])
        if labelled { try file.write((0..<24).map { Int32($0 % 3) }, to: "train/y") }
        try file.close()
      }
      try write("own.h5", labelled: true)
      try write("new.h5", labelled: false)
      _ = try run(
        ["train", "--output", "run"]
          + [
            "dataset.task=classification", "dataset.file=own.h5", "dataset.inputs={part}/x",
            "dataset.targets={part}/y", "dataset.view=image", "dataset.image_steps=4",
            "model.cell=graph", "dataset.validation_count=4", "epochs=1", "batch_size=8",
            "model.graph=low: input + top, channels 2, pool max 2; top: low, channels 3, cell rgc",
          ].flatMap { ["--set", $0] }, in: folder)
      for (name, ranks) in [("one", nil), ("three", 3)] as [(String, Int?)] {
        _ = try run(
          ["predict", "run", "new.h5", "--features", "--hidden", "--to", "\(name).h5"],
          ranks: ranks, in: folder)
      }
      #expect(try bytes("one.h5", in: folder) == bytes("three.h5", in: folder))
      let file = try HDF5.File.open("\(folder)/one.h5")
      #expect(try file.dataset("class").shape == [24])
      #expect(try file.dataset("features/low").shape == [24, 4, 3, 3, 2])
      #expect(try file.dataset("features/top").shape == [24, 4, 3, 3, 3])
      #expect(
        try file.readAll("features/top", as: Float.self)
          == file.readAll("hidden", as: Float.self))
    }
  }

  @Test func whatCannotBePredictedIsOneLine() throws {
    try Places.withTemporaryFolder { folder in
      _ = try run(
        ["train", "--output", "run", "--set", "dataset.steps=4", "--set", "epochs=1"]
          + ["--set", "dataset.train_count=256", "--set", "model.hidden_size=4"], in: folder)
      try write(0..<4, "own.h5", in: folder)
      let wide = try HDF5.File.create("\(folder)/wide.h5")
      try wide.write([Float](repeating: 0, count: 24), to: "x", shape: [2, 4, 3])
      try wide.close()
      try Data("1,2,3,x\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/odd.csv"))
      try Data("none".utf8).write(to: URL(fileURLWithPath: "\(folder)/a.npy"))
      for (arguments, status, words) in [
        (["missing.h5"], 65, "missing.h5"),
        (["wide.h5"], 65, "has no inputs [N, T, 2]; it holds x [2, 4, 3]"),
        (["wide.h5", "--inputs", "x"], 65, "has 3 features per step"),
        (["odd.csv"], 65, "with 2 per step"),
        (["a.npy"], 65, "is not a whole zip archive"),
        (["own.h5", "--to", "out.txt"], 64, "must end in .h5, .npz, .csv or .jsonl"),
        (["own.h5", "--hidden"], 64, "--hidden needs --to"),
        (["own.h5", "--hidden", "--to", "out.csv"], 64, "a table has no place for hidden"),
        (["own.h5", "--to", "none/out.h5"], 74, "none/out.h5: cannot be written"),
        (["own.h5", "--state", "own.h5"], 65, "is not a state"),
        (["own.h5", "--to", "./own.h5"], 64, "is the file of the inputs"),
        (["own.h5", "--to", "wide.h5"], 64, "exists and was not written by `predict`"),
        (["own.h5", "--state-to", "wide.h5"], 64, "exists and was not written by `predict`"),
      ] as [([String], Int32, String)] {
        for ranks in [nil, 2] as [Int?] {
          let outcome = try Program.run(["predict", "run"] + arguments, ranks: ranks, in: folder)
          #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
          #expect(outcome.message.contains(words), "\(arguments): \(outcome.errors)")
          #expect(outcome.ownErrors.count == 1, "\(arguments): \(outcome.errors)")
        }
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(!left.contains { $0.contains("partial") || $0.hasPrefix("out.") }, "\(left)")
    }
  }
}
