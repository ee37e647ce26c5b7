// SPDX-License-Identifier: Apache-2.0

import HDF5
import Tensors

/// Sequences in a part of a data set, of equal or unequal lengths, with a target of any kind.
///
/// The datasets in the file decide how it is read:
///
///     inputs [N, T, C]                      sequences of one length
///     inputs [F, C], offsets [N + 1]        sequence i is rows offsets[i] ..< offsets[i + 1]
///     inputs [N, T] of whole numbers        one-hot, of the file's attribute `symbols` many
///     inputs [N, T], [F] without it         one feature
///     times [N, T], or [F] with offsets     when each step happened
///     targets [N] of whole numbers          a class per sequence, of the attribute `classes` many
///     targets [N, T] of whole numbers       a class at every step
///     targets [F] of whole numbers          the same of sequences with offsets
///     targets [N, K] of floats              K numbers per sequence
///     targets [N, K], for labels            whether each of K labels applies, 1 or 0; -1 is unknown
///
/// Each rank opens the files by itself, read-only. Several files count as one; see `DatasetPlace`.
/// A part that fits is kept in memory. Sequences of a larger part are read when they are needed;
/// see `StoredRows`.
public final class SequenceFileSource: SequenceSource {
  public let count: Int
  public let steps: Int
  public let features: Int
  public var targetKind: TargetKind { targets.kind }
  public let classNames: [String]?
  public let notes: [String]
  /// As they are stored, sequence by sequence. Targets of every step are [N, T].
  public let targets: SequenceTargets
  /// The baseline loss and its origin, if the file has them.
  public let chance: (loss: Double, meaning: String)?

  private let place: String
  private let inputs: StoredRows
  private var sequence: [Float] = []
  /// The rows of `inputs` of each sequence; nil if lengths are equal.
  private let offsets: SequenceOffsets?
  /// The number of symbols of one-hot inputs; nil if inputs are features.
  private let symbols: Int?
  private let scaling: Float
  private let times: StoredTimes?

  private static let maximumSymbols = 1 << 24

  /// Opens one part of files that `prepare` made, or of a user's own with named datasets.
  ///
  /// - Parameters:
  ///   - place: the files and the names of their datasets
  ///   - task: the task that files of `prepare` must have
  ///   - part: the part to open
  ///   - known: the number of classes, if neither the place nor the files say. Parts other than the
  ///     training part must agree with it
  public init(
    _ place: DatasetPlace, task: String, part: DatasetFile.Part, classes known: Int? = nil
  ) throws(DatasetError) {
    self.place = place.files
    let files = try place.open(task: task)
    let name = try place.names(of: part, in: files)
    inputs = try StoredRows(files, name.inputs, memoryLimit: place.memoryLimit)
    let headers = try place.headers(of: files)
    try place.requireSameStatistics(of: files)
    scaling = headers.scaling
    // Attributes of a user's own file are not ours.
    func attribute<Value: Equatable>(
      _ property: String, _ value: (HDF5.File) throws -> Value?
    ) throws(DatasetError) -> Value? {
      files.areOurs ? try place.agreed(property, of: files, value) : nil
    }
    symbols = try attribute("number of symbols") { try $0.intAttribute("symbols") }
    if let symbols, !(1...Self.maximumSymbols ~= symbols) {
      throw DatasetError(
        place.files, "has the attribute symbols=\(symbols)", cure: "fix it, or prepare it again")
    }
    let mayBeRagged =
      files.areOurs || !place.isForeign || place.offsets != DatasetPlace.ownOffsets
    let isRagged = try place.agreed("kind of lengths", of: files) {
      mayBeRagged && $0.contains(name.offsets)
    }
    offsets =
      isRagged == true
      ? try SequenceOffsets(files, name.offsets, rows: inputs.rowsOfFiles, shortest: 1) : nil
    (count, steps, features) = try Self.sizes(inputs, offsets, symbols, place.files, name.inputs)
    let counts = offsets?.countsOfFiles ?? inputs.rowsOfFiles
    times = try StoredTimes(
      place, of: part, in: files, inputs,
      offsets.map { .ragged($0) } ?? .equal(count: count, steps: steps))
    if task == "classification" {
      let labels = try place.labels(
        files, name.targets, counts: counts, classes: headers.classes ?? known)
      targets = .classes(labels.labels, of: labels.count)
      (classNames, notes) = try place.classNames(of: files, labels, inputs)
    } else if let kind = place.unlabelled {
      targets = .none(of: kind)
      classNames = try attribute("list of classes", DatasetFile.classNames)
      notes = OwnAttributes.notes(of: files) + inputs.notes
    } else {
      let kind: TargetKind.Answer? = task == SequenceArchive.Target.labels.rawValue ? .labels : nil
      targets = try Self.targets(
        files, name.targets, kind, counts: counts,
        steps: offsets == nil ? steps : nil, rows: offsets == nil ? nil : inputs.rowsOfFiles,
        classes: headers.classes ?? known, place)
      classNames = try attribute("list of classes", DatasetFile.classNames)
      notes = OwnAttributes.notes(of: files) + inputs.notes
    }
    let loss = try attribute("baseline loss") { try $0.doubleAttribute("chance_loss") }
    let meaning = try attribute("baseline loss") { try $0.stringAttribute("chance_meaning") }
    chance = loss.map { ($0, meaning ?? "chance") }
  }

