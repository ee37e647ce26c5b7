// SPDX-License-Identifier: Apache-2.0

import HDF5
import Tensors

/// When the steps of the sequences of a part happened, in files that say so.
///
///     times [N, T]   beside inputs [N, T, C]
///     times [F]      beside inputs [F, C] and offsets [N + 1]
///
/// Times are numbers of any type and unit; along a sequence they never fall. That is checked when
/// they are read: at once where they fit into memory, or else with each sequence.
///
/// Nothing is read before `open()`: most layers do not look at times.
final class StoredTimes {
  /// Where the times of a sequence lie.
  enum Layout {
    case equal(count: Int, steps: Int)
    case ragged(SequenceOffsets)
  }

  /// The name of the dataset in the files.
  let name: String
  private let place: DatasetPlace
  private let layout: Layout
  /// Bytes that the inputs leave of what a part may take of memory.
  private let memoryLimit: Int
  private var stored: StoredRows?

  /// Finds the times of a part; nil where the files have none, or they are not wanted.
  ///
  /// - Throws: where the user named a dataset that is not there
  init?(
    _ place: DatasetPlace, of part: DatasetFile.Part, in files: DatasetFiles, _ inputs: StoredRows,
    _ layout: Layout
  ) throws(DatasetError) {
    guard let name = try place.timesName(of: part, in: files) else { return nil }
    self.name = name
    self.place = place
    self.layout = layout
    memoryLimit = place.memoryLimit - (inputs.isInMemory ? inputs.bytes : 0)
  }

  /// Opens the times, and reads and checks them if they fit into memory.
  func open() throws(DatasetError) {
    guard stored == nil else { return }
    let rows = try StoredRows(
      try place.open(), name, wide: true, memoryLimit: max(memoryLimit, 0))
    let wanted =
      switch layout {
      case .equal(let count, let steps): [count, steps]
      case .ragged(let offsets): [offsets.starts[offsets.count]]
      }
    guard rows.shape == wanted else {
      throw DatasetError(
        place.files, "\(name) is \(rows.shape), but the inputs have steps for \(wanted)",
        cure: "store a time for each step, or set dataset.read_times=off")
    }
    stored = rows
    if rows.isInMemory { try checkAll() }
  }

  /// Checks the times of all sequences.
  func checkAll() throws(DatasetError) {
    let count =
      switch layout {
      case .equal(let count, _): count
      case .ragged(let offsets): offsets.count
      }
    for index in 0..<count { try check(try opened.doubles(rows(of: index)), of: index) }
  }

  /// Reads the times of these sequences into `times` [T, N]. A step beyond the end of a sequence
  /// gets the time of its last.
  func read(_ indices: ArraySlice<Int>, into times: Tensor<Double>) throws(DatasetError) {
    let (T, N) = (times.shape[0], indices.count)
    precondition(times.shape == [T, N], "a buffer of \(times.shape) for [\(T), \(N)]")
    for (n, index) in indices.enumerated() {
      let own = try opened.doubles(rows(of: index))
      if !opened.isInMemory { try check(own, of: index) }
      times.withMutableSpan { times in
        for t in 0..<T {
          times[t * N + n] = own[own.startIndex + min(t, own.count - 1)]
        }
      }
    }
  }

  /// Starts to read the times of sequences that will be asked for next, if the times are open.
  func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try stored?.prefetch(indices.map { rows(of: $0) })
  }

  var isReady: Bool { stored?.isReady ?? true }

  /// What tells the times from others; nil unless they are open.
  func fingerprint() throws(DatasetError) -> Fingerprint? { try stored?.fingerprint() }

  /// A note where times do not fit what a view makes of the sequences.
  func unusedNote(_ view: SequenceView) -> String {
    "\(place.files): \(name) is not used: dataset.view=\(view.rawValue) makes other steps"
  }

  private var opened: StoredRows {
    guard let stored else { preconditionFailure("the times were not opened") }
    return stored
  }

  /// The stored rows that hold the times of a sequence.
  private func rows(of index: Int) -> Range<Int> {
    switch layout {
    case .equal: index..<index + 1
    case .ragged(let offsets): offsets[index]
    }
  }

  /// Refuses times that are not finite, or that fall.
  private func check(_ times: ArraySlice<Double>, of index: Int) throws(DatasetError) {
    var before = -Double.infinity
    for (step, time) in times.enumerated() {
      defer { before = time }
      guard !(time.isFinite && time >= before) else { continue }
      let (path, own) = file(of: index)
      throw DatasetError(
        path,
        "\(name): step \(step) of sequence \(own) is at \(time)"
          + (time.isFinite ? ", before step \(step - 1) at \(before)" : ""),
        cure: time.isFinite
          ? "sort the steps of a sequence by their times, or set dataset.read_times=off"
          : "replace the time, remove the step, or set dataset.read_times=off")
    }
  }

  /// The file of a sequence, and its number there.
  private func file(of index: Int) -> (path: String, sequence: Int) {
    var number = index
    let pieces = opened.reader.joined.pieces
    for (place, piece) in pieces.enumerated() {
      let count =
        switch layout {
        case .equal: piece.rows.count
        case .ragged(let offsets): offsets.countsOfFiles[place]
        }
      if number < count { return (piece.path, number) }
      number -= count
    }
    return (place.files, index)
  }
}

extension DatasetPlace {
  /// The name of the times of a part; nil where the files have none, or they are not wanted.
  ///
  /// - Throws: where the user named a dataset that is not there
  fileprivate func timesName(
    of part: DatasetFile.Part, in files: DatasetFiles
  ) throws(DatasetError) -> String? {
    let isNamed = times != Self.ownTimes
    // In files whose datasets the user has named, what has the name that ours have may be anything.
    guard readsTimes, isNamed || files.areOurs || !isForeign else { return nil }
    let name = try name(times, of: part, as: spelling(of: part, in: files))
    if files.contains(where: { $0.file.contains(name) }) { return name }
    guard isNamed else {
      try requireNone(files, name)
      return nil
    }
    throw DatasetError(
      self.files, "has no \(name)",
      cure: "name the times with dataset.times, or leave it out" + Self.inspectIt)
  }

  /// Refuses a file that has lost the times that it says it has: damage that HDF5 need not notice.
  private func requireNone(_ files: DatasetFiles, _ name: String) throws(DatasetError) {
    for (path, file) in files {
      guard (try? file.intAttribute(DatasetFile.timesAttribute)) ?? 0 == 1 else { continue }
      throw DatasetError(
        path, "has no \(name), although it says that it has times",
        cure: DatasetChecksums.damaged)
    }
  }
}
