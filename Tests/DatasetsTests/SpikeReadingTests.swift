// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

@testable import Datasets

@Suite struct SpikeReadingTests {
  private func write(_ path: String, _ body: (HDF5.File) throws -> Void) throws {
    let file = try HDF5.File.create(path)
    try body(file)
    try file.close()
  }

  /// Options that keep all trials in one part, of 10 ms bins.
  private var whole: SpikeOptions {
    var options = SpikeOptions()
    (options.validationShare, options.sourceBinSeconds) = (0, 0.01)
    return options
  }

  /// The message about a file that cannot be used.
  private func problem(_ path: String, _ options: SpikeOptions) throws -> String {
    let error = #expect(throws: DatasetError.self) { try SpikeArchive.read(path, options) }
    let text = try #require(error).description
    #expect(!text.contains("\n") && text.hasPrefix(path) && text.contains("; "))
    return text
  }

  @Test func arraysInAnyOrderOfAxes() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      let counts = SpikeFiles.counts([2, 4, 3])
      try write(path) { file in
        try file.write(counts, to: "a/counts", shape: [2, 4, 3])
        try file.write([Float(1)], to: "a/other")
        // [neurons, trials, steps]
        let moved = (0..<24).map { place -> Int32 in
          let (neuron, trial, step) = (place / 8, place / 4 % 2, place % 4)
          return Int32(counts[(trial * 4 + step) * 3 + neuron])
        }
        try file.write(moved, to: "moved", shape: [3, 2, 4])
      }
      var options = whole
      options.dataset = "a/counts"
      let archive = try SpikeArchive.read(path, options)
      let train = try #require(archive.parts[.train])
      #expect((train.trials, train.steps, train.neurons) == (2, 4, 3))
      #expect(train.counts.map { Float($0) } == counts)
      #expect(archive.parts.count == 1 && archive.heldOut == [] && archive.binSeconds == 0.01)
      options.dataset = "moved"
      options.axes = ["neurons", "trials", "steps"]
      #expect(try SpikeArchive.read(path, options).parts[.train] == train)
      // Two of three dimensions: which one is meant?
      options.dataset = nil
      #expect(try problem(path, options).contains("a/counts [2, 4, 3], moved [3, 2, 4]"))
      options.dataset = "none"
      #expect(try problem(path, options).contains("has no array of numbers none"))
      options.dataset = "a/other"
      #expect(try problem(path, options).contains("it must be [neurons, trials, steps]"))
    }
  }

  @Test func matlabFilesHoldTheirFirstIndexFastest() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/x.mat"
      try SpikeFiles.matlab.write(to: URL(fileURLWithPath: path))
      var options = whole
      #expect(try problem(path, options).contains("3 arrays of three dimensions"))
      func counts(_ name: String?) throws -> [UInt16] {
        options.dataset = name
        let train = try #require(try SpikeArchive.read(path, options).parts[.train])
        #expect((train.trials, train.steps, train.neurons) == (2, 4, 3))
        return train.counts
      }
      // Element (trial, step, neuron) is number trial + 2 step + 8 neuron.
      let expected = (0..<24).map { place -> UInt16 in
        let (trial, step, neuron) = (place / 12, place / 3 % 4, place % 3)
        return UInt16(trial + 2 * step + 8 * neuron)
      }
      #expect(try counts("spikes") == expected)
      #expect(try counts("y") == expected.map { $0 % 5 })
      #expect(try counts("session.counts") == expected.map { $0 % 5 })
      try SpikeFiles.bigEndian().write(to: URL(fileURLWithPath: path))
      #expect(try counts(nil) == expected)
      // Version 7.3: HDF5, with the extents in reverse order.
      try FileManager.default.removeItem(atPath: path)
      try write(path) { file in
        try file.write((0..<24).map { Double($0) }, to: "spikes", shape: [3, 4, 2])
          .setAttribute("MATLAB_class", "double")
      }
      #expect(try counts(nil) == expected)
      #expect(try SpikeArchive.read(path, options).kind == "spikes of MATLAB 7.3")
    }
  }

  @Test func lfadsRatesTellTheirUnitAndTheBin() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/lfads.h5"
      let counts = SpikeFiles.counts([2, 4, 3])
      func write(_ scale: Float) throws {
        try self.write(path) { file in
          for part in ["train", "valid"] {
            try file.write(counts, to: "\(part)_data", shape: [2, 4, 3])
            try file.write(
              counts.map { $0 * scale * 1.01 }, to: "\(part)_truth", shape: [2, 4, 3])
          }
        }
      }
      for (scale, bin) in [(Float(100), 0.01), (50, 0.02), (1, nil)] {
        try write(scale)
        var options = SpikeOptions()
        if bin == nil {
          #expect(try problem(path, options).contains("--source-bin-ms"))
          options.sourceBinSeconds = 0.005
        }
        let archive = try SpikeArchive.read(path, options)
        #expect(archive.binSeconds == bin ?? 0.005)
        #expect(archive.notes[0].contains("they expect 101.0 % of the spikes"))
        for part in [DatasetFile.Part.train, .validation] {
          let trials = try #require(archive.parts[part])
          #expect(trials.counts.map { Float($0) } == counts)
          for (rate, count) in zip(trials.rates ?? [], counts) {
            // A rate of 0 becomes a very small one.
            #expect(abs(rate - max(count * 1.01, 1e-9)) <= count * 1e-5)
          }
        }
      }
      try write(7)
      #expect(try problem(path, SpikeOptions()).contains("their unit is unclear"))
      var options = SpikeOptions()
      options.sourceBinSeconds = 0.01
      #expect(try problem(path, options).contains("their unit is unclear"))
      options.rateUnit = .hz
      let rates = try SpikeArchive.read(path, options).parts[.train]?.rates
      #expect(abs(try #require(rates)[23] - counts[23] * 0.0707) < 1e-3)
    }
  }

  @Test func lfadsTorchKeysTellTheHeldOutNeurons() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/torch.h5"
      let (all, seen) = (SpikeFiles.counts([2, 5, 4]), [2, 4, 3])
      let corner = (0..<24).map { place -> Float in
        let (trial, step, neuron) = (place / 12, place / 3 % 4, place % 3)
        return all[(trial * 5 + step) * 4 + neuron]
      }
      func write(_ encoded: [Float]) throws {
        try self.write(path) { file in
          for part in ["train", "valid"] {
            try file.write(encoded, to: "\(part)_encod_data", shape: seen)
            try file.write(all, to: "\(part)_recon_data", shape: [2, 5, 4])
          }
        }
      }
      try write(corner)
      let archive = try SpikeArchive.read(path, whole)
      #expect(archive.heldOut == [3])
      #expect(archive.notes.contains { $0.contains("1 bins after those of train_encod_data") })
      let train = try #require(archive.parts[.train])
      #expect((train.trials, train.steps, train.neurons) == (2, 4, 4))
      #expect(train.counts[16..<20].map { Float($0) } == [100, 101, 102, 103])
      #expect(archive.parts[.validation] == train)
      try write(corner.reversed())
      #expect(try problem(path, whole).contains("does not begin with"))
    }
  }

  @Test func nwbTimesAreCountedInTheirTrials() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/session.nwb"
      try SpikeFiles.writeNWB(path)
      var options = whole
      #expect(try problem(path, options).contains("--bin-ms"))
      options.binSeconds = 0.1
      let archive = try SpikeArchive.read(path, options)
      let train = try #require(archive.parts[.train])
      #expect((train.trials, train.steps, train.neurons) == (2, 3, 3))
      // The second unit is held out, and comes last. 0.5 s lies in no trial, and neither does 1.3.
      #expect(archive.neuronOrder == [0, 2, 1] && archive.heldOut == [1])
      #expect(train.counts == [2, 0, 0, 0, 0, 1, 1, 0, 0] + [1, 2, 0, 0, 0, 0, 0, 0, 0])
      #expect(archive.notes.contains { $0.contains("cut to the shortest") })
      // From the first spike at 0.5 s on: 0.5 ... 1.4 and 1.4 ... 2.3 s.
      options.trialSeconds = 0.9
      let cut = try #require(try SpikeArchive.read(path, options).parts[.train])
      #expect((cut.trials, cut.steps) == (2, 9))
      #expect(cut.spikes == 9)

      let wrong: [([Double], [Int], [Double], [Double], String)] = [
        ([1.0, 2], [2, 1, 2], [0.0], [1.0], "units/spike_times_index[1] is 1.0"),
        ([1.0, 2], [1, 1, 3], [0.0], [1.0], "units/spike_times_index[2] is 3.0"),
        ([1.0, .nan], [1, 1, 2], [0.0], [1.0], "units/spike_times[1] is nan"),
        ([1.0, 2], [1, 1, 2], [0.0], [0.0], "trial 0 is from 0.0 to 0.0 s"),
        ([1.0, 2], [1, 1, 2], [0.0, 1], [1.0], "has 2 start_time and 1 stop_time"),
        ([1.0, 2], [1, 1, 2], [5.0], [6.0], "has no spike in its training part"),
        ([1.0, 2], [1, 1, 2], [0.0], [1e12], "gives 1 trials of"),
        ([1.0, 2], [1, 1, 2], [], [], "has no trials in intervals/trials"),
      ]
      for (times, ends, starts, stops, words) in wrong {
        try SpikeFiles.writeNWB(path, times: times, ends: ends, starts: starts, stops: stops)
        options.trialSeconds = nil
        #expect(try problem(path, options).contains(words))
      }
    }
  }

  @Test func whatIsNoCountIsRefusedWithItsPlace() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      for (number, words) in [
        (Float(-1), "x[trial 1, step 0, neuron 1] is -1.0"), (0.5, "is 0.5"), (.nan, "is nan"),
        (70_000, "is 70000.0"), (.infinity, "is inf"),
      ] {
        try write(path) { file in
          var counts = SpikeFiles.counts([2, 4, 3])
          counts[13] = number
          try file.write(counts, to: "x", shape: [2, 4, 3])
        }
        #expect(try problem(path, whole).contains(words))
      }
      try write(path) { try $0.write([Float](), to: "x", shape: [0, 4, 3]) }
      _ = try problem(path, whole)
      try write(path) { try $0.write([0, 0, 0, 0] as [Int32], to: "x", shape: [2, 2, 1]) }
      #expect(try problem(path, whole).contains("has no spike"))
      for name in ["none.h5", ""] { _ = try problem("\(folder)/\(name)", whole) }
      try Data("x".utf8).write(to: URL(fileURLWithPath: path))
      _ = try problem(path, whole)
    }
  }

  /// A compressed element is read no further than its tag says, and not at all if it cannot be as
  /// large as that.
  @Test func compressedElementsAreAsLargeAsTheySay() throws {
    let declared: [UInt8] = [14, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f, 0]
    #expect {
      try MATFile(parsing: Array(SpikeFiles.expanding(declared, copies: 100_000)), path: "x")
    } throws: { error in
      "\(error)".contains("declares 2147483655 bytes, more than it can hold")
    }
    // No matrix: what it may hold is not decompressed, so its missing end is not found.
    let other: [UInt8] = [9, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f, 0]
    let file = try MATFile(
      parsing: Array(SpikeFiles.expanding(other, copies: 100_000)), path: "x")
    #expect(file.arrays.isEmpty)
  }

  @Test func damagedFilesAreRefusedInOneLine() throws {
    try Places.withTemporaryFolder { folder in
      let nwb = "\(folder)/good.nwb"
      try SpikeFiles.writeNWB(nwb)
      for (name, good) in [
        ("MATLAB 5", SpikeFiles.matlab), ("MATLAB 5, plain", SpikeFiles.bigEndian()),
        ("NWB", try Data(contentsOf: URL(fileURLWithPath: nwb))),
      ] {
        let path = "\(folder)/damaged"
        var options = whole
        options.binSeconds = 0.01
        if name == "MATLAB 5" { options.dataset = "session.counts" }
        let tally = ByteMutator.campaign(name, seed: 12, good: good) { data in
          try data.write(to: URL(fileURLWithPath: path))
          let archive = try SpikeArchive.read(path, options)
          #expect(archive.neurons > 0)
        } judge: { error, number in
          #expect(error is DatasetError, "\(name) \(number): \(error)")
          #expect(!"\(error)".contains("\n"), "\(name) \(number): \(error)")
        }
        #expect(tally.refused > ByteMutator.count / 20, "\(tally)")
      }
    }
  }
}
