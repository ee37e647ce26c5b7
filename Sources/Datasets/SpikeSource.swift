// SPDX-License-Identifier: Apache-2.0

import HDF5
import Tensors

/// Spike counts of simultaneously recorded neurons in trials of one length: a part of a data set.
///
///     spikes [N, T, C]  whole numbers: counts in bins
///     rates [N, T, C]   floats, optional: the expected counts per bin
///
/// The last `held_out` neurons (an attribute of files that `prepare` made) are targets but not
/// inputs. The targets of a step are the counts of that step.
public final class SpikeSource: SequenceSource {
  /// The attribute `task` of a file that `prepare` made.
  public static let task = "masked_spikes"
  /// Where `prepare spikes` writes the counts.
  public static let ownSpikes = "{part}/spikes"
  /// Where `prepare spikes` writes true rates, if they are known.
  public static let ownRates = "{part}/rates"

  public let count: Int
  public let steps: Int
  public let features: Int
  public let targetKind: TargetKind
  public let notes: [String]
  /// The number of neurons that a model predicts without seeing them.
  public let heldOut: Int

  private let place: String
  private let name: String
  private let spikes: StoredRows
  private let rates: StoredRows?
  private var counts: [Float] = []
  private var expected: [Float] = []

  /// Numbers above this are not counts of spikes in a bin.
  private static let largestCount: Float = 0x1p20

  /// Opens one part.
  public init(_ place: DatasetPlace, part: DatasetFile.Part) throws(DatasetError) {
    let files = try place.open(task: Self.task)
    let spelling = try place.spelling(of: part, in: files)
    name = try place.name(place.inputs, of: part, as: spelling)
    let rateName = try place.name(place.targets, of: part, as: spelling)
    for (path, file) in files where !file.contains(name) {
      throw DatasetError(
        path, "has no \(name)",
        cure: "name the counts with dataset.inputs, or make it with `momentum-dist prepare`"
          + DatasetPlace.inspectIt)
    }
    self.place = place.files
    spikes = try StoredRows(files, name, memoryLimit: place.memoryLimit)
    let shape = spikes.shape
    guard shape.count == 3, shape.allSatisfy({ $0 > 0 }) else {
      throw DatasetError(
        place.files, "\(name) is \(shape)", cure: "it must be [trials, steps, neurons]; reshape it")
    }
    let hasRates = files.contains { $0.file.contains(rateName) }
    rates = hasRates ? try StoredRows(files, rateName, memoryLimit: place.memoryLimit) : nil
    guard rates == nil || rates!.shape == shape else {
      throw DatasetError(
        place.files, "\(rateName) is \(rates!.shape), but \(name) \(shape)",
        cure: "store a rate for each count, or name other rates with dataset.targets")
    }
    let hidden = try place.agreed("number of held-out neurons", of: files) { file in
      files.areOurs ? try file.intAttribute("held_out") : nil
    }
    heldOut = hidden ?? 0
    guard 0..<shape[2] ~= heldOut else {
      throw DatasetError(
        place.files, "holds out \(heldOut) of \(shape[2]) neurons",
        cure: "fix the attribute held_out, or prepare the file again")
    }
    (count, steps, features) = (shape[0], shape[1], shape[2] - heldOut)
    targetKind = .stepCounts(shape[2])
    notes = spikes.notes
  }

  /// The mean count of each neuron, and the largest count of all.
  ///
  /// - Parameter trials: nil means all
  public func statistics(
    of trials: [Int]? = nil
  ) throws(DatasetError) -> (means: [Double], largest: Int) {
    let C = targetKind.outputs
    let trials = trials ?? Array(0..<count)
    var (sums, largest) = ([Double](repeating: 0, count: C), 0)
    for trial in trials {
      for (index, value) in try counts(of: trial).enumerated() {
        sums[index % C] += Double(value)
        largest = max(largest, Int(value))
      }
    }
    return (sums.map { $0 / Double(trials.count * steps) }, largest)
  }

  /// The counts of a trial, [T, C].
  private func counts(of trial: Int) throws(DatasetError) -> [Float] {
    try spikes.read(trial..<trial + 1, into: &counts)
    guard
      let wrong = counts.firstIndex(where: {
        !($0 >= 0 && $0 <= Self.largestCount && $0 == $0.rounded())
      })
    else { return counts }
    let C = targetKind.outputs
    throw DatasetError(
      place,
      "\(name)[\(trial), \(wrong / C), \(wrong % C)] is \(counts[wrong]), which is not a count of"
        + " spikes", cure: "store counts, or name the dataset that holds them with dataset.inputs")
  }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let (T, N, C, W) = (steps, indices.count, features, targetKind.outputs)
    precondition(x.shape == [T, N, C], "a buffer of \(x.shape) for [\(T), \(N), \(C)]")
    var whole = [Int32](repeating: 0, count: T * N * W)
    var numbers = [Float](repeating: 0, count: rates == nil ? 0 : whole.count)
    for (n, index) in indices.enumerated() {
      let counts = try counts(of: index)
      if let rates { try rates.read(index..<index + 1, into: &expected) }
      for t in 0..<T {
        for c in 0..<W {
          whole[(t * N + n) * W + c] = Int32(counts[t * W + c])
          if rates != nil { numbers[(t * N + n) * W + c] = expected[t * W + c] }
        }
      }
      x.withMutableSpan { x in
        for t in 0..<T {
          for c in 0..<C { x[(t * N + n) * C + c] = counts[t * W + c] }
        }
      }
    }
    return SequenceTargets(targetKind, whole: whole, rates: numbers)
  }

  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try spikes.prefetch(indices.map { $0..<$0 + 1 })
    try rates?.prefetch(indices.map { $0..<$0 + 1 })
  }

  public var isReady: Bool { spikes.isReady && rates?.isReady ?? true }

  public func identity() throws(DatasetError) -> DataIdentity.Part {
    DataIdentity.Part(of: self, inputs: try spikes.fingerprint())
  }
}
