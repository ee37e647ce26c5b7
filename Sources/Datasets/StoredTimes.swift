// SPDX-License-Identifier: Apache-2.0

import HDF5
import Tensors

/// The times of the steps of a part, in files that have them.
///
///     times [N, T]   with inputs [N, T, C]
///     times [F]      with inputs [F, C] and offsets [N + 1]
///
/// Times are numbers of any type and unit. Along a sequence they never decrease. That is checked
/// when they are read: at once if they fit into memory, otherwise with each sequence.
///
/// Nothing is read before `open()`, because most layers do not use times.
final class StoredTimes {
  /// The location of the times of a sequence.
  enum Layout {
    case equal(count: Int, steps: Int)
    case ragged(SequenceOffsets)
  }

  /// The name of the dataset in the files.
  let name: String
  private let place: DatasetPlace
  private let layout: Layout
  /// The bytes that the inputs leave of the memory for a part.
  private let memoryLimit: Int
  private var stored: StoredRows?

  /// Finds the times of a part; nil if the files have none, or if the place does not use them.
  ///
  /// - Throws: if the user named a dataset that does not exist
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

  /// Starts to read the times of sequences that are needed next, if the times are open.
  func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try stored?.prefetch(indices.map { rows(of: $0) })
  }

  var isReady: Bool { stored?.isReady ?? true }

  /// The fingerprint of the times; nil unless they are open.
  func fingerprint() throws(DatasetError) -> Fingerprint? { try stored?.fingerprint() }

  /// The note that a view of the sequences cannot use the times.
  func unusedNote(_ view: SequenceView) -> String {
    "\(place.files): \(name) is not used: dataset.view=\(view.rawValue) makes other steps"
  }

  private var opened: StoredRows {
    guard let stored else { preconditionFailure("the times were not opened") }
    return stored
  }

  /// The stored rows of the times of a sequence.
  private func rows(of index: Int) -> Range<Int> {
    switch layout {
    case .equal: index..<index + 1
    case .ragged(let offsets): offsets[index]
    }
  }

  /// Refuses times that are not finite, or that decrease.
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
  /// The name of the times of a part; nil if the files have none, or if the place does not use
  /// them.
  ///
  /// - Throws: if the user named a dataset that does not exist
  fileprivate func timesName(
    of part: DatasetFile.Part, in files: DatasetFiles
  ) throws(DatasetError) -> String? {
    let isNamed = times != Self.ownTimes
    // If the user has named the datasets, a dataset with our name for times may be anything.
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

  /// Refuses a file without the times that its attribute declares. HDF5 does not always notice such
  /// damage.
  private func requireNone(_ files: DatasetFiles, _ name: String) throws(DatasetError) {
    for (path, file) in files {
      guard (try? file.intAttribute(DatasetFile.timesAttribute)) ?? 0 == 1 else { continue }
      throw DatasetError(
        path, "has no \(name), although it says that it has times",
        cure: DatasetChecksums.damaged)
    }
  }
}
