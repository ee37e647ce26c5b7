// SPDX-License-Identifier: Apache-2.0

import HDF5
import Tensors

/// Labelled images of one part of a data set, read by their index as batches [N, Y, X, C] of 0 ... 1.
///
/// As a source of sequences, an image is one step of Y · X · C numbers. A batch [1, N, Y · X · C]
/// has the same numbers in the same order as [N, Y, X, C].
///
/// It reads files of `prepare images` and `prepare mnist`, and a user's own images [N, Y, X, C] or
/// [N, Y, X]. Bytes in a user's own file are divided by 255; other numbers are read as they are. A
/// part that fits is kept in memory; see `StoredRows`.
public final class ImageSource: SequenceSource {
  private let inputs: StoredRows
  private let labels: [Int32]
  private let scaling: Float
  private var image: [Float] = []

  public let count: Int
  /// Y.
  public let height: Int
  /// X.
  public let width: Int
  /// C.
  public let channels: Int
  public let targetKind: TargetKind
  public let classNames: [String]?
  public let notes: [String]

  public var steps: Int { 1 }
  public var features: Int { height * width * channels }
  /// Whether the images are kept in memory.
  public var isInMemory: Bool { inputs.isInMemory }

  /// Opens one part of a data set.
  ///
  /// - Parameters:
  ///   - place: the files and the names of their datasets
  ///   - part: the part to open
  ///   - known: the number of classes, if the place does not say
  public init(
    _ place: DatasetPlace, part: DatasetFile.Part, classes known: Int? = nil
  ) throws(DatasetError) {
    let files = try place.open()
    try place.requireClassification(files)
    let headers = try place.headers(of: files)
    let names = try place.names(of: part, in: files)
    inputs = try StoredRows(files, names.inputs, memoryLimit: place.memoryLimit)
    let shape = inputs.shape.count == 3 ? inputs.shape + [1] : inputs.shape
    guard shape.count == 4 else {
      throw DatasetError(
        place.files, "\(names.inputs) is \(shape), which is not a shape of images",
        cure: "they must be [N, Y, X, C], or [N, Y, X] with one channel; use `prepare images`")
    }
    (count, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
    let targets = try place.labels(
      files, names.targets, counts: inputs.rowsOfFiles, classes: known ?? headers.classes)
    (labels, targetKind) = (targets.labels, .classes(targets.count))
    scaling = files.areOurs ? headers.scaling : inputs.reader.isBytes ? 1 / 255 : 1
    (classNames, notes) = try place.classNames(of: files, targets, inputs)
  }

  /// Opens one part of a file.
  public convenience init(_ path: String, part: DatasetFile.Part) throws(DatasetError) {
    try self.init(DatasetPlace(path), part: part)
  }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let size = features
    precondition(
      x.count == indices.count * size, "a buffer of \(x.shape) for \(indices.count) of \(size)")
    for (n, index) in indices.enumerated() {
      try inputs.read(index..<index + 1, into: &image)
      let (scaling, image) = (scaling, image)
      x.withMutableSpan { x in
        for place in 0..<size { x[n * size + place] = image[place] * scaling }
      }
    }
    return SequenceTargets(targetKind, whole: indices.map { labels[$0] })
  }

  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try inputs.prefetch(indices.map { $0..<$0 + 1 })
  }

  public var isReady: Bool { inputs.isReady }

  public func identity() throws(DatasetError) -> DataIdentity.Part {
    DataIdentity.Part(
      of: self, inputs: try inputs.fingerprint(), targets: Fingerprint(of: labels))
  }
}
