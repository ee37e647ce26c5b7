import HDF5
import Tensors

/// Sequences of frames of unequal length, in which each frame is to be predicted from those
/// before it: a part of a file that `prepare speech` made.
///
/// An utterance of F frames is a sequence of F - 1 steps: x_t is frame t and its target frame
/// t + 1. Each rank opens the file by itself, read-only. A part that fits is kept in memory; of a
/// larger one, utterances are read as they are asked for.
public final class NextFrameSource {
  /// The attribute `task` of such a file.
  public static let task = "next_frame"

  /// How many sequences there are.
  public var count: Int { offsets.count - 1 }
  /// T of the longest sequence.
  public let steps: Int
  /// C, numbers per frame.
  public let features: Int
  /// The error per element of predicting each frame by the one before, where the file says.
  public let persistenceError: Double?

  private let inputs: StoredRows  // [F, C]
  private let offsets: [Int]
  private var rows: [Float] = []

  /// Opens one part of a file.
  ///
  /// - Parameter memoryLimit: bytes up to which it is kept in memory
  public init(
    _ path: String, part: DatasetFile.Part, memoryLimit: Int = StoredRows.memoryLimit
  ) throws(DatasetError) {
    do {
      let file = try HDF5.File.open(path)
      try Self.checkHeader(of: file, path)
      let name = part.rawValue
      guard file.contains("\(name)/inputs"), file.contains("\(name)/offsets") else {
        throw DatasetError(path, "has no \(name)/inputs and \(name)/offsets", cure: Self.prepare)
      }
      inputs = try StoredRows([(path, file)], "\(name)/inputs", memoryLimit: memoryLimit)
      let shape = inputs.shape
      guard shape.count == 2, shape[1] > 0 else {
        throw DatasetError(path, "\(name)/inputs is \(shape)", cure: "it must be [F, C]")
      }
      features = shape[1]
      let stored = try file.dataset("\(name)/offsets")
      try stored.requireStored()
      offsets = try stored.read(as: Int.self, maximumElements: 1 << 24)
      guard offsets.count >= 2, offsets.first == 0, offsets.last == shape[0] else {
        throw DatasetError(
          path, "\(name)/offsets has \(offsets.count) numbers and does not end at \(shape[0])",
          cure: "it must begin with 0 and end with the rows of inputs")
      }
      for (index, (start, end)) in zip(offsets, offsets.dropFirst()).enumerated()
      where end <= start || end == start + 1 {
        throw DatasetError(
          path, "\(name)/offsets[\(index)] is \(start), then \(end)",
          cure: "a sequence needs two frames or more")
      }
      steps = zip(offsets, offsets.dropFirst()).reduce(0) { max($0, $1.1 - $1.0 - 1) }
      persistenceError = try file.group(name).doubleAttribute("persistence_error")
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, "\(error)", cure: "check the path, or \(Self.prepare)")
    }
  }

  /// T, the steps of a sequence: its frames but the last, which is only a target.
  public func length(of index: Int) -> Int {
    offsets[index + 1] - offsets[index] - 1
  }

  /// Reads the sequences of these indices, time first.
  ///
  /// Both buffers are zero beyond the length of each sequence; of one longer than T, the first T
  /// steps are read.
  ///
  /// - Parameters:
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
      try inputs.read(offsets[index]..<offsets[index + 1], into: &rows)
      scatter(rows, from: 0, steps: length, toRow: n, of: x)
      scatter(rows, from: 1, steps: length, toRow: n, of: targets)
    }
  }

  /// Starts to read the sequences that will be asked for next.
  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try inputs.prefetch(indices.map { offsets[$0]..<offsets[$0 + 1] })
  }

  /// Whether what was started is there.
  public var isReady: Bool { inputs.isReady }

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

  private static func checkHeader(of file: HDF5.File, _ path: String) throws {
    guard let version = try file.intAttribute("format_version") else {
      throw DatasetError(path, "is an HDF5 file, but no data set of ours", cure: prepare)
    }
    guard version == DatasetFile.formatVersion else {
      throw DatasetError(
        path, "has format version \(version), this program reads \(DatasetFile.formatVersion)",
        cure: prepare)
    }
    let task = try file.stringAttribute("task") ?? "unknown"
    guard task == Self.task else {
      throw DatasetError(path, "is for the task \(task), not \(Self.task)", cure: prepare)
    }
  }
}
