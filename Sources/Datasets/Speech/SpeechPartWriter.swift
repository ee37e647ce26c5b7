// SPDX-License-Identifier: Apache-2.0

import HDF5

/// Writes one part of a next-frame data set, an utterance at a time.
struct SpeechPartWriter {
  private(set) var statistics = FrameStatistics(bins: Spectrogram.bins)
  private let group: Group
  private let inputs: Dataset
  private var offsets = [0]
  private var names: [String] = []
  private var speakers: [String] = []

  init(_ group: Group, compressing: Bool) throws(HDF5Error) {
    self.group = group
    inputs = try group.createDataset(
      "inputs", of: Float.self, shape: [0, Spectrogram.bins],
      deflate: DatasetFile.deflate(compressing), fletcher32: true,
      maximumShape: [nil, Spectrogram.bins])
  }

  /// Appends the features [F, 129] of an utterance.
  ///
  /// - Returns: whether it has frames to predict; otherwise it is left out
  mutating func add(_ utterance: Utterance, _ features: [Float]) throws(HDF5Error) -> Bool {
    let frames = features.count / Spectrogram.bins
    guard frames >= 2 else { return false }
    let start = statistics.frames
    statistics.add(features)
    try inputs.extend(to: [statistics.frames, Spectrogram.bins])
    try inputs.write(features.span, at: [start, 0], count: [frames, Spectrogram.bins])
    offsets.append(statistics.frames)
    names.append(utterance.name)
    speakers.append(utterance.speaker)
    return true
  }

  /// Normalises the features that were written, and writes the attributes.
  func finish(
    mean: [Double], deviation: [Double]
  ) throws(HDF5Error) -> SpeechPartSummary {
    let bins = Spectrogram.bins
    let rowsAtOnce = 4096
    for start in stride(from: 0, to: statistics.frames, by: rowsAtOnce) {
      let count = min(rowsAtOnce, statistics.frames - start)
      var rows = try inputs.read(as: Float.self, at: [start, 0], count: [count, bins])
      for row in 0..<count {
        for bin in 0..<bins {
          let place = row * bins + bin
          rows[place] = Float((Double(rows[place]) - mean[bin]) / deviation[bin])
        }
      }
      try inputs.write(rows.span, at: [start, 0], count: [count, bins])
    }
    try group.write(offsets, to: "offsets", fletcher32: true)
    // As one string each, because a list would have to fit into the 64 KiB of an object's header.
    try group.setAttribute("names", names.joined(separator: "\n"))
    try group.setAttribute("speakers", speakers.joined(separator: "\n"))
    let summary = SpeechPartSummary(
      utterances: names.count, speakers: Set(speakers.map { ExactText($0) }).count,
      frames: statistics.frames,
      persistenceError: statistics.persistenceError(deviation: deviation),
      utteranceMeanError: statistics.utteranceMeanError(deviation: deviation))
    try group.setAttribute("persistence_error", summary.persistenceError)
    try group.setAttribute("utterance_mean_error", summary.utteranceMeanError)
    return summary
  }
}