  public func length(of index: Int) -> Int {
    offsets?[index].count ?? steps
  }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let (T, N, C) = (x.shape[0], indices.count, features)
    precondition(x.shape == [T, N, C], "a buffer of \(x.shape) for [\(T), \(N), \(C)]")
    if symbols != nil || offsets != nil { x.fill(0) }
    for (n, index) in indices.enumerated() {
      precondition(index >= 0 && index < count, "sequence \(index) of \(count)")
      try inputs.read(rows(of: index), into: &sequence)
      if let symbols { try check(sequence, below: symbols, of: index) }
      scatter(sequence, steps: length(of: index), toRow: n, of: x)
    }
    if targets.rowCount == 0 { return .zeros(targetKind, sequences: N, steps: T) }
    guard targetKind.isEveryStep else { return targets.rows(Array(indices)) }
    // A buffer may have more steps than the sequences. Targets there are not used.
    return targets.rows(
      (0..<T).flatMap { t in
        indices.map { index in
          (offsets?[index].lowerBound ?? index * steps) + min(t, length(of: index) - 1)
        }
      })
  }

  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try inputs.prefetch(indices.map { rows(of: $0) })
    try times?.prefetch(indices)
  }

  public var isReady: Bool { inputs.isReady && times?.isReady ?? true }

  public var hasTimes: Bool { times != nil }

  public func openTimes() throws(DatasetError) { try times?.open() }

  /// Reads all times, to check them.
  func checkTimes() throws(DatasetError) {
    try times?.open()
    try times?.checkAll()
  }

  public func readTimes(
    _ indices: ArraySlice<Int>, into times: Tensor<Double>
  ) throws(DatasetError) {
    try self.times?.read(indices, into: times)
  }

  public func identity() throws(DatasetError) -> DataIdentity.Part {
    let targets =
      targetKind.answer == .numbers
      ? Fingerprint(of: targets.numbers) : Fingerprint(of: targets.whole)
    return DataIdentity.Part(
      of: self, inputs: try inputs.fingerprint(), targets: targets,
      offsets: offsets.map { Fingerprint(of: $0.starts) }, times: try times?.fingerprint())
  }

  /// The rows of `inputs` of one sequence.
  private func rows(of index: Int) -> Range<Int> {
    offsets?[index] ?? index..<index + 1
  }

  /// Copies `steps` rows of `values` to row n of the first steps.
  private func scatter(
    _ values: [Float], steps: Int, toRow n: Int, of x: Tensor<Float>
  ) {
    let (N, C) = (x.shape[1], features)
    x.withMutableSpan { x in
      for t in 0..<steps {
        if symbols != nil {
          x[(t * N + n) * C + Int(values[t])] = 1
        } else {
          for i in 0..<C { x[(t * N + n) * C + i] = values[t * C + i] * scaling }
        }
      }
    }
  }

  /// Refuses symbols outside of the alphabet.
  private func check(
    _ values: [Float], below symbols: Int, of index: Int
  ) throws(DatasetError) {
    guard let wrong = values.first(where: { $0 < 0 || $0 >= Float(symbols) }) else { return }
    throw DatasetError(
      place, "sequence \(index) of inputs holds \(wrong), outside 0 ..< \(symbols)",
      cure: "the file is damaged: prepare it again")
  }
}

// The meaning of the shapes in a file.
extension SequenceFileSource {
  private static func sizes(
    _ inputs: StoredRows, _ offsets: SequenceOffsets?, _ symbols: Int?, _ path: String,
    _ name: String
  ) throws(DatasetError) -> (count: Int, steps: Int, features: Int) {
    let shape = inputs.shape
    if let offsets, shape.count == 2, shape[1] > 0 {
      return (offsets.count, offsets.longest, shape[1])
    }
    if let offsets, shape.count == 1 { return (offsets.count, offsets.longest, 1) }
    if offsets == nil, symbols == nil, shape.count == 2, shape.allSatisfy({ $0 > 0 }) {
      return (shape[0], shape[1], 1)
    }
    if offsets == nil, let symbols, symbols > 0, shape.count == 2, shape.allSatisfy({ $0 > 0 }) {
      return (shape[0], shape[1], symbols)
    }
    if offsets == nil, symbols == nil, shape.count == 3, shape.allSatisfy({ $0 > 0 }) {
      return (shape[0], shape[1], shape[2])
    }
    throw DatasetError(
      path, "\(name) is \(shape)",
      cure: "it must be [N, T, C] or [N, T], or [F, C] with offsets [N + 1]; reshape it")
  }

