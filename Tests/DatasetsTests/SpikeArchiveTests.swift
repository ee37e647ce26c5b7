// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

@testable import Datasets

@Suite struct SpikeArchiveTests {
  /// Trials whose counts tell where they came from.
  private func archive(_ shape: [Int], bin: Double? = 0.01) -> SpikeArchive {
    var archive = SpikeArchive(
      "x", kind: "test",
      parts: [
        .train: SpikeTrials(
          trials: shape[0], steps: shape[1], neurons: shape[2],
          counts: SpikeFiles.counts(shape).map { UInt16($0) },
          rates: SpikeFiles.counts(shape).map { $0 + 0.5 })
      ])
    archive.binSeconds = bin
    return archive
  }

  @Test func binsAreSummedAndTrialsCut() throws {
    var archive = archive([2, 5, 3])
    var options = SpikeOptions()
    options.binSeconds = 0.02
    try archive.rebin(options)
    var train = try #require(archive.parts[.train])
    // Steps 0 and 1, 2 and 3; step 4 is left over.
    #expect((train.trials, train.steps, archive.binSeconds) == (2, 2, 0.02))
    #expect(train.counts == [10, 12, 14, 50, 52, 54, 210, 212, 214, 250, 252, 254])
    #expect(train.rates == train.counts.map { Float($0) + 1 })
    options.trialSeconds = 0.02
    try archive.rebin(options)
    train = try #require(archive.parts[.train])
    #expect((train.trials, train.steps) == (4, 1))
    #expect(train.counts == [10, 12, 14, 50, 52, 54, 210, 212, 214, 250, 252, 254])
    for (bin, seconds) in [(0.03, nil), (0.01, nil), (0.04, nil), (0.02, 0.5), (0.02, 0.001)] {
      (options.binSeconds, options.trialSeconds) = (bin, seconds)
      var copy = archive
      #expect(throws: DatasetError.self) { try copy.rebin(options) }
    }
    var unknown = self.archive([2, 5, 3], bin: nil)
    #expect(throws: DatasetError.self) { try unknown.rebin(options) }
  }

  @Test func sumsBeyond16BitsAreRefused() throws {
    let trials = SpikeTrials(trials: 1, steps: 2, neurons: 1, counts: [65_535, 1])
    #expect(trials.summed(2) == nil)
  }

  @Test func partsAreDrawnByTheSeed() throws {
    func parts(_ seed: UInt64) throws -> [DatasetFile.Part: [UInt16]] {
      var archive = archive([20, 2, 1])
      var options = SpikeOptions()
      (options.validationShare, options.testShare, options.seed) = (0.2, 0.1, seed)
      try archive.split(options)
      return archive.parts.mapValues { trials in
        // The rates go with their counts.
        #expect(trials.rates == trials.counts.map { Float($0) + 0.5 })
        return stride(from: 0, to: trials.counts.count, by: 2).map { trials.counts[$0] / 100 }
      }
    }
    let drawn = try parts(1)
    #expect(drawn.mapValues(\.count) == [.train: 14, .validation: 4, .test: 2])
    #expect(drawn.values.joined().sorted() == Array(0..<20))
    #expect(drawn[.train] == drawn[.train]?.sorted())
    #expect(try parts(1) == drawn)
    #expect(try parts(2) != drawn)
    var few = archive([1, 2, 1])
    #expect(throws: DatasetError.self) { try few.split(SpikeOptions()) }
  }

  @Test func heldOutNeuronsComeLast() throws {
    var options = SpikeOptions()
    options.heldOut = .list([1, 0, 1])
    var archive = archive([1, 2, 4])
    try archive.holdOut(options)
    #expect(archive.heldOut == [0, 1] && archive.neuronOrder == [2, 3, 0, 1])
    #expect(archive.parts[.train]?.counts == [2, 3, 0, 1, 12, 13, 10, 11])
    #expect(archive.parts[.train]?.rates?.prefix(4) == [2.5, 3.5, 0.5, 1.5])
    #expect(archive.silent == [])
    options.heldOut = .count(2)
    archive = self.archive([1, 2, 40])
    try archive.holdOut(options)
    let drawn = archive.heldOut
    #expect(drawn.count == 2 && Array(archive.neuronOrder.suffix(2)) == drawn)
    options.seed = 2
    archive = self.archive([1, 2, 40])
    try archive.holdOut(options)
    #expect(archive.heldOut != drawn)
    for wrong in [SpikeOptions.HeldOut.count(40), .count(99), .list([40]), .list([-1])] {
      options.heldOut = wrong
      archive = self.archive([1, 2, 40])
      #expect(throws: DatasetError.self) { try archive.holdOut(options) }
    }
  }

