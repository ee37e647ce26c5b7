// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import RandomNumbers
import Tensors
import TestSupport
import Testing

@testable import Datasets

@Suite struct SpeechDatasetTests {
  /// A folder of noise: three speakers, two utterances each, of different lengths.
  private func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    try Places.withTemporaryFolder { folder in
      var stream = RandomStream(seed: 1, purpose: .testing)
      for (index, name) in ["a/1", "a/2", "b/1", "b/2", "c/1", "c/2"].enumerated() {
        let samples = (0..<1600 + 700 * index).map { _ in Int16(stream.below(20_000) - 10_000) }
        try Sounds.write(Sounds.wav(samples, rate: 8000), to: "\(folder)/in/\(name).wav")
      }
      return try body(folder)
    }
  }

  @Test func theTrainingPartIsNormalised() throws {
    try withFolder { folder in
      let path = "\(folder)/sub/out.h5"
      let summary = try openSpeechCorpus("\(folder)/in").write(to: path)
      let file = try HDF5.File.open(path)
      #expect(try file.stringAttribute("task") == "next_frame")
      #expect(try file.intAttribute("format_version") == 1)
      #expect(try file.intAttribute("bins") == 129)
      let mean = try #require(try file.doublesAttribute("feature_mean"))
      let deviation = try #require(try file.doublesAttribute("feature_std"))
      #expect(try file.readAll("feature_mean", as: Double.self) == mean)
      #expect(try file.readAll("feature_std", as: Double.self) == deviation)
      let rows = try file.readAll("train/inputs", as: Float.self)
      let frames = rows.count / 129
      for bin in [0, 64, 128] {
        let values = (0..<frames).map { Double(rows[$0 * 129 + bin]) }
        #expect(abs(values.reduce(0, +)) / Double(frames) < 1e-5)
        #expect(abs(values.reduce(0) { $0 + $1 * $1 } / Double(frames) - 1) < 1e-5)
      }
      for part in DatasetFile.Part.allCases {
        let group = try file.group(part.rawValue)
        let inputs = try group.readAll("inputs", as: Float.self)
        let offsets = try group.readAll("offsets", as: Int.self)
        let names = try #require(try group.stringAttribute("names")).split(separator: "\n")
        let speakers = try #require(try group.stringAttribute("speakers")).split(separator: "\n")
        #expect(zip(names, speakers).allSatisfy { $0.hasPrefix($1) } && names.count == 2)
        #expect(offsets.count == 3 && offsets.last == inputs.count / 129)
        try expectBaselines(inputs, offsets, #require(summary[part]))
        // Undone, the normalisation gives the features of the file it is named after.
        let sound = try SpeechFolder("\(folder)/in")
        let index = try #require(sound.utterances.firstIndex { $0.name == names[1] })
        let features = Spectrogram().features(of: try sound.samples(of: index))
        let stored = inputs[(offsets[1] * 129)...].enumerated().map { place, value in
          Double(value) * deviation[place % 129] + mean[place % 129]
        }
        expectClose(stored, features.map { Double($0) }, absolute: 1e-5, "feature")
      }
    }
  }

  /// Compares the errors in a summary with those of the rows, by the definition.
  private func expectBaselines(
    _ rows: [Float], _ offsets: [Int], _ summary: SpeechPartSummary
  ) {
    var (persistence, aroundMean, count) = (0.0, 0.0, 0.0)
    for (start, end) in zip(offsets, offsets.dropFirst()) {
      for bin in 0..<129 {
        let values = (start..<end).map { Double(rows[$0 * 129 + bin]) }
        let mean = values.dropFirst().reduce(0, +) / Double(values.count - 1)
        for (before, value) in zip(values, values.dropFirst()) {
          persistence += (value - before) * (value - before)
          aroundMean += (value - mean) * (value - mean)
          count += 1
        }
      }
    }
    expectClose(
      [summary.persistenceError, summary.utteranceMeanError],
      [persistence / count, aroundMean / count], relative: 1e-4, "baseline")
  }

  @Test(arguments: [StoredRows.memoryLimit, 0]) func targetsAreTheNextFrames(
    memoryLimit: Int
  ) throws {
    try withFolder { folder in
      let path = "\(folder)/out.h5"
      let summary = try openSpeechCorpus("\(folder)/in").write(to: path)
      let rows = try HDF5.File.open(path).readAll("train/inputs", as: Float.self)
      let source = try NextFrameSource(path, part: .train, memoryLimit: memoryLimit)
      #expect((source.count, source.features) == (2, 129))
      #expect(source.persistenceError == summary[.train]?.persistenceError)
      let lengths = [source.length(of: 1), source.length(of: 0)]
      #expect(lengths[0] > lengths[1])
      let T = lengths[0] + 2
      let (x, targets) = (Tensor<Float>(shape: [T, 2, 129]), Tensor<Float>(shape: [T, 2, 129]))
      x.fill(.nan)
      targets.fill(.nan)
      try source.read([1, 0], steps: T, into: x, targets: targets)
      for (n, start) in [lengths[1] + 1, 0].enumerated() {
        for t in 0..<T {
          for i in 0..<129 {
            let (place, row) = ((t * 2 + n) * 129 + i, (start + t) * 129 + i)
            #expect(x[place] == (t < lengths[n] ? rows[row] : 0))
            #expect(targets[place] == (t < lengths[n] ? rows[row + 129] : 0))
          }
        }
      }
    }
  }

  @Test func unreadableFilesStopOrAreLeftOut() throws {
    try withFolder { folder in
      let (path, bad) = ("\(folder)/out.h5", "\(folder)/in/a/3.wav")
      try Sounds.write(Sounds.wav([1, 2], rate: 8000), to: "\(folder)/in/a/4.wav")
      try Sounds.write(Data(), to: bad)
      let corpus = try openSpeechCorpus("\(folder)/in")
      let error = #expect(throws: DatasetError.self) { try corpus.write(to: path) }
      #expect(error?.path == bad && error?.isDiskFailure == false)
      #expect(error?.cure.contains("--skip-unreadable") == true)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["in"])
      var leftOut: [String] = []
      let summary = try corpus.write(to: path, skippingUnreadable: true) { progress in
        switch progress {
        case .leftOut(let error): leftOut.append(error.path)
        case .tooShort(let name): leftOut.append(name)
        case .done: break
        }
      }
      #expect(leftOut == [bad, "a/4.wav"])
      #expect(summary.values.reduce(0) { $0 + $1.utterances } == 6)
    }
  }

  @Test func damagedDataSetsAreRefused() throws {
    func problem(_ offsets: [Int], _ rows: [Float], task: String = "next_frame") throws -> String {
      try Places.withTemporaryFolder { folder -> String in
        let file = try HDF5.File.create("\(folder)/set.h5")
        try file.setAttribute("task", task)
        try file.setAttribute("format_version", 1)
        try file.write(rows, to: "train/inputs", shape: [rows.count / 2, 2])
        try file.write(offsets, to: "train/offsets")
        try file.close()
        let error = #expect(throws: DatasetError.self) {
          try NextFrameSource("\(folder)/set.h5", part: .train)
        }
        return try #require(error).description
      }
    }
    let rows = [Float](repeating: 1, count: 10)
    #expect(try problem([0, 2, 6], rows).contains("does not end at 5"))
    #expect(try problem([0, 4, 5], rows).contains("offsets[1] is 4, then 5"))
    #expect(try problem([0, .min, 5], rows).contains("offsets[0] is 0, then"))
    #expect(try problem([0, .max, 5], rows).contains("offsets[1] is"))
    #expect(try problem([0], rows).contains("1 numbers"))
    #expect(try problem([0, 5], rows.dropLast() + [.nan]).contains("train/inputs[4] holds nan"))
    #expect(try problem([0, 5], rows, task: "classification").contains("task classification"))
  }

  @Test(.enabled(if: Places.shared != nil, Comment(rawValue: Places.sharedReason)))
  func anArchiveOfSamplesIsACorpus() throws {
    let path = "\(Places.shared!)/data/speech8k/speech8k_1-8s.h5"
    let corpus = try openSpeechCorpus(path)
    #expect(corpus.utterances.count == 1852)
    #expect(Set(corpus.utterances.map(\.speaker)) == ["0", "1", "2", "3", "4", "5"])
    #expect(try corpus.samples(of: 0).count == 8512)
    let parts = try corpus.parts(samePerson: [("0", "1")])
    let allison = zip(corpus.utterances, parts).filter { ["0", "1"].contains($0.0.speaker) }
    #expect(Set(allison.map(\.1)).count == 1)
  }

  @Test func anArchiveMustHoldTogether() throws {
    func problem(_ offsets: [Int], rate: Int = 8000) throws -> String? {
      try Places.withTemporaryFolder { folder -> String? in
        let file = try HDF5.File.create("\(folder)/pcm.h5")
        try file.setAttribute("sample_rate", rate)
        try file.write([Int16](repeating: 7, count: 9), to: "pcm")
        try file.write(offsets, to: "offset")
        try file.write([0, 1] as [UInt8], to: "speaker")
        try file.close()
        do {
          _ = try openSpeechCorpus("\(folder)/pcm.h5")
          return nil
        } catch {
          return "\(error)"
        }
      }
    }
    #expect(try problem([0, 4, 9]) == nil)
    #expect(try problem([0, 4, 10])?.contains("utterance 1 is samples 4 ..< 10 of 9") == true)
    #expect(try problem([0, 4, 3])?.contains("utterance 1") == true)
    #expect(try problem([-1, 4, 9])?.contains("utterance 0") == true)
    #expect(try problem([0, 9])?.contains("2 offset entries") == true)
    #expect(try problem([0, 4, 9], rate: 0)?.contains("sample_rate of 0") == true)
  }
}
