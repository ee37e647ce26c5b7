// SPDX-License-Identifier: Apache-2.0

import HDF5

/// Series to forecast, cut into parts by time: the first steps are for training, the last for
/// testing.
public struct SeriesArchive: Sendable {
  /// The series, each with its steps in order.
  public let series: UnlabelledSequences
  /// The share of validation steps, before the test steps of each series.
  public var validationShare = 0.15
  /// The share of test steps at the end of each series.
  public var testShare = 0.15

  /// Reads a table with a time step on each line, of one series or of several, which `format.id`
  /// distinguishes.
  public init(_ path: String, _ format: CSVFormat) throws(DatasetError) {
    var reading = UnlabelledFormat()
    reading.table = format
    (reading.table.isOneSequence, reading.table.isUnlabelled) = (format.id == nil, true)
    series =
      path.hasSuffix(".npy") || path.hasSuffix(".npz")
      ? try UnlabelledSequences(path, reading) : try UnlabelledSequences(series: path, reading)
    for (index, length) in series.lengths.enumerated() where length < 8 {
      throw DatasetError(
        path, "has the series \(series.names?[index] ?? "\(index)") of \(length) steps",
        cure: "give series of 8 steps or more")
    }
  }

  /// The starts of the validation and the test part of a series of T steps.
  private func begins(_ T: Int) -> (validation: Int, test: Int) {
    let test = T - max(Int((testShare * Double(T)).rounded()), 1)
    return (test - max(Int((validationShare * Double(T)).rounded()), 1), test)
  }

  /// Writes the data set file.
  ///
  ///     /            attributes task = "forecast", format_version, value_names (a line each, if
  ///                  known); feature_mean and feature_std [C] of the training part
  ///     /train       inputs [F, C] float32, offsets [S + 1], targets [S] int32, see
  ///                  `ForecastSource`; /validation and /test likewise
  public func write(to path: String, compressing: Bool = false) throws(DatasetError) {
    let C = series.features
    var start = 0
    let whole = series.lengths.map { length -> [Float] in
      defer { start += length * C }
      return Array(series.values[start..<start + length * C])
    }
    let begins = series.lengths.map(begins)
    let training = zip(whole, begins).map { Array($0[..<($1.validation * C)]) }
    let (mean, deviation) = SequenceArchive.moments(training, of: C)
    try DatasetFile.create(at: path) { file in
      try file.setAttribute("task", ForecastSource.task)
      try file.setAttribute("format_version", DatasetFile.formatVersion)
      if let names = Self.names(series) {
        try file.setAttribute(Self.valueNames, names.joined(separator: "\n"))
      }
      try file.write(mean, to: "feature_mean", fletcher32: true)
      try file.write(deviation, to: "feature_std", fletcher32: true)
      for part in DatasetFile.Part.allCases {
        let name = part.rawValue
        var (rows, offsets, starts) = ([Float](), [0], [Int32]())
        for (values, begin) in zip(whole, begins) {
          let T = values.count / C
          let end =
            switch part {
            case .train: begin.validation
            case .validation: begin.test
            case .test: T
            }
          for (place, value) in values[..<(end * C)].enumerated() {
            rows.append(Float((Double(value) - mean[place % C]) / deviation[place % C]))
          }
          offsets.append(offsets.last! + end)
          starts.append(
            part == .train ? 0 : Int32(part == .validation ? begin.validation : begin.test))
        }
        try file.write(
          rows, to: "\(name)/inputs", shape: [rows.count / C, C],
          deflate: DatasetFile.deflate(compressing), fletcher32: true)
        try file.write(offsets, to: "\(name)/offsets", fletcher32: true)
        try file.write(starts, to: "\(name)/targets", fletcher32: true)
      }
    }
  }

  /// The attribute of the names of the values of a step.
  static let valueNames = "value_names"

  /// The names of the values, if there is one on a line for each.
  private static func names(_ series: UnlabelledSequences) -> [String]? {
    guard let names = series.valueNames, names.count == series.features,
      names.allSatisfy({ !$0.isEmpty && !$0.contains(where: \.isNewline) && !$0.utf8.contains(0) })
    else { return nil }
    return names
  }

  /// A summary, in lines for the user.
  public var lines: [String] {
    let (C, T) = (series.features, series.lengths.reduce(0, +))
    let names = Self.names(series)
    let ranges = (0..<C).prefix(4).map { c in
      "  \(names?[c] ?? "value \(c)"): "
        + ArchiveSummary.range(
          Swift.stride(from: c, to: series.values.count, by: C).lazy.map { series.values[$0] })
    }
    let parts = series.lengths.prefix(3).enumerated().map { index, length in
      let begin = begins(length)
      return
        "  \(series.names?[index] ?? "series \(index)"): \(begin.validation) steps to train on,"
        + " \(begin.test - begin.validation) to validate on, \(length - begin.test) to test on"
    }
    let count = series.lengths.count
    return [
      "\(count == 1 ? "one series" : "\(count) series") of \(T) steps, C=\(C), split by time:"
    ]
      + parts + (count > 3 ? ["  ..."] : []) + ranges
  }
}

extension DatasetPlace {
  /// The names of the values of a step of the series; nil if the file has none.
  public func valueNames(count: Int) throws(DatasetError) -> [String]? {
    guard let path = try paths().first else { return nil }
    do {
      let names = try HDF5.File.open(path).stringAttribute(SeriesArchive.valueNames)?
        .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      return names?.count == count ? names : nil
    } catch {
      throw DatasetError(path, error, cure: "check the path, or " + DatasetFile.prepareIt)
    }
  }
}