  @Test func silentNeuronsHaveTheNumbersOfTheFile() throws {
    var archive = SpikeArchive(
      "x", kind: "test",
      parts: [.train: SpikeTrials(trials: 1, steps: 2, neurons: 3, counts: [0, 1, 0, 0, 1, 0])])
    var options = SpikeOptions()
    options.heldOut = .list([0])
    try archive.holdOut(options)
    #expect(archive.silent == [0, 2])
  }

  @Test func theFileHoldsCountsAndRates() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/spikes.h5"
      for (largest, type) in [(UInt16(255), ElementType.uint8), (256, .uint16)] {
        var archive = archive([2, 2, 3])
        archive.parts[.train]!.counts[5] = largest
        archive.parts[.validation] = archive.parts[.train]
        archive.parts[.validation]!.rates = nil
        var options = SpikeOptions()
        options.heldOut = .list([0])
        try archive.holdOut(options)
        try archive.write(to: path, compressing: largest == 256)
        let file = try HDF5.File.open(path)
        #expect(try file.stringAttribute("task") == "masked_spikes")
        #expect(try file.intAttribute("format_version") == 1)
        #expect(try file.doubleAttribute("bin_seconds") == 0.01)
        #expect(try file.intAttribute("held_out") == 1)
        #expect(try file.intsAttribute("neuron_order") == [1, 2, 0])
        for part in ["train", "validation"] {
          let spikes = try file.dataset("\(part)/spikes")
          #expect(spikes.shape == [2, 2, 3] && spikes.elementType == type)
          #expect(try spikes.read(as: UInt16.self) == archive.parts[.train]?.counts)
        }
        #expect(
          try file.readAll("train/rates", as: Float.self) == archive.parts[.train]?.rates)
        #expect(!file.contains("validation/rates") && !file.contains("test"))
        #expect(file.contains("train/spikes_crc32") == (type == .uint8))
        #expect(file.contains("train/rates_crc32"))
        let parts = try DatasetSummary(path, readingAll: false).parts
        #expect(parts.count == 3 && parts["validation/spikes"] == [2, 2, 3])
      }
      // A file that `prepare` made cannot be the input of `prepare`.
      let error = #expect(throws: DatasetError.self) {
        try SpikeArchive.read(path, SpikeOptions())
      }
      #expect(try #require(error).description.contains("is a momentum-dist data set already"))
    }
  }

  @Test func bitsPerSpikeAreThoseOfTheFormula() throws {
    // One neuron: counts 0, 2 at rates 0.5, 1.5; the mean is 1.
    let trials = SpikeTrials(
      trials: 1, steps: 2, neurons: 1, counts: [0, 2], rates: [0.5, 1.5])
    let expected = (2 * log(1.5) - (0.5 - 1) - (1.5 - 1)) / log(2) / 2
    #expect(abs(try #require(trials.bitsPerSpikeOfRates) - expected) < 1e-12)
    let none = SpikeTrials(trials: 1, steps: 2, neurons: 1, counts: [0, 2])
    #expect(none.bitsPerSpikeOfRates == nil)
  }

  /// The numbers are those of the provenance of the file.
  @Test(.enabled(if: Places.shared != nil, Comment(rawValue: Places.sharedReason)))
  func theLorenzFileOfLFADS() throws {
    let path = try #require(Places.shared) + "/data/lorenz/lfads_lorenz.h5"
    let archive = try SpikeArchive.read(path, SpikeOptions())
    #expect(archive.binSeconds == 0.01 && archive.neurons == 60 && archive.kind.contains("LFADS"))
    #expect(archive.parts.mapValues(\.trials) == [.train: 640, .validation: 160])
    let bits = try #require(archive.parts[.validation]?.bitsPerSpikeOfRates)
    #expect(abs(bits - 0.958) < 0.0005)
  }
}
