// SPDX-License-Identifier: Apache-2.0

import Configuration
import DataParallel
import Datasets
import HDF5
import TestSupport
import Testing

@testable import Training

@Suite struct NextFrameTaskTests {
  /// Each part is compared with what repeating a frame costs on that part itself: voices differ.
  @Test func chanceIsOfThePartThatIsMeasured() throws {
    try Places.withTemporaryFolder { folder in
      // Three speakers of two utterances, each with its own period.
      var samples: [Int16] = []
      for utterance in 0..<6 {
        let speaker = utterance / 2
        for i in 0..<2400 {
          samples.append(Int16(i / 300 % (speaker + 2) * 1000 + i % (3 + utterance) * 50))
        }
      }
      let sound = try HDF5.File.create("\(folder)/sound.h5")
      try sound.setAttribute("sample_rate", 8000)
      try sound.write(samples, to: "pcm", shape: [samples.count])
      try sound.write((0...6).map { $0 * 2400 }, to: "offset")
      try sound.write([0, 0, 1, 1, 2, 2], to: "speaker")
      try sound.close()
      let summary = try openSpeechCorpus("\(folder)/sound.h5").write(to: "\(folder)/set.h5")

      let configuration = try TrainingConfiguration(
        yaml: "dataset: {task: next_frame, file: \(folder)/set.h5}\nmodel: {hidden_size: 2}",
        path: "run.yaml")
      let workload = try NextFrameTask(configuration.dataset).workload(
        configuration, plan: ShardPlan(shards: configuration.shards, ranks: 1), rank: 0)
      #expect(workload.stream.chance?.value == summary[.train]?.persistenceError)
      for part in DatasetFile.Part.allCases {
        let evaluation = try workload.evaluation(of: part)
        #expect(evaluation.chance?.value == summary[part]?.persistenceError)
      }
      #expect(Set(summary.values.map(\.persistenceError)).count == 3)
    }
  }
}
