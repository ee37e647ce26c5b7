// SPDX-License-Identifier: Apache-2.0

import HDF5
import Tensors

/// How the numbers of a stored sequence become time steps.
public enum SequenceView: String, Sendable, CaseIterable {
  /// As stored: an image row is a time step (MNIST: T=28, C=28).
  case rows
  /// One number per time step, in stored order (MNIST: T=784, C=1).
  case pixels
  /// Like `pixels`, in one fixed order (permuted MNIST); see `PixelOrder`.
  case permuted
  /// The whole image is one time step, which `ShownImages` repeats.
  case image
}

/// Labelled sequences in a part of a data set: a class for each, and one length for all.
///
/// Each rank opens the files by itself, read-only. A part that fits is kept in memory as it is on
/// disk. Sequences of a larger part are read when they are needed; see `StoredRows`.
public final class FileSource: SequenceSource {
  private let inputs: StoredRows
  private let labels: [Int32]
  private let scaling: Float
  /// The position in a stored sequence of the k-th number of the view; nil means in order.
  private let order: [Int]?
  private var sequence: [Float] = []
  private let times: StoredTimes?

  public let count: Int
  public let steps: Int
  public let features: Int
  public let targetKind: TargetKind
  public let classNames: [String]?
  public let notes: [String]

  /// Whether the sequences are kept in memory.
  public var isInMemory: Bool { inputs.isInMemory }

  /// Opens one part of a data set: files that `prepare` made, or the user's own by their names.
  ///
  /// - Parameters:
  ///   - place: the files and the names of their datasets
  ///   - part: the part to open
  ///   - known: the number of classes, if the place does not say. Parts other than the training
  ///     part must agree with it
  ///   - view: how a stored sequence becomes time steps
  ///   - pixelOrder: the order of `permuted`
  public init(
    _ place: DatasetPlace, part: DatasetFile.Part, classes known: Int? = nil, view: SequenceView,
    pixelOrder: PixelOrder = .seed(1)
  ) throws(DatasetError) {
    let files = try place.open()
    try place.requireClassification(files)
    let headers = try place.headers(of: files)
    try place.requireSameStatistics(of: files)
    let names = try place.names(of: part, in: files)
    inputs = try StoredRows(files, names.inputs, memoryLimit: place.memoryLimit)
    // [N, T] is T steps of one feature. In images [N, Y, X, C] that `prepare` made, each row is a
    // step.
    let hasColors = files.areOurs && inputs.shape.count == 4
    let depth = hasColors ? inputs.shape[3] : 1
    let shape =
      if hasColors {
        Array(inputs.shape[..<2]) + [inputs.shape[2] * depth]
      } else {
        inputs.shape.count == 2 ? inputs.shape + [1] : inputs.shape
      }
    guard shape.count == 3 else {
      throw DatasetError(
        place.files, "\(names.inputs) is \(shape)",
        cure: "it must be [N, T, C], or [N, T] with one feature; reshape it")
    }
    count = shape[0]
    let targets = try place.labels(
      files, names.targets, counts: inputs.rowsOfFiles, classes: known ?? headers.classes)
    (labels, targetKind) = (targets.labels, .classes(targets.count))
    scaling = headers.scaling
    let (classNames, notes) = try place.classNames(of: files, targets, inputs)
    let times = try StoredTimes(
      place, of: part, in: files, inputs, .equal(count: shape[0], steps: shape[1]))
    // A time belongs to a row of an image, not to its pixels.
    let isTimed = view == .rows || view == .pixels && shape[2] == 1
    self.times = isTimed ? times : nil
    self.classNames = classNames
    self.notes = notes + (isTimed ? [] : times.map { [$0.unusedNote(view)] } ?? [])
    switch view {
    case .rows:
      (steps, features, order) = (shape[1], shape[2], nil)
    case .pixels:
      (steps, features, order) = (inputs.width / depth, depth, nil)
    case .permuted:
      (steps, features) = (inputs.width / depth, depth)
      let pixels = try pixelOrder.indices(of: steps)
      order = pixels.flatMap { pixel in (0..<depth).map { pixel * depth + $0 } }
    case .image:
      (steps, features, order) = (1, inputs.width, nil)
    }
  }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let (T, N, C) = (steps, indices.count, features)
    precondition(x.shape == [T, N, C], "a buffer of \(x.shape) for [\(T), \(N), \(C)]")
    for (n, index) in indices.enumerated() {
      try inputs.read(index..<index + 1, into: &sequence)
      scatter(sequence, toRow: n, of: x)
    }
    return SequenceTargets(targetKind, whole: indices.map { labels[$0] })
  }

  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try inputs.prefetch(indices.map { $0..<$0 + 1 })
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
    DataIdentity.Part(
      of: self, inputs: try inputs.fingerprint(), targets: Fingerprint(of: labels),
      times: try times?.fingerprint())
  }

  /// Copies one stored sequence to row n of every time step.
  private func scatter(_ values: [Float], toRow n: Int, of x: Tensor<Float>) {
    let (N, C) = (x.shape[1], features)
    x.withMutableSpan { x in
      for t in 0..<steps {
        for i in 0..<C {
          let place = order?[t * C + i] ?? (t * C + i)
          x[(t * N + n) * C + i] = values[place] * scaling
        }
      }
    }
  }
}

extension FileSource {
  /// Opens one part of a file that `prepare` made.
  public convenience init(
    _ path: String, part: DatasetFile.Part, view: SequenceView, pixelOrder: PixelOrder = .seed(1)
  ) throws(DatasetError) {
    try self.init(DatasetPlace(path), part: part, view: view, pixelOrder: pixelOrder)
  }
}
