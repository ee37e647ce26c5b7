// SPDX-License-Identifier: Apache-2.0

import HDF5

extension DatasetSummary {
  /// Whether a file is a data set that `prepare` made, or the vocabulary of a run.
  public static func describes(_ path: String) throws(DatasetError) -> Bool {
    do {
      let file = try HDF5.File.open(path)
      let names = DatasetFile.Part.allCases.flatMap { part in
        DatasetFile.partNames.map { "\(part.rawValue)/\($0)" }
      }
      return try DatasetFile.isOurs(
        file, byNames: file.contains("vocabulary/text") || names.contains(where: file.contains))
    } catch {
      throw DatasetError(path, error, cure: "check the path; the file may be damaged")
    }
  }

  /// The earliest and the latest time of a dataset of times; nil if none is finite.
  static func range(ofTimes dataset: Dataset) throws(HDF5Error) -> ClosedRange<Double>? {
    guard dataset.elementType.isNumber, dataset.count > 0 else { return nil }
    try dataset.requireStored()
    let rows = max(1, (1 << 20) / (dataset.count / dataset.shape[0]))
    var range: ClosedRange<Double>?
    for start in stride(from: 0, to: dataset.shape[0], by: rows) {
      let here = start..<min(start + rows, dataset.shape[0])
      for time in try dataset.read(rows: here, as: Double.self) where time.isFinite {
        range = min(range?.lowerBound ?? time, time)...max(range?.upperBound ?? time, time)
      }
    }
    return range
  }

  /// Refuses a file if a part lacks something that training needs. It opens each part as training
  /// does.
  static func requireTrainable(_ path: String, _ file: HDF5.File, task: String) throws {
    let parts = DatasetFile.Part.allCases.filter { file.contains($0.rawValue) }
    if parts.isEmpty, file.contains("vocabulary/text") {
      _ = try Vocabulary(file, path: path)
      return
    }
    guard !parts.isEmpty else {
      throw DatasetError(
        path, "has none of the groups train, validation and test", cure: DatasetFile.prepareIt)
    }
    var place = DatasetPlace(path)
    place.memoryLimit = 0
    for part in parts {
      switch task {
      case "language_model":
        _ = try TextFile(place).columns(of: part, count: 1, own: 0..<1)
      case NextFrameSource.task:
        _ = try NextFrameSource(place, part: part)
      case ForecastSource.task:
        _ = try ForecastSource(place, part: part, ForecastWindows())
      case SpikeSource.task:
        (place.inputs, place.targets) = (SpikeSource.ownSpikes, SpikeSource.ownRates)
        _ = try SpikeSource(place, part: part).statistics()
      case "classification", "unknown":
        if file.contains("\(part.rawValue)/offsets") {
          try SequenceFileSource(place, task: task, part: part).checkTimes()
        } else {
          try FileSource(place, part: part, view: .rows).checkTimes()
        }
      default:
        try SequenceFileSource(place, task: task, part: part).checkTimes()
      }
    }
  }
}
