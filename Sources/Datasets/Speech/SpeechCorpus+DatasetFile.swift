// SPDX-License-Identifier: Apache-2.0

import HDF5

/// The utterances that were written of a part of a corpus.
public struct SpeechPartSummary: Sendable {
  /// The number of utterances.
  public let utterances: Int
  /// The number of speakers.
  public let speakers: Int
  /// The number of frames, over all utterances.
  public let frames: Int
  /// The error per element of predicting a frame by the one before.
  public let persistenceError: Double
  /// The error per element of predicting a frame by the utterance's mean.
  public let utteranceMeanError: Double
}

/// An event while a corpus is written.
public enum SpeechProgress {
  /// The number of utterances done, of all utterances.
  case done(Int, of: Int)
  /// An utterance could not be read and is left out.
  case leftOut(DatasetError)
  /// An utterance has fewer than two frames. It has nothing to predict and is left out.
  case tooShort(String)
}

extension SpeechCorpus {
  /// Writes the data set file for next-frame prediction.
  ///
  ///     /            attributes task = "next_frame", format_version, sample_rate, window, hop,
  ///                  bins, feature_mean and feature_std [129] of the training part
  ///     /feature_mean, /feature_std   the same as datasets, float64 [129]
  ///     /train       inputs [F, 129] float32: (feature - mean) / std, all utterances in a row
  ///                  offsets [N + 1] int64: utterance i is inputs[offsets[i] ..< offsets[i + 1]]
  ///                  attributes names, speakers: N lines each; persistence_error,
  ///                  utterance_mean_error: of predicting inputs without a model
  ///     /validation, /test            likewise
  ///
  /// Only one utterance is in memory at a time. Features are written as they are, and normalised in
  /// place when the statistics are known.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - samePerson: pairs of speaker names that belong to one person
  ///   - skippingUnreadable: whether to leave out files that cannot be read, instead of throwing
  ///   - compressing: makes a smaller file that takes longer to read
  ///   - progress: called after each utterance, and for each one that is left out
  public func write(
    to path: String, samePerson: [(String, String)] = [], skippingUnreadable: Bool = false,
    compressing: Bool = false,
    progress: (SpeechProgress) -> Void = { _ in }
  ) throws(DatasetError) -> [DatasetFile.Part: SpeechPartSummary] {
    let parts = try parts(samePerson: samePerson)
    var summaries: [DatasetFile.Part: SpeechPartSummary] = [:]
    // A sound that cannot be used is not a failure of the output disk.
    var unusable: DatasetError?
    do {
      try DatasetFile.create(at: path) { file in
        var writers: [DatasetFile.Part: SpeechPartWriter] = [:]
        var done = 0
        for part in DatasetFile.Part.allCases {
          var writer = try SpeechPartWriter(
            file.createGroup(part.rawValue), compressing: compressing)
          for index in utterances.indices where parts[index] == part {
            do {
              let features = Spectrogram.shared.features(of: try samples(of: index))
              if try !writer.add(utterances[index], features) {
                progress(.tooShort(utterances[index].name))
              }
            } catch let error as DatasetError {
              guard skippingUnreadable else {
                unusable = DatasetError(
                  error.path, error.problem,
                  cure: error.cure + ", or leave such files out with --skip-unreadable")
                throw unusable!
              }
              progress(.leftOut(error))
            }
            done += 1
            progress(.done(done, of: utterances.count))
          }
          guard writer.statistics.predicted > 0 else {
            unusable = DatasetError(
              self.path, "has no usable utterance for the part \(part.rawValue)",
              cure: "an utterance needs 384 samples at 8 kHz; give more recordings")
            throw unusable!
          }
          writers[part] = writer
        }
        let (mean, deviation) = (
          writers[.train]!.statistics.mean, writers[.train]!.statistics.deviation
        )
        try writeHeader(of: file, mean: mean, deviation: deviation)
        summaries = try writers.mapValues { try $0.finish(mean: mean, deviation: deviation) }
      }
    } catch {
      throw unusable ?? error
    }
    return summaries
  }

  private func writeHeader(
    of file: HDF5.File, mean: [Double], deviation: [Double]
  ) throws(HDF5Error) {
    try file.setAttribute("task", NextFrameSource.task)
    try file.setAttribute("format_version", DatasetFile.formatVersion)
    try file.setAttribute("sample_rate", Int(Spectrogram.sampleRate))
    try file.setAttribute("window", Spectrogram.window)
    try file.setAttribute("hop", Spectrogram.hop)
    try file.setAttribute("bins", Spectrogram.bins)
    for (name, values) in [("feature_mean", mean), ("feature_std", deviation)] {
      try file.setAttribute(name, values)
      try file.write(values, to: name, fletcher32: true)
    }
  }
}

extension Spectrogram {
  fileprivate static let shared = Spectrogram()
}
