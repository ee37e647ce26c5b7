// SPDX-License-Identifier: Apache-2.0

import HDF5

extension SequenceArchive {
  /// Writes the data set file of the task.
  ///
  ///     /            attributes task, format_version, classes, class_names (a line each),
  ///                  feature_mean and feature_std [C] of the training part; of a regression
  ///                  target_mean and target_std [K]
  ///     /train       inputs [N, T, C] float32, or, of unequal lengths, [F, C] with offsets [N + 1];
  ///                  targets [N] int32, or [N, K] float32 of a regression, or [N, T] or [F] int32 of
  ///                  tagging, or [N, K] int32 of labels; with times, times [N, T] or [F] float64
  ///     /test        likewise
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - normalising: whether inputs are stored as (x - mean) / std for each feature, instead of as
  ///     they are (mean 0, std 1)
  ///   - withTimes: whether to write the time of each step: as the files have it, dates in seconds
  ///     since the first of their sequence; or, without times, the number of the step in its file
  ///   - compressing: makes a smaller file that takes longer to read
  public func write(
    to path: String, normalising: Bool, withTimes: Bool = false, compressing: Bool = false
  ) throws(DatasetError) {
    if withTimes, hasUnknownDates {
      throw DatasetError(
        self.path, "orders its steps by dates that give no seconds",
        cure: "write dates as 2024-05-31 12:00:00, or times as numbers, or leave out --times")
    }
    let deflate = DatasetFile.deflate(compressing)
    let (mean, deviation) = normalising ? statistics : ([0], [1])
    try DatasetFile.create(at: path) { file in
      try file.setAttribute("task", target.rawValue)
      try file.setAttribute("format_version", DatasetFile.formatVersion)
      if target != .values {
        try file.setAttribute("classes", classNames.count)
        try file.setAttribute("class_names", classNames.joined(separator: "\n"))
      }
      if withTimes { try file.setAttribute(DatasetFile.timesAttribute, 1) }
      if normalising {
        try file.write(mean, to: "feature_mean", fletcher32: true)
        try file.write(deviation, to: "feature_std", fletcher32: true)
      }
      for (name, part) in [("train", train), ("test", test)] {
        let rows = part.sequences.joined().enumerated().map { place, value in
          normalising
            ? Float((Double(value) - mean[place % features]) / deviation[place % features]) : value
        }
        if steps.count == 1 {
          try file.write(
            rows, to: "\(name)/inputs", shape: [part.sequences.count, steps.lowerBound, features],
            deflate: deflate, fletcher32: true)
        } else {
          try file.write(
            rows, to: "\(name)/inputs", shape: [rows.count / features, features], deflate: deflate,
            fletcher32: true)
          let offsets = part.sequences.reduce(into: [0]) {
            $0.append($0.last! + $1.count / features)
          }
          try file.write(offsets, to: "\(name)/offsets", fletcher32: true)
        }
        if withTimes { try writeTimes(of: part, name, to: file, deflate: deflate) }
        try writeTargets(of: part, name, to: file)
      }
      if target == .values {
        try file.write(targetStatistics.mean, to: "target_mean", fletcher32: true)
        try file.write(targetStatistics.deviation, to: "target_std", fletcher32: true)
      }
    }
  }

  private func writeTargets(
    of part: Part, _ name: String, to file: HDF5.File
  ) throws(HDF5Error) {
    let name = "\(name)/targets"
    switch target {
    case .classes: try file.write(part.classes, to: name, fletcher32: true)
    case .stepClasses:
      let classes = Array(part.stepClasses.joined())
      try file.write(
        classes, to: name,
        shape: steps.count == 1 ? [part.sequences.count, steps.lowerBound] : [classes.count],
        fletcher32: true)
    case .labels:
      try file.write(
        Array(part.labels.joined()), to: name, shape: [part.labels.count, classNames.count],
        fletcher32: true)
    case .values:
      let K = part.values.count / part.sequences.count
      let (mean, deviation) = targetStatistics
      let values = part.values.enumerated().map { place, value in
        Float((Double(value) - mean[place % K]) / deviation[place % K])
      }
      try file.write(values, to: name, shape: [part.sequences.count, K], fletcher32: true)
    }
  }

  /// The mean and deviation of each number to predict, over the training part.
  private var targetStatistics: (mean: [Double], deviation: [Double]) {
    Self.moments([train.values], of: train.values.count / train.sequences.count)
  }

  private func writeTimes(
    of part: Part, _ name: String, to file: HDF5.File, deflate: Int?
  ) throws(HDF5Error) {
    let times = part.sequences.enumerated().flatMap { index, sequence in
      part.steps(of: index).times(sequence.count / features)
    }
    let shape =
      steps.count == 1 ? [part.sequences.count, steps.lowerBound] : [times.count]
    try file.write(
      times, to: "\(name)/times", shape: shape, deflate: deflate, fletcher32: true)
  }

  /// The mean and deviation of each feature over all steps of the training part. A feature that
  /// never changes has deviation 1.
  var statistics: (mean: [Double], deviation: [Double]) {
    Self.moments(train.sequences, of: features)
  }

  /// The mean and deviation of each of the C numbers of a row. The deviation is 1 for a number that
  /// never changes.
  static func moments(
    _ sequences: [[Float]], of features: Int
  ) -> (mean: [Double], deviation: [Double]) {
    var sum = [Double](repeating: 0, count: features)
    var squares = sum
    let count = Double(sequences.reduce(0) { $0 + $1.count } / features)
    for sequence in sequences {
      for (place, value) in sequence.enumerated() { sum[place % features] += Double(value) }
    }
    let mean = sum.map { $0 / count }
    for sequence in sequences {
      for (place, value) in sequence.enumerated() {
        let distance = Double(value) - mean[place % features]
        squares[place % features] += distance * distance
      }
    }
    let deviation = squares.map { ($0 / count).squareRoot() }
    return (mean, deviation.map { $0 > 0 ? $0 : 1 })
  }
}
