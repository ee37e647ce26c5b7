// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// Predictions of a folder of sounds.
@Suite(.serialized) struct PredictSoundsTests {
  /// A folder of sounds is predicted as the file that `prepare` made of the same sounds.
  @Test func soundsArePredictedAsTheirFeatures() throws {
    try Places.withTemporaryFolder { folder in
      for speaker in 0..<10 {
        for part in 0..<2 {
          let sound = Sounds.sine(
            300 + 90 * Double(speaker), rate: 8000, count: 700 + 200 * part + 60 * speaker)
          try Sounds.write(
            Sounds.wav(sound, rate: 8000), to: "\(folder)/all/s\(speaker)/\(part).wav")
        }
      }
      _ = try Program.succeed(["prepare", "speech", "--from", "all", "--to", "s.h5"], in: folder)
      _ = try Program.succeed(
        ["train", "--output", "run"]
          + [
            "dataset.task=next_frame", "dataset.file=s.h5", "model.hidden_size=4", "epochs=1",
            "batch_size=4", "shards=4",
          ].flatMap { ["--set", $0] }, in: folder)
      let stored = try HDF5.File.open("\(folder)/s.h5").group("test").stringAttribute("names")
      let names = stored?.split(separator: "\n").map(String.init) ?? []
      #expect(!names.isEmpty)
      for name in names {
        let sound = try #require(FileManager.default.contents(atPath: "\(folder)/all/\(name)"))
        try Sounds.write(sound, to: "\(folder)/new/\(name)")
      }
      for (file, to) in [("s.h5", "p.h5"), ("new", "n.h5")] {
        _ = try Program.succeed(["predict", "run", file, "--to", to], ranks: 2, in: folder)
      }
      let (known, own) = (
        try HDF5.File.open("\(folder)/p.h5"), try HDF5.File.open("\(folder)/n.h5")
      )
      // Predictions for the file have its normalised unit, those for sounds the unit of the
      // spectra.
      let file = try HDF5.File.open("\(folder)/s.h5")
      let mean = try file.readAll("feature_mean", as: Double.self)
      let deviation = try file.readAll("feature_std", as: Double.self)
      let lengths = try known.readAll("lengths", as: Int.self)
      let longest = try #require(lengths.max())
      let expected = try known.readAll("predictions", as: Float.self).enumerated().map {
        (place, value) -> Float in
        guard place / 129 % longest < lengths[place / 129 / longest] else { return value }
        return Float(Double(value) * deviation[place % 129] + mean[place % 129])
      }
      #expect(Set(lengths).count > 1 && Set(expected).count > 100)
      #expect(try own.readAll("predictions", as: Float.self) == expected)
      #expect(try own.readAll("lengths", as: Int.self) == known.readAll("lengths", as: Int.self))
      #expect(try own.stringsAttribute("sequence_names") == names)
      try Sounds.write(
        Sounds.wav(Sounds.sine(300, rate: 8000, count: 200), rate: 8000),
        to: "\(folder)/short/a.wav")
      _ = try Program.succeed(
        ["train", "--output", "adding", "--set", "dataset.steps=4", "--set", "epochs=1"]
          + ["--set", "dataset.train_count=64", "--set", "model.hidden_size=4"], in: folder)
      for (arguments, words) in [
        (["run", "short"], "short/a.wav: is too short for a frame"),
        (["adding", "new"], "does not say that its inputs are made of sounds"),
        (["run", "run"], "run: holds no sound file"),
      ] {
        let outcome = try Program.run(["predict"] + arguments, in: folder)
        #expect(outcome.status == 65, "\(arguments): \(outcome.errors)")
        #expect(outcome.message.contains(words), "\(arguments): \(outcome.errors)")
      }
    }
  }
}
