// SPDX-License-Identifier: Apache-2.0

import Datasets
import Foundation
import RandomNumbers
import TestSupport
import Testing

@Suite struct SpeechSpectrogramTests {
  /// |S_k| by the definition.
  private func magnitudes(_ samples: [Float], from start: Int) -> [Double] {
    (0..<129).map { k in
      var (real, imaginary) = (0.0, 0.0)
      for n in 0..<256 {
        let value = (1 - cos(2 * .pi * Double(n) / 256)) / 2 * Double(samples[start + n])
        real += value * cos(2 * .pi * Double(k * n % 256) / 256)
        imaginary -= value * sin(2 * .pi * Double(k * n % 256) / 256)
      }
      return (real * real + imaginary * imaginary).squareRoot()
    }
  }

  @Test func agreesWithTheDefinition() {
    var stream = RandomStream(seed: 3, purpose: .testing)
    let samples = (0..<600).map { _ in Float(stream.uniform(in: -1..<1)) }
    for start in [0, 128, 300] {
      let expected = magnitudes(samples, from: start)
      let computed = Spectrogram().magnitudes(of: samples, from: start)
      expectClose(computed, expected, relative: 1e-9, "magnitude")
    }
    let features = Spectrogram().features(of: samples)
    #expect(features.count == 3 * 129)
    expectClose(
      features[129..<258].map { Double($0) },
      magnitudes(samples, from: 128).map { log($0 + 1e-3) }, absolute: 1e-6, "feature")
  }

  @Test(arguments: [3, 32, 100]) func aSinePeaksInItsBin(bin: Int) {
    let frequency = Double(bin) * 8000 / 256
    let samples = Sounds.sine(frequency, rate: 8000, count: 256).map { Float($0) / 32_768 }
    let magnitudes = Spectrogram().magnitudes(of: samples, from: 0)
    #expect(magnitudes.firstIndex(of: magnitudes.max()!) == bin)
    #expect(abs(magnitudes[bin] - 32) < 0.05)  // amplitude 1/2, times the window's sum, 128, by 2
  }

  @Test func framesAreWhereTheWindowFits() {
    for (samples, frames) in [(0, 0), (255, 0), (256, 1), (383, 1), (384, 2), (8000, 61)] {
      #expect(Spectrogram.frameCount(samples: samples) == frames)
      let features = Spectrogram().features(of: Array(repeating: 0, count: samples))
      #expect(features.count == frames * 129)
      #expect(features.allSatisfy { $0 == Float(log(1e-3)) })
    }
  }
}
