// SPDX-License-Identifier: Apache-2.0

import HDF5
import Tensors

/// Sequences of frames of unequal length, in a part of the files that `prepare speech` made. Each
/// frame is predicted from those before it.
///
/// An utterance of F frames is a sequence of F - 1 steps: x_t is frame t, and its target is frame t
/// + 1. Each rank opens the files by itself, read-only. Several files count as one, and must have
/// been normalised by the same statistics. A part that fits is kept in memory. Utterances of a
/// larger part are read when they are needed.
public final class NextFrameSource {
  /// The attribute `task` of such a file.
  public static let task = "next_frame"

  /// The number of sequences.
  public var count: Int { offsets.count }
  /// T of the longest sequence.
  public let steps: Int
  /// C, numbers per frame.
  public let features: Int
  /// The error per element of predicting each frame by the one before, if the file says.
  public let persistenceError: Double?

  private let inputs: StoredRows  // [F, C]
  private let offsets: SequenceOffsets
  private var rows: [Float] = []

  /// Opens one part of the files.
  public init(_ place: DatasetPlace, part: DatasetFile.Part) throws(DatasetError) {
    let files = try place.open(task: Self.task)
    let (name, begins) = ("\(part.rawValue)/inputs", "\(part.rawValue)/offsets")
    for (path, file) in files where !file.contains(name) || !file.contains(begins) {
      throw DatasetError(path, "has no \(name) and \(begins)", cure: Self.prepare)
    }
    try place.requireSameStatistics(of: files)
    inputs = try StoredRows(files, name, memoryLimit: place.memoryLimit)
    let shape = inputs.shape
    guard shape.count == 2, shape[1] > 0 else {
      throw DatasetError(place.files, "\(name) is \(shape)", cure: "it must be [F, C]")
    }
    features = shape[1]
    offsets = try SequenceOffsets(files, begins, rows: inputs.rowsOfFiles, shortest: 2)
    steps = offsets.longest - 1
    let predicted = zip(inputs.rowsOfFiles, offsets.countsOfFiles).map { $0 - $1 }
    persistenceError = try Self.persistenceError(of: files, part, predicted: predicted)
  }

  /// The mean over all predicted frames; nil unless every file has its own.
  private static func persistenceError(
    of files: DatasetFiles, _ part: DatasetFile.Part, predicted: [Int]
  ) throws(DatasetError) -> Double? {
    var sum = 0.0
    for ((path, file), frames) in zip(files, predicted) {
      do {
        guard let own = try file.group(part.rawValue).doubleAttribute("persistence_error") else {
          return nil
        }
        sum += own * (Double(frames) / Double(predicted.reduce(0, +)))
      } catch {
        throw DatasetError(path, error, cure: prepare)
      }
    }
    return sum
  }

  /// T, the steps of a sequence: all its frames except the last, which is only a target.
  public func length(of index: Int) -> Int {
    offsets[index].count - 1
  }

  /// Reads the sequences of these indices, time first.
  ///
  /// Both buffers are zero beyond the length of each sequence. If a sequence is longer than T, its
  /// first T steps are read.
  ///
  /// - Parameters:
  ///   - indices: the indices of the N sequences
  ///   - T: the steps to read
  ///   - x: frames t [T, N, C]
  ///   - targets: frames t + 1 [T, N, C]
  public func read(
    _ indices: ArraySlice<Int>, steps T: Int, into x: Tensor<Float>, targets: Tensor<Float>
  ) throws(DatasetError) {
    let (N, C) = (indices.count, features)
    precondition(x.shape == [T, N, C], "a buffer of \(x.shape) for [\(T), \(N), \(C)]")
    precondition(targets.shape == x.shape, "targets of \(targets.shape) for \(x.shape)")
    for (n, index) in indices.enumerated() {
      precondition(index >= 0 && index < count, "sequence \(index) of \(count)")
      let length = min(T, length(of: index))
      try inputs.read(offsets[index], into: &rows)
      scatter(rows, from: 0, steps: length, toRow: n, of: x)
      scatter(rows, from: 1, steps: length, toRow: n, of: targets)
    }
  }

  /// Starts to read the sequences that are needed next.
  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try inputs.prefetch(indices.map { offsets[$0] })
  }

  /// Whether the started read is complete.
  public var isReady: Bool { inputs.isReady }

  public func identity() throws(DatasetError) -> DataIdentity.Part {
    DataIdentity.Part(
      of: self, inputs: try inputs.fingerprint(), offsets: Fingerprint(of: offsets.starts))
  }

  /// Copies rows of `values` [F, C] to row n of the first steps, and clears the others.
  private func scatter(
    _ values: [Float], from start: Int, steps: Int, toRow n: Int, of x: Tensor<Float>
  ) {
    let (T, N, C) = (x.shape[0], x.shape[1], features)
    x.withMutableSpan { x in
      for t in 0..<T {
        for i in 0..<C {
          x[(t * N + n) * C + i] = t < steps ? values[(start + t) * C + i] : 0
        }
      }
    }
  }

  private static let prepare = "make it with `momentum-dist prepare speech`"
}

extension NextFrameSource {
  /// Opens one part of a file.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - part: the part to open
  ///   - memoryLimit: the largest size, in bytes, that is kept in memory
  public convenience init(
    _ path: String, part: DatasetFile.Part, memoryLimit: Int = StoredRows.memoryLimit
  ) throws(DatasetError) {
    var place = DatasetPlace(path)
    place.memoryLimit = memoryLimit
    try self.init(place, part: part)
  }
}