  /// The targets of all files, one after the other.
  ///
  /// - Parameters:
  ///   - kind: `labels` if whole numbers [N, K] are labels
  ///   - counts: the sequences of each file
  ///   - steps: T, if all sequences have that length
  ///   - rows: the steps of all sequences of each file, if lengths differ
  ///   - classes: the number of classes, if neither the place nor the files say
  private static func targets(
    _ files: DatasetFiles, _ name: String, _ kind: TargetKind.Answer?, counts: [Int], steps: Int?,
    rows: [Int]?,
    classes: Int?, _ place: DatasetPlace
  ) throws(DatasetError) -> SequenceTargets {
    // A user's own file need not have it. The largest label then decides.
    let allowed = classes ?? (files.areOurs ? 0 : 1 << 24)
    var joined: SequenceTargets?
    for (index, ((path, file), count)) in zip(files, counts).enumerated() {
      do {
        if files.areOurs { try DatasetChecksums.check(name, in: file, path) }
        let own =
          kind == .labels
          ? try labels(of: file, name, count: count, path)
          : try targets(
            of: file, name, count: count, steps: steps, rows: rows?[index], classes: allowed, path)
        joined = try join(joined, own, path)
      } catch let error as DatasetError {
        throw error
      } catch {
        throw DatasetError(path, error, cure: "the file is damaged or foreign: make it again")
      }
    }
    guard let joined else {
      throw DatasetError(place.files, "names no file", cure: "set dataset.file")
    }
    guard classes == nil, joined.kind.answer == .oneClass else { return joined }
    return joined.with(outputs: Int(joined.whole.max() ?? 0) + 1)
  }

  private static func join(
    _ before: SequenceTargets?, _ own: SequenceTargets, _ path: String
  ) throws(DatasetError) -> SequenceTargets {
    guard let before else { return own }
    guard before.kind == own.kind else {
      throw DatasetError(
        path, "its targets are of a different kind than those of the files before it",
        cure: "prepare all files the same way")
    }
    return before.appending(own)
  }

  /// The targets of one file.
  private static func targets(
    of file: HDF5.File, _ name: String, count: Int, steps: Int?, rows: Int?, classes: Int,
    _ path: String
  ) throws -> SequenceTargets {
    let targets = try file.dataset(name)
    guard targets.elementType.isNumber else {
      throw DatasetError(
        path, "\(name) does not hold numbers but \(targets.typeDescription)",
        cure: "name another dataset, or store numbers")
    }
    try targets.requireStored()
    let shape = targets.shape
    let isWhole = !targets.elementType.isFloat
    // [N] is one number per sequence.
    if !isWhole, shape == [count] || shape.count == 2 && shape[0] == count && shape[1] > 0 {
      let values = try targets.read(as: Float.self)
      if let wrong = values.firstIndex(where: { !$0.isFinite }) {
        let row = wrong / (values.count / count)
        throw DatasetError(
          path, "\(name)[\(row)] holds \(values[wrong])",
          cure: "remove such sequences, or replace the value")
      }
      return .values(values, of: values.count / count)
    }
    // If both fit, one class per sequence is meant.
    let isFlat = rows.map { shape == [$0] && shape != [count] } ?? false
    guard isWhole, isFlat || shape == [count] || steps != nil && shape == [count, steps!] else {
      throw DatasetError(
        path, "\(name) is \(shape) for \(count) sequences",
        cure: "it must be [N] or [N, T] of whole numbers, or [N, K] of floats")
    }
    let labels = try StoredLabels(path: path, name: name, dataset: targets).wholeNumbers()
    if let wrong = labels.firstIndex(where: { $0 < 0 || $0 >= classes }) {
      throw DatasetError(
        path, "\(name)[\(wrong)] is \(labels[wrong]), outside 0 ..< \(classes)",
        cure: "fix the label or the attribute `classes`, or set dataset.classes")
    }
    let narrow = labels.map { Int32($0) }
    return SequenceTargets(
      shape.count == 1 && !isFlat ? .classes(classes) : .stepClasses(classes), whole: narrow)
  }
}

extension SequenceFileSource {
  /// Opens one part of a file that `prepare` made.
  public convenience init(
    _ path: String, task: String, part: DatasetFile.Part,
    memoryLimit: Int = StoredRows.memoryLimit
  ) throws(DatasetError) {
    var place = DatasetPlace(path)
    place.memoryLimit = memoryLimit
    try self.init(place, task: task, part: part)
  }
}
