// SPDX-License-Identifier: Apache-2.0

import Files

extension UnlabelledSequences {
  /// Whether a path is read by `init(sounds:)`: a folder.
  public static func areSounds(_ path: String) -> Bool { DurableFiles.isFolder(path) }

  /// Reads a folder of sound files, at any depth, as the spectra that `prepare speech` makes. Each
  /// file is a sequence [F, 129], named by its path from the folder.
  ///
  /// - Throws: `DatasetError` for a file that cannot be read, or that is too short for a frame
  public init(sounds folder: String) throws(DatasetError) {
    let corpus = try SpeechFolder(folder, knowingParts: false)
    let spectrogram = Spectrogram()
    var (values, lengths) = ([Float](), [Int]())
    for (index, utterance) in corpus.utterances.enumerated() {
      let features = spectrogram.features(of: try corpus.samples(of: index))
      guard !features.isEmpty else {
        throw DatasetError(
          "\(folder)/\(utterance.name)", "is too short for a frame",
          cure: "give sounds of \(Spectrogram.window) samples or more at 8 kHz")
      }
      values += features
      lengths.append(features.count / Spectrogram.bins)
    }
    self.init(folder, features: Spectrogram.bins, values: values, lengths: lengths)
    names = corpus.utterances.map(\.name)
  }
}
