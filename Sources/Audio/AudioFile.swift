// SPDX-License-Identifier: Apache-2.0

internal import CSndFile
import Foundation

/// The sound of a file: WAV, NIST SPHERE, FLAC and other formats of libsndfile.
public struct AudioFile: Sendable {
  /// The samples, with 1 as full scale; several channels are averaged.
  public let samples: [Float]
  /// Samples per second.
  public let sampleRate: Double

  /// The supported sample rates.
  public static let sampleRates = 1000.0...192_000

  /// The longest file that is read, in seconds.
  public static let maximumSeconds = 3600.0
  /// The longest file that is read, in samples.
  public static let maximumSamples = 1 << 26

  /// Sound that is not in a file.
  public init(samples: [Float], sampleRate: Double) {
    precondition(Self.sampleRates.contains(sampleRate), "a sample rate of \(sampleRate) Hz")
    self.samples = samples
    self.sampleRate = sampleRate
  }

  /// Reads a file.
  ///
  /// The corresponding C functions are `sf_open` and `sf_readf_float`.
  public init(contentsOf path: String) throws(AudioError) {
    try checkHeader(of: path)
    var info = SF_INFO()
    guard let file = sf_open(path, CInt(SFM_READ), &info) else {
      throw AudioError(
        path, "is not a readable sound file (\(oneLine(sf_strerror(nil))))",
        cure: "give WAV, FLAC or NIST SPHERE with PCM samples")
    }
    defer { sf_close(file) }
    let rate = Double(info.samplerate)
    guard info.channels > 0, Self.sampleRates.contains(rate) else {
      throw AudioError(
        path, "declares \(info.channels) channel(s) at \(info.samplerate) Hz",
        cure: "its header is damaged, or convert it to 8000 or 16000 Hz")
    }
    samples = try Self.read(file, path, channels: Int(info.channels), rate: rate)
    sampleRate = rate
    let declared = Int(info.frames)  // the largest number if the header does not have it
    guard declared == Int.max || samples.count >= declared else {
      throw AudioError(
        path, "is truncated: it declares \(declared) samples and holds \(samples.count)",
        cure: "copy it again")
    }
  }

  /// Reads to the end, regardless of the header's length: memory grows with the actual data.
  private static func read(
    _ file: OpaquePointer, _ path: String, channels: Int, rate: Double
  ) throws(AudioError) -> [Float] {
    let limit = min(maximumSamples, Int(maximumSeconds * rate))
    let blockFrames = 4096
    var block = [Float](repeating: 0, count: blockFrames * channels)
    var samples: [Float] = []
    while true {
      let frames = Int(sf_readf_float(file, &block, sf_count_t(blockFrames)))
      guard sf_error(file) == 0 else {
        throw AudioError(
          path, "is damaged after \(samples.count) samples (\(oneLine(sf_strerror(file))))",
          cure: "copy it again")
      }
      guard frames > 0 else { break }
      guard samples.count + frames <= limit else {
        throw AudioError(
          path, "is longer than \(limit) samples", cure: "cut it into utterances of a few seconds")
      }
      for frame in 0..<frames {
        var sum: Float = 0
        for channel in 0..<channels { sum += block[frame * channels + channel] }
        samples.append(sum / Float(channels))
      }
    }
    guard !samples.isEmpty else {
      throw AudioError(path, "holds no samples", cure: "remove it, or copy it again")
    }
    // Floating-point samples can have any value.
    guard samples.allSatisfy({ abs($0) <= 65_536 }) else {
      throw AudioError(
        path, "holds samples that are not numbers, or beyond 65536",
        cure: "write it again with samples from -1 to 1")
    }
    return samples
  }
}

/// A message of libsndfile without line breaks.
private func oneLine(_ text: UnsafePointer<CChar>?) -> String {
  (text.map { String(cString: $0) } ?? "").split(whereSeparator: \.isNewline)
    .joined(separator: " ").trimmingCharacters(in: CharacterSet(charactersIn: " ."))
}
