// SPDX-License-Identifier: Apache-2.0

import Audio
import HDF5

/// An HDF5 file with the samples of all utterances, one after the other.
///
///     /            attribute sample_rate
///     /pcm         int16 [S]
///     /offset      [N + 1]: utterance i is pcm[offset[i] ..< offset[i + 1]]
///     /speaker     [N]: the number of each utterance's speaker, which is also its name here
public struct SpeechArchive: SpeechCorpus {
  public let path: String
  public let utterances: [Utterance]
  private let pcm: Dataset
  private let offsets: [Int]
  private let sampleRate: Double

  private static let layout =
    "it needs pcm [S], offset [N + 1], speaker [N] and the attribute sample_rate"

  /// Opens an HDF5 file with `pcm`, `offset` and `speaker`, and checks their shapes.
  public init(_ path: String) throws(DatasetError) {
    self.path = path
    do {
      let file = try HDF5.File.open(path)
      for name in ["pcm", "offset", "speaker"] where !file.contains(name) {
        throw DatasetError(
          path, "has no dataset \(name)", cure: "\(Self.layout), or name a folder of sound files")
      }
      pcm = try file.dataset("pcm")
      guard pcm.shape.count == 1, pcm.elementType == .int16 else {
        throw DatasetError(
          path, "pcm is \(pcm.elementType.rawValue) \(pcm.shape)", cure: "it must be int16 [S]")
      }
      for name in ["pcm", "offset", "speaker"] { try file.dataset(name).requireStored() }
      let offsets = try file.readAll("offset", as: Int.self, maximumElements: 1 << 24)
      let speakers = try file.readAll("speaker", as: Int.self, maximumElements: 1 << 24)
      guard !speakers.isEmpty, offsets.count == speakers.count + 1 else {
        throw DatasetError(
          path, "has \(speakers.count) speaker and \(offsets.count) offset entries",
          cure: Self.layout)
      }
      sampleRate = try file.doubleAttribute("sample_rate") ?? 0
      guard AudioFile.sampleRates.contains(sampleRate) else {
        throw DatasetError(
          path, "has a sample_rate of \(sampleRate)",
          cure: "set the attribute to the samples per second, 1000 to 192000")
      }
      for (index, (start, end)) in zip(offsets, offsets.dropFirst()).enumerated()
      where start < 0 || end < start || end > pcm.shape[0]
        || end - start > AudioFile.maximumSamples
      {
        throw DatasetError(
          path, "utterance \(index) is samples \(start) ..< \(end) of \(pcm.shape[0])",
          cure: "fix `offset`, which must grow and end within pcm")
      }
      self.offsets = offsets
      utterances = speakers.indices.map { index in
        Utterance(name: "\(index)", speaker: "\(speakers[index])")
      }
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, error, cure: "name a folder of sound files, or an HDF5 file")
    }
  }

  public func samples(of index: Int) throws(DatasetError) -> [Float] {
    let count = offsets[index + 1] - offsets[index]
    guard count > 0 else { return [] }
    do {
      let values = try pcm.read(as: Int16.self, at: [offsets[index]], count: [count])
      return AudioFile(samples: values.map { Float($0) / 32_768 }, sampleRate: sampleRate)
        .resampled(to: Spectrogram.sampleRate).samples
    } catch {
      throw DatasetError(path, error, cure: "the file is damaged: copy it again")
    }
  }
}
