// SPDX-License-Identifier: Apache-2.0

import Audio
import Foundation
import TestSupport
import Testing

@Suite struct AudioFileTests {
  /// Reads a file that holds `data`.
  private func read(_ data: Data, name: String = "sound.wav") throws -> AudioFile {
    try Places.withTemporaryFolder { folder in
      try Sounds.write(data, to: "\(folder)/\(name)")
      return try AudioFile(contentsOf: "\(folder)/\(name)")
    }
  }

  /// The message about a file that cannot be used.
  private func problem(_ data: Data) throws -> String {
    let error = #expect(throws: AudioError.self) { try read(data) }
    let text = try #require(error).description
    #expect(!text.contains("\n") && text.contains("sound.wav: ") && text.contains("; "))
    return text
  }

  @Test func wavAndSphereHoldTheSameSamples() throws {
    let samples: [Int16] = [0, 16_384, -32_768, 32_767, 1]
    let expected = samples.map { Float($0) / 32_768 }
    for data in [Sounds.wav(samples, rate: 8000), Sounds.sphere(samples, rate: 8000)] {
      let file = try read(data)
      #expect(file.samples == expected)
      #expect(file.sampleRate == 8000)
    }
  }

  /// The size of a header comes from the file, so it may be any number.
  @Test(arguments: ["-9223372036854775808", "-1", "9223372036854775807", "99999"])
  func aHeaderOfAnySizeIsRefused(size: String) throws {
    let good = String(decoding: Sounds.sphere([1, 2], rate: 8000), as: UTF8.self)
    let bad = good.replacingOccurrences(of: "   1024\n", with: "\(size)\n")
    #expect(try problem(Data(bad.utf8)).contains("declares a header of \(size) bytes"))
  }

  @Test func channelsAreAveraged() throws {
    let file = try read(Sounds.wav([16_384, 0, 8192, 16_384], rate: 44_100, channels: 2))
    #expect(file.samples == [0.25, 0.375])
    #expect(file.sampleRate == 44_100)
  }

  @Test func aStreamOfUnknownLengthIsRead() throws {
    let file = try read(Sounds.wav([1, 2, 3], rate: 8000, declaredBytes: 0xffff_ffff))
    #expect(file.samples.count == 3)
  }

  @Test(arguments: [16_000.0, 44_100, 11_025]) func resamplingKeepsASine(rate: Double) throws {
    let sound = AudioFile(
      samples: Sounds.sine(1000, rate: rate, count: Int(rate)).map { Float($0) / 32_768 },
      sampleRate: rate)
    let result = sound.resampled(to: 8000)
    #expect(result.sampleRate == 8000)
    #expect(abs(result.samples.count - 8000) <= 1)
    // Away from the ends, it is the same sine, in phase.
    for n in 500..<7500 {
      let expected = 0.5 * sin(2 * .pi * 1000 * Double(n) / 8000)
      #expect(abs(Double(result.samples[n]) - expected) < 1e-3)
    }
  }

  @Test func resamplingLeavesOutWhatTheRateCannotHold() {
    let sound = AudioFile(
      samples: Sounds.sine(6000, rate: 16_000, count: 16_000).map { Float($0) / 32_768 },
      sampleRate: 16_000)
    let middle = sound.resampled(to: 8000).samples[500..<7500]
    #expect(middle.allSatisfy { abs($0) < 1e-3 })
  }

  @Test func truncatedFilesAreRefused() throws {
    let samples = Sounds.sine(440, rate: 8000, count: 1000)
    for whole in [Sounds.wav(samples, rate: 8000), Sounds.sphere(samples, rate: 8000)] {
      #expect(try problem(whole.dropLast(100)).contains("is truncated"))
      for count in [1, 7, 12, 30, 43, 44, 500, 1023, 1024] {
        _ = try problem(whole.prefix(count))
      }
    }
  }

  @Test func hostileHeadersAreRefused() throws {
    #expect(try problem(Data()).contains("is empty"))
    #expect(try problem(Sounds.wav([], rate: 8000)).contains("holds no samples"))
    #expect(try problem(Data("some text\n".utf8)).contains("is not a readable sound file"))
    _ = try problem(Sounds.wav([1, 2], rate: 8000, channels: 0))
    _ = try problem(Sounds.wav([1, 2], rate: 0))
    _ = try problem(Sounds.wav([1, 2], rate: 3))
    _ = try problem(Sounds.wav([1, 2], rate: 8000, channels: 30_000))
    _ = try problem(Sounds.wav([1, 2], rate: 8000, declaredBytes: 0xffff_fff0))
    for fields in [
      ["sample_count": "-i 4000000000000000000"], ["sample_count": "-i -1"],
      ["channel_count": "-i 0"], ["sample_rate": "-i 0"], ["sample_n_bytes": "-i 0"],
    ] {
      _ = try problem(Sounds.sphere([1, 2], rate: 8000, fields: fields))
    }
  }

  @Test func shortenedSphereNamesTheCure() throws {
    let data = Sounds.sphere(
      [1, 2], rate: 16_000, fields: ["sample_coding": "-s26 pcm,embedded-shorten-v2.00"])
    #expect(try problem(data).contains("sph2pipe"))
  }

  @Test(arguments: ["shortpack", "wavpack", "WavPack"])
  func otherCompressedSpheresAreNamed(method: String) throws {
    let coding = "pcm,embedded-\(method)-v1.1"
    let data = Sounds.sphere(
      [1, 2], rate: 16_000, fields: ["sample_coding": "-s\(coding.count) \(coding)"])
    let text = try problem(data)
    #expect(text.contains("is a SPHERE file compressed by \(method.lowercased())"), "\(text)")
    #expect(text.contains("w_decode"), "\(text)")
    let old = Sounds.sphere(
      [1, 2], rate: 16_000,
      fields: ["sample_byte_format": "-s\(method.count + 3) \(method)-v0", "sample_count": "-i 99"])
    #expect(try problem(old).contains("compressed by \(method.lowercased())"))
  }

  /// Every single bit is flipped in turn. Each file must be read or refused.
  @Test func noDamageOfAHeaderIsFatal() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/sound.wav"
      for whole in [Sounds.wav([1, 2, 3, 4], rate: 8000), Sounds.sphere([1, 2], rate: 8000)] {
        for index in 0..<min(whole.count, 260) {
          for mask in [0x01, 0x10, 0x80, 0xff] as [UInt8] {
            var data = whole
            data[index] ^= mask
            try data.write(to: URL(fileURLWithPath: path))
            if let file = try? AudioFile(contentsOf: path) { #expect(file.samples.count <= 1100) }
          }
        }
      }
    }
  }

  @Test func foldersAndMissingFiles() throws {
    let folder = FileManager.default.temporaryDirectory.path
    #expect(throws: AudioError.self) { try AudioFile(contentsOf: folder) }
    #expect(throws: AudioError.self) { try AudioFile(contentsOf: "\(folder)/\(UUID()).wav") }
    #expect(throws: AudioError.self) { try AudioFile(contentsOf: "/dev/zero") }
  }
}
