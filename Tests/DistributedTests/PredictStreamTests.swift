// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// Forecasts that are rolled out, and streams of single steps.
@Suite(.serialized) struct PredictStreamTests {
  private func write(_ text: String, _ name: String, in folder: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
  }

  private func lines(_ name: String, in folder: String) throws -> [[Double]] {
    try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8).split(separator: "\n")
      .dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
  }

  /// Two values about 500 that repeat every eight steps.
  private func series(_ steps: Range<Int>) -> String {
    "t,a,b\n"
      + steps.map { t in
        let values = (0..<2).map { 500 + 40 * sin(Double(t - 2 * $0) * .pi / 4) }
        return "\(t),\(values[0]),\(values[1])\n"
      }.joined()
  }

  private func trainForecast(horizon: Int, in folder: String) throws {
    try write(series(0..<120), "s.csv", in: folder)
    _ = try Program.succeed(
      ["prepare", "series", "--time", "t", "--from", "s.csv", "--to", "s.h5"], in: folder)
    _ = try Program.succeed(
      ["train", "--output", "run"]
        + [
          "dataset.task=forecast", "dataset.file=s.h5", "dataset.window=10",
          "dataset.horizon=\(horizon)", "model.cell=gru", "model.hidden_size=8", "epochs=8",
          "batch_size=8", "optimizer.learning_rate=0.01",
        ].flatMap { ["--set", $0] }, in: folder)
  }

  /// Each block is the forecast of the series to which the blocks before were appended, in its unit.
  @Test func forecastsAreFedBack() throws {
    try Places.withTemporaryFolder { folder in
      try trainForecast(horizon: 3, in: folder)
      let predict = ["predict", "run", "s.csv", "--time", "t"]
      _ = try Program.succeed(predict + ["--to", "one.csv"], in: folder)
      _ = try Program.succeed(predict + ["--roll-out", "8", "--to", "all.csv"], in: folder)
      let all = try #require(lines("all.csv", in: folder).first)
      #expect(all.count == 1 + 8 * 2)
      #expect(try lines("one.csv", in: folder)[0] == Array(all[..<7]))
      // By hand: the series with its own forecasts at the end.
      var table = series(0..<120)
      for block in 0..<3 {
        try write(table, "longer.csv", in: folder)
        _ = try Program.succeed(
          ["predict", "run", "longer.csv", "--time", "t", "--to", "next.csv", "--overwrite"],
          in: folder)
        let next = Array(try lines("next.csv", in: folder)[0].dropFirst())
        for (place, value) in next.enumerated() where block * 6 + place < 16 {
          let own = all[1 + block * 6 + place]
          #expect(abs(value - own) < 1e-2, "step \(block * 3 + place / 2): \(value) \(own)")
        }
        for h in 0..<3 { table += "\(120 + block * 3 + h),\(next[2 * h]),\(next[2 * h + 1])\n" }
      }
      #expect(Set(all.dropFirst()).count > 10, "the forecasts move")
      // Of several series, some shorter than the window, at any rank count.
      let several = [50, 4, 10, 11].enumerated().flatMap { index, length in
        (0..<length).map { "\(index),\($0),\(500 + 40 * sin(Double($0 + index) * .pi / 4)),490\n" }
      }
      try write("who,t,a,b\n" + several.joined(), "several.csv", in: folder)
      for (name, ranks) in [("r1", nil), ("r3", 3)] as [(String, Int?)] {
        _ = try Program.succeed(
          ["predict", "run", "several.csv", "--id", "who", "--time", "t", "--values", "a,b"]
            + ["--roll-out", "20", "--to", "\(name).h5"], ranks: ranks, in: folder)
      }
      let output = try HDF5.File.open("\(folder)/r1.h5")
      #expect(try output.dataset("forecast").shape == [4, 20, 2])
      #expect(
        FileManager.default.contents(atPath: "\(folder)/r1.h5")
          == FileManager.default.contents(atPath: "\(folder)/r3.h5"))
      for (arguments, words) in [
        (["--roll-out", "5", "--state-to", "s2.h5"], "leave out --state and --state-to"),
        (["--roll-out", "0"], "--roll-out is 0"),
      ] {
        let outcome = try Program.run(predict + arguments, in: folder)
        #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.errors)")
      }
    }
  }

  /// The output of a stream for its steps, as objects.
  private func stream(
    _ arguments: [String], _ steps: String, in folder: String
  ) throws -> [[String: Any]] {
    try write(steps, "steps", in: folder)
    let outcome = try Program.shell(
      "\"$PROGRAM\" predict run --stream --json \(arguments.joined(separator: " ")) < steps",
      in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try outcome.output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// A class at each of 12 steps, from a table far from 0 that the run normalises.
  private func trainTags(_ more: [String], in folder: String) throws {
    func value(_ n: Int, _ t: Int) -> Double { 3000 + Double((n * 31 + t * 17 + n * t) % 23) }
    var table = "who,t,x,y,tag\n"
    for n in 0..<24 {
      for t in 0..<12 {
        table += "\(n),\(t),\(value(n, t)),\(t % 4),\(value(n, t) > 3011 ? "high" : "low")\n"
      }
    }
    try write(table, "d.csv", in: folder)
    _ = try Program.succeed(
      [
        "prepare", "csv", "--task", "tagging", "--id", "who", "--time", "t", "--values", "x,y",
        "--target", "tag", "--from", "d.csv", "--to", "d.h5",
      ], in: folder)
    _ = try Program.succeed(
      ["train", "--output", "run"]
        + ([
          "dataset.task=tagging", "dataset.file=d.h5", "model.hidden_size=6", "model.layers=2",
          "epochs=2", "batch_size=8",
        ] + more).flatMap { ["--set", $0] }, in: folder)
  }

  @Test func aStreamOfStepsHasTheBitsOfTheWhole() throws {
    try Places.withTemporaryFolder { folder in
      try trainTags(["model.cell=nag_lstm"], in: folder)
      let steps = (0..<9).map { "\(3000 + $0 * 7 % 23),\($0 % 4)\n" }
      try write("x,y\n" + steps.joined(), "whole.csv", in: folder)
      let whole = try Program.succeed(
        ["predict", "run", "whole.csv", "--json", "--hidden"], in: folder
      ).output
      let known = try #require(
        try JSONSerialization.jsonObject(with: Data(whole.utf8)) as? [String: Any])
      let probabilities = try #require(known["probabilities"] as? [[Double]])
      #expect(probabilities.count == 9)
      // With the names of the columns, and in two pieces with the state in between.
      let once = try stream(["--hidden"], "x,y\n" + steps.joined(), in: folder)
      let first = try stream(["--hidden", "--state-to", "s.h5"], steps[..<4].joined(), in: folder)
      let second = try stream(
        ["--hidden", "--state", "s.h5", "--state-to", "s.h5"], steps[4...].joined(), in: folder)
      for objects in [once, first + second] {
        #expect(objects.map { $0["probabilities"] as? [Double] } == probabilities)
        #expect(objects.map { $0["step"] as? Int } == Array(0..<9))
        #expect(objects.map { $0["hidden"] as? [Double] } == known["hidden"] as? [[Double]])
        #expect(objects.compactMap { $0["class"] as? String } == known["class"] as? [String])
      }
      let count = try HDF5.File.open("\(folder)/s.h5").readAll("steps", as: Int.self)
      #expect(count == [9])
      // A table: each line of output is there before the next step is sent.
      let outcome = try Program.shell(
        """
        mkfifo in out
        "$PROGRAM" predict run --stream < in > out &
        exec 3> in 4< out
        echo "3000 1" >&3; read -u 4 header; read -u 4 line; echo "$header|$line"
        echo "3001;2" >&3; read -u 4 line; echo "$line"
        exec 3>&-
        wait $!; echo $?
        """, in: folder)
      let shown = outcome.output.split(separator: "\n")
      #expect(shown.count == 3 && shown.last == "0", "\(outcome.output) \(outcome.errors)")
      #expect(shown.first?.hasPrefix("step,class,p_high,p_low|0,") == true, "\(shown)")
      #expect(shown.count > 1 && shown[1].hasPrefix("1,"), "\(shown)")
    }
  }

  /// If there is one answer for the whole, each line has the answer for the steps so far. A
  /// forecast has the unit of its series.
  @Test func answersToTheStepsSoFar() throws {
    try Places.withTemporaryFolder { folder in
      try trainForecast(horizon: 1, in: folder)
      let steps = (0..<7).map { "\(500 + 9 * $0),\(480 + 3 * $0)\n" }
      let objects = try stream([], steps.joined(), in: folder)
      #expect(objects.count == 7)
      for count in [1, 4, 7] {
        try write("a,b\n" + steps[..<count].joined(), "some.csv", in: folder)
        let whole = try Program.succeed(["predict", "run", "some.csv", "--json"], in: folder).output
        let known = try #require(
          try JSONSerialization.jsonObject(with: Data(whole.utf8)) as? [String: Any])
        let forecast = try #require(known["forecast"] as? [[Double]])
        #expect(objects[count - 1]["forecast"] as? [[Double]] == forecast, "\(count) steps")
        #expect(forecast[0].allSatisfy { $0 > 300 && $0 < 700 }, "\(forecast)")
      }
    }
  }

  @Test func whatIsNoStreamIsOneLine() throws {
    try Places.withTemporaryFolder { folder in
      try trainTags([], in: folder)
      try write("", "empty", in: folder)
      try write("x,y\n1,2\n\n1,2,3\n", "wide", in: folder)
      try write("1,2\n1,two\n", "word", in: folder)
      try write("1,2\n1,\n", "gap", in: folder)
      for (arguments, status, words) in [
        ("--stream < empty", 65, "standard input: has no steps"),
        ("--stream < wide", 65, "standard input:4: has 3 numbers, but the run learned from 2"),
        ("--stream < word", 65, "standard input:2: \"two\" is not a number"),
        ("--stream < gap", 65, "standard input:2: has a missing value"),
        ("--stream d.h5", 64, "leave out FILE"), ("--stream --to p.csv", 64, "leave out --to"),
        ("- < gap", 64, "FILE is -, standard input; add --stream"),
        ("", 64, "Missing expected argument '<file>'"),
        ("d.h5 --roll-out 4", 78, "dataset.task is tagging; --roll-out is for forecast"),
      ] as [(String, Int32, String)] {
        let outcome = try Program.shell("\"$PROGRAM\" predict run \(arguments)", in: folder)
        #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
      }
    }
  }
}
