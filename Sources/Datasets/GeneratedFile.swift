// SPDX-License-Identifier: Apache-2.0

import HDF5
import Tensors

/// Writes the sequences of a generator to a data set file, for other programs or as a fixed copy.
/// The numbers in the file have the bits of those that are generated.
public enum GeneratedFile {
  /// The number of sequences in memory at a time.
  private static let block = 1024

  /// The adding problem: inputs [N, T, 2] float32, targets [N, 1] float32.
  public static func write(
    _ parts: [DatasetFile.Part: AddingProblem], to path: String, compressing: Bool = false
  ) throws(DatasetError) {
    try DatasetFile.create(at: path) { file in
      try header(
        file, task: "adding", chance: AddingProblem.chanceError, AddingProblem.chanceMeaning)
      for (name, source) in sorted(parts) where source.count > 0 {
        let shape = [source.count, source.steps, source.features]
        let inputs = try file.createDataset(
          "\(name)/inputs", of: Float.self, shape: shape,
          deflate: DatasetFile.deflate(compressing), fletcher32: true)
        var targets: [Float] = []
        for range in blocks(of: source.count) {
          let x = Tensor<Float>(shape: [source.steps, range.count, source.features])
          targets += try source.read(Array(range)[...], into: x).numbers
          let rows = sequenceFirst(x)
          try inputs.write(
            rows.span, at: [range.lowerBound, 0, 0], count: [range.count] + shape.dropFirst())
        }
        try file.write(targets, to: "\(name)/targets", shape: [source.count, 1], fletcher32: true)
      }
    }
  }

  /// Copying or denoise: inputs and targets [N, T] int32, numbers of symbols.
  public static func write(
    _ parts: [DatasetFile.Part: RecallProblem], to path: String, compressing: Bool = false
  ) throws(DatasetError) {
    try DatasetFile.create(at: path) { file in
      guard let any = parts.values.first else { return }
      try header(
        file, task: any.placement.rawValue, chance: any.chanceLoss, RecallProblem.chanceMeaning)
      try file.setAttribute("symbols", any.features)
      try file.setAttribute("classes", any.targetKind.outputs)
      for (name, source) in sorted(parts) where source.count > 0 {
        let shape = [source.count, source.steps]
        let deflate = DatasetFile.deflate(compressing)
        let inputs = try file.createDataset(
          "\(name)/inputs", of: Int32.self, shape: shape, deflate: deflate, fletcher32: true)
        let targets = try file.createDataset(
          "\(name)/targets", of: Int32.self, shape: shape, deflate: deflate, fletcher32: true)
        for range in blocks(of: source.count) {
          let sequences = range.map { source.sequence($0) }
          for (dataset, rows) in [
            (inputs, sequences.flatMap { $0.inputs.map { Int32($0) } }),
            (targets, sequences.flatMap { $0.targets.map { Int32($0) } }),
          ] {
            try dataset.write(
              rows.span, at: [range.lowerBound, 0], count: [range.count, source.steps])
          }
        }
      }
    }
  }

  private static func header(
    _ file: HDF5.File, task: String, chance: Double, _ meaning: String
  ) throws(HDF5Error) {
    try file.setAttribute("task", task)
    try file.setAttribute("format_version", DatasetFile.formatVersion)
    try file.setAttribute("chance_loss", chance)
    try file.setAttribute("chance_meaning", meaning)
  }

  private static func sorted<Source>(
    _ parts: [DatasetFile.Part: Source]
  ) -> [(String, Source)] {
    DatasetFile.Part.allCases.compactMap { part in parts[part].map { (part.rawValue, $0) } }
  }

  private static func blocks(of count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: block).map { $0..<min($0 + block, count) }
  }

  /// [T, N, C] as [N, T, C].
  private static func sequenceFirst(_ x: Tensor<Float>) -> [Float] {
    let (T, N, C) = (x.shape[0], x.shape[1], x.shape[2])
    let values = x.array
    var rows: [Float] = []
    rows.reserveCapacity(values.count)
    for n in 0..<N {
      for t in 0..<T { rows += values[(t * N + n) * C..<(t * N + n + 1) * C] }
    }
    return rows
  }
}
