// SPDX-License-Identifier: Apache-2.0

import HDF5
import Tensors

/// How series are cut into windows.
public struct ForecastWindows: Sendable, Equatable {
  /// T, the steps that a forecast reads.
  public var window = 32
  /// H, the steps that are forecast.
  public var horizon = 1
  /// Steps from one window to the next.
  public var stride = 1
  /// S, the steps of a season, which a baseline repeats; 0 means none.
  public var season = 0

  public init() {}
}

/// Windows of series with the steps that follow: a part of the file that `prepare series` made.
///
///     inputs [F, C], offsets [S + 1]   each series from its start to the end of the part
///     targets [S]                      the step of each series that the part begins with
///
/// A window of T steps may begin before the part, and the H steps after it belong to the part. So
/// no measured step was trained on, and none lacks its past. The target of a window is the H·C
/// numbers of those steps. Only a short series has a shorter window.
public final class ForecastSource: SequenceSource {
  /// The attribute `task` of a file that `prepare series` made.
  public static let task = "forecast"

  public let count: Int
  public let steps: Int
  public let features: Int
  public let targetKind: TargetKind
  public let notes: [String]

  private let rows: StoredRows
  private let begins: [Int32]
  /// The rows of the inputs of each window.
  private let windows: [Range<Int>]
  private let horizon: Int
  /// The rows of the series that the first window is of, and the one that the part begins with.
  private let firstSeries: (end: Int, begin: Int)
  private var buffer: [Float] = []

  /// Opens one part of a file.
  public init(
    _ place: DatasetPlace, part: DatasetFile.Part, _ settings: ForecastWindows
  ) throws(DatasetError) {
    let files = try place.open(task: Self.task)
    let names = try place.names(of: part, in: files)
    guard files.areOurs, files.count == 1, files[0].file.contains(names.offsets) else {
      throw DatasetError(
        place.files, "is not one file of series",
        cure: "make it with `momentum-dist prepare series`")
    }
    rows = try StoredRows(files, names.inputs, memoryLimit: place.memoryLimit)
    guard rows.shape.count == 2, rows.shape[1] > 0 else {
      throw DatasetError(place.files, "\(names.inputs) is \(rows.shape)", cure: "prepare it again")
    }
    features = rows.shape[1]
    let offsets = try SequenceOffsets(
      files, names.offsets, rows: rows.rowsOfFiles, shortest: 1)
    do {
      try DatasetChecksums.check(names.targets, in: files[0].file, files[0].path)
      begins = try files[0].file.readAll(names.targets, as: Int32.self)
    } catch {
      throw DatasetError(place.files, error, cure: "prepare it again")
    }
    guard begins.count == offsets.count, begins.allSatisfy({ $0 >= 0 }) else {
      throw DatasetError(
        place.files, "\(names.targets) has \(begins.count) numbers for \(offsets.count) series",
        cure: "prepare it again")
    }
    let (T, H) = (settings.window, settings.horizon)
    var windows: [Range<Int>] = []
    var first: (end: Int, begin: Int)?
    for series in 0..<offsets.count {
      let own = offsets[series]
      let begin = Int(begins[series])
      // The first steps of a series have no past or a short one.
      let earliest = min(T, max(own.count - H, 1))
      for end in Swift.stride(
        from: max(begin, earliest), through: own.count - H, by: settings.stride)
      {
        windows.append(own.lowerBound + max(0, end - T)..<own.lowerBound + end)
        first = first ?? (own.upperBound, own.lowerBound + begin)
      }
    }
    guard let longest = windows.map(\.count).max(), let first else {
      throw DatasetError(
        place.files, "the \(part.rawValue) part has no series of more than \(H) steps",
        cure: "lower dataset.horizon, or prepare longer series")
    }
    self.windows = windows
    firstSeries = first
    (count, steps, horizon) = (windows.count, longest, H)
    targetKind = .values(H * features)
    notes = rows.notes
  }

  public func length(of index: Int) -> Int { windows[index].count }

  /// The windows of the first series whose H steps follow one another without overlap, from the
  /// beginning of the part on.
  ///
  /// - Parameter limit: how many steps they forecast together at most
  /// - Returns: each window, and the step of the part, from 0, that it forecasts first
  public func consecutiveWindows(ofSteps limit: Int) -> [(index: Int, step: Int)] {
    var found: [(index: Int, step: Int)] = []
    var next = 0
    for (index, window) in windows.enumerated() {
      guard window.upperBound < firstSeries.end, window.upperBound >= firstSeries.begin else {
        break
      }
      guard (found.count + 1) * horizon <= limit else { break }
      let step = window.upperBound - firstSeries.begin
      guard step >= next else { continue }
      found.append((index, step))
      next = step + horizon
    }
    return found
  }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let (N, C) = (indices.count, features)
    precondition(x.shape == [x.shape[0], N, C], "a buffer of \(x.shape) for \(N) windows of \(C)")
    x.fill(0)
    var targets: [Float] = []
    targets.reserveCapacity(N * horizon * C)
    for (n, index) in indices.enumerated() {
      let window = windows[index]
      try rows.read(window.lowerBound..<window.upperBound + horizon, into: &buffer)
      let (values, length) = (buffer, window.count)
      x.withMutableSpan { x in
        for t in 0..<length {
          for c in 0..<C { x[(t * N + n) * C + c] = values[t * C + c] }
        }
      }
      targets += values[(length * C)...]
    }
    return SequenceTargets(targetKind, numbers: targets)
  }

  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try rows.prefetch(
      indices.map { windows[$0].lowerBound..<windows[$0].upperBound + horizon })
  }

  public var isReady: Bool { rows.isReady }

  public func identity() throws(DatasetError) -> DataIdentity.Part {
    DataIdentity.Part(
      of: self, inputs: try rows.fingerprint(), targets: Fingerprint(of: begins))
  }
}
