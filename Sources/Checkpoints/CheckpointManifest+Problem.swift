// SPDX-License-Identifier: Apache-2.0

extension CheckpointManifest {
  static let damaged = "the file is damaged or foreign: use an older checkpoint"

  /// The largest count in a manifest, so that sums and products of a few counts cannot overflow.
  private static let maximumCount = 1 << 48
  private static let maximumFiles = 1 << 14
  /// Steps and epochs seed random numbers, with 32 bits each.
  private static let maximumKey = Int(UInt32.max)

  /// The first entry that could lead outside the manifest's folder, to huge allocations, or to
  /// numbers that were never written; nil if there is none.
  ///
  /// Names are quoted with escapes, because an error is one line.
  var problem: String? {
    problemOfFiles ?? problemOfTensors ?? problemOfCounts
  }

  private var problemOfFiles: String? {
    guard 1...Self.maximumFiles ~= files.count else { return "names \(files.count) shard files" }
    for (index, file) in files.enumerated() {
      let expected = CheckpointWriter.shardName(index, of: files.count)
      guard file.name == expected else {
        return "names the file \(file.name.debugDescription) where \(expected) belongs"
      }
      guard 0...Self.maximumCount ~= file.bytes else {
        return "gives \(file.name) \(file.bytes) bytes"
      }
    }
    return nil
  }

  private var problemOfTensors: String? {
    var paths: Set<String> = []
    var room = files.reduce(0) { $0 + $1.bytes } / MemoryLayout<Float>.size
    for tensor in tensors {
      let name = tensor.path.debugDescription
      let parts = tensor.path.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count > 1, !parts.contains(where: { ["", ".", ".."].contains($0) }),
        !tensor.path.unicodeScalars.contains(where: { $0.value < 32 })
      else { return "names the tensor \(name)" }
      guard paths.insert(tensor.path).inserted else { return "names the tensor \(name) twice" }
      // An empty tensor has no data that could contradict its shape.
      guard tensor.shape.count <= 32, let count = Self.elementCount(tensor.shape), count > 0 else {
        return "gives \(name) the shape \(tensor.shape.prefix(33))"
      }
      // The shards are uncompressed, so there cannot be more numbers than their bytes allow.
      room -= count
      guard room >= 0 else {
        return "gives \(name) the shape \(tensor.shape), for which its files are too small"
      }
    }
    return nil
  }

  private var problemOfCounts: String? {
    let counts = [
      ("step", step, Self.maximumKey), ("epoch", epoch, Self.maximumKey),
      ("batch", batch, Self.maximumKey), ("step_count", optimizer.stepCount, Self.maximumKey),
      ("parameter_count", parameterCount, Self.maximumCount),
    ]
    for (name, count, maximum) in counts where !(0...maximum ~= count) {
      return "gives \(name) the value \(count)"
    }
    return nil
  }

  /// The product of the extents; nil if an extent is negative or if any partial product is too
  /// large.
  private static func elementCount(_ shape: [Int]) -> Int? {
    var count = 1
    var bound = 1
    for extent in shape {
      let (product, overflow) = bound.multipliedReportingOverflow(by: max(extent, 1))
      guard extent >= 0, !overflow, product <= maximumCount else { return nil }
      bound = product
      count *= extent
    }
    return count
  }
}
