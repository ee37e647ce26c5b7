// SPDX-License-Identifier: Apache-2.0

import Audio
import Foundation
import TestSupport
import Testing

/// Damaged sound files: refused in one line, or read.
@Suite struct AudioMutationTests {
  static let sounds: [(name: String, data: Data, words: [String])] = [
    (
      "WAV", Sounds.wav((0..<600).map { Int16($0) }, rate: 8000, channels: 2),
      ["RIFF", "fmt ", "data", "LIST"]
    ),
    (
      "SPHERE", Sounds.sphere((0..<600).map { Int16($0) }, rate: 16_000),
      [
        "end_head\n", "sample_count -i -1\n", "sample_count -i 99999999999999999999\n",
        "channel_count -i 0\n", "channel_count -i 65536\n", "sample_n_bytes -i 3\n",
        "sample_coding -s20 pcm,embedded-shorten\n", "sample_rate -r nan\n", "NIST_1A\n   16\n",
      ]
    ),
  ]

  @Test(arguments: 0..<sounds.count) func noSoundFileCrashes(_ index: Int) throws {
    let (name, good, words) = Self.sounds[index]
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/sound.wav"
      let tally = ByteMutator.campaign(name, seed: 11, words: words, good: good) { data in
        try data.write(to: URL(fileURLWithPath: path))
        let sound = try AudioFile(contentsOf: path)
        #expect(!sound.samples.isEmpty && sound.samples.allSatisfy { $0.isFinite })
        #expect(sound.samples.count <= data.count)
        _ = sound.resampled(to: 8000)
      } judge: { error, number in
        #expect(error is AudioError, "\(name) \(number): \(error)")
        #expect(!"\(error)".contains("\n"), "\(name) \(number): \(error)")
      }
      #expect(tally.refused > ByteMutator.count / 20, "\(tally)")
    }
  }
}
