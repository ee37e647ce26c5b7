import HDF5
import Tensors

/// Sequences in a part of a data set file, of equal or unequal lengths, with a target of any kind.
///
/// What the file holds tells how to read it:
///
///     inputs [N, T, C]                      sequences of one length
///     inputs [F, C], offsets [N + 1]        sequence i is rows offsets[i] ..< offsets[i + 1]
///     inputs [N, T] of whole numbers        one-hot, of the file's attribute `symbols` many
///     targets [N] of whole numbers          a class per sequence, of the attribute `classes` many
///     targets [N, T] of whole numbers       a class at every step
///     targets [N, K] of floats              K numbers per sequence
///
/// Each rank opens the file by itself, read-only. A part that fits is kept in memory; of a larger
/// one, sequences are read as they are asked for, see `StoredRows`.
public final class SequenceFileSource: SequenceSource {
  public let count: Int
  public let steps: Int
  public let features: Int
  public let targetKind: TargetKind
  public let classNames: [String]?
  /// The loss of a model that has learned nothing, and where it comes from, where the file says.
  public let chance: (loss: Double, meaning: String)?

  private let path: String
  private let inputs: StoredRows
  private let targets: Targets
  private var sequence: [Float] = []
  /// Where sequences begin and the last one ends, in rows of `inputs`; nil where lengths are equal.
  private let offsets: [Int]?
  /// How many symbols inputs are one-hot of; nil where they are features.
  private let symbols: Int?

  private enum Targets {
    case classes([Int32])
    case values([Float])
    case stepClasses([Int32])
  }

  /// Whether a file holds sequences of unequal lengths.
  public static func isRagged(_ path: String) -> Bool {
    guard let file = try? HDF5.File.open(path) else { return false }
    return file.contains("\(DatasetFile.Part.train.rawValue)/offsets")
  }

  /// Opens one part of a file that `prepare` made.
  ///
  /// - Parameters:
  ///   - task: what the file must be for
  ///   - memoryLimit: bytes up to which it is kept in memory
  public init(
    _ path: String, task: String, part: DatasetFile.Part,
    memoryLimit: Int = StoredRows.memoryLimit
  ) throws(DatasetError) {
    self.path = path
    do {
      let file = try DatasetFile.open(path, task: task)
      let name = part.rawValue
      guard file.contains("\(name)/inputs"), file.contains("\(name)/targets") else {
        throw DatasetError(
          path, "has no \(name)/inputs and \(name)/targets", cure: DatasetFile.prepareIt)
      }
      inputs = try StoredRows([(path, file)], "\(name)/inputs", memoryLimit: memoryLimit)
      symbols = try file.intAttribute("symbols")
      offsets = try Self.offsets(of: file, name, rows: inputs.shape.first ?? 0, path)
      (count, steps, features) = try Self.sizes(inputs, offsets, symbols, path, name)
      (targets, targetKind) = try Self.targets(
        of: file, name, count: count, steps: offsets == nil ? steps : nil, path)
      classNames = try DatasetFile.classNames(of: file)
      chance = try file.doubleAttribute("chance_loss").map {
        ($0, try file.stringAttribute("chance_meaning") ?? "chance")
      }
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, "\(error)", cure: "check the path, or \(DatasetFile.prepareIt)")
    }
  }

  public func length(of index: Int) -> Int {
    offsets.map { $0[index + 1] - $0[index] } ?? steps
  }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SourceTargets {
    let (T, N, C) = (x.shape[0], indices.count, features)
    precondition(x.shape == [T, N, C], "a buffer of \(x.shape) for [\(T), \(N), \(C)]")
    if symbols != nil || offsets != nil { x.fill(0) }
    for (n, index) in indices.enumerated() {
      precondition(index >= 0 && index < count, "sequence \(index) of \(count)")
      try inputs.read(rows(of: index), into: &sequence)
      if let symbols { try check(sequence, below: symbols, of: index) }
      scatter(sequence, steps: length(of: index), toRow: n, of: x)
    }
    switch targets {
    case .classes(let all): return .classes(indices.map { all[$0] })
    case .values(let all):
      let K = targetKind.outputs
      return .values(indices.flatMap { all[$0 * K..<($0 + 1) * K] })
    case .stepClasses(let all):
      var classes = [Int32](repeating: 0, count: T * N)
      for (n, index) in indices.enumerated() {
        for t in 0..<steps { classes[t * N + n] = all[index * steps + t] }
      }
      return .stepClasses(classes)
    }
  }

  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try inputs.prefetch(indices.map { rows(of: $0) })
  }

  public var isReady: Bool { inputs.isReady }

  /// The rows of `inputs` that one sequence is.
  private func rows(of index: Int) -> Range<Int> {
    offsets.map { $0[index]..<$0[index + 1] } ?? index..<index + 1
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
          for i in 0..<C { x[(t * N + n) * C + i] = values[t * C + i] }
        }
      }
    }
  }

  /// Refuses symbols that there are not.
  private func check(
    _ values: [Float], below symbols: Int, of index: Int
  ) throws(DatasetError) {
    guard let wrong = values.first(where: { $0 < 0 || $0 >= Float(symbols) }) else { return }
    throw DatasetError(
      path, "sequence \(index) of inputs holds \(wrong), outside 0 ..< \(symbols)",
      cure: "the file is damaged: prepare it again")
  }
}

// What the shapes in a file mean.
extension SequenceFileSource {
  private static func offsets(
    of file: HDF5.File, _ part: String, rows: Int, _ path: String
  ) throws -> [Int]? {
    guard file.contains("\(part)/offsets") else { return nil }
    let stored = try file.dataset("\(part)/offsets")
    try stored.requireStored()
    let offsets = try stored.read(as: Int.self, maximumElements: 1 << 27)
    guard offsets.count >= 2, offsets.first == 0, offsets.last == rows else {
      throw DatasetError(
        path, "\(part)/offsets has \(offsets.count) numbers and does not end at \(rows)",
        cure: "it must begin with 0 and end with the rows of inputs")
    }
    for (index, (start, end)) in zip(offsets, offsets.dropFirst()).enumerated() where end <= start {
      throw DatasetError(
        path, "\(part)/offsets[\(index)] is \(start), then \(end)",
        cure: "a sequence needs a step or more")
    }
    return offsets
  }

  private static func sizes(
    _ inputs: StoredRows, _ offsets: [Int]?, _ symbols: Int?, _ path: String, _ part: String
  ) throws(DatasetError) -> (count: Int, steps: Int, features: Int) {
    let shape = inputs.shape
    if let offsets, shape.count == 2, shape[1] > 0 {
      let steps = zip(offsets, offsets.dropFirst()).reduce(0) { max($0, $1.1 - $1.0) }
      return (offsets.count - 1, steps, shape[1])
    }
    if offsets == nil, let symbols, symbols > 0, shape.count == 2, shape.allSatisfy({ $0 > 0 }) {
      return (shape[0], shape[1], symbols)
    }
    if offsets == nil, symbols == nil, shape.count == 3, shape.allSatisfy({ $0 > 0 }) {
      return (shape[0], shape[1], shape[2])
    }
    throw DatasetError(
      path, "\(part)/inputs is \(shape)",
      cure: "it must be [N, T, C], or [F, C] with offsets [N + 1], or [N, T] with the attribute"
        + " `symbols`")
  }

  private static func targets(
    of file: HDF5.File, _ part: String, count: Int, steps: Int?, _ path: String
  ) throws -> (Targets, TargetKind) {
    let targets = try file.dataset("\(part)/targets")
    try targets.requireStored()
    let shape = targets.shape
    let isWhole = ![.float32, .float64].contains(targets.elementType)
    if !isWhole, shape.count == 2, shape[0] == count, shape[1] > 0 {
      let values = try targets.read(as: Float.self)
      guard values.allSatisfy(\.isFinite) else {
        throw DatasetError(
          path, "\(part)/targets hold what is no number",
          cure: "the file is damaged: prepare it again")
      }
      return (.values(values), .values(shape[1]))
    }
    guard isWhole, shape == [count] || steps != nil && shape == [count, steps!] else {
      throw DatasetError(
        path, "\(part)/targets is \(shape) for \(count) sequences",
        cure: "it must be [N] or [N, T] of whole numbers, or [N, K] of floats")
    }
    let classes = try file.intAttribute("classes") ?? 0
    let labels = try targets.read(as: Int32.self)
    if let wrong = labels.firstIndex(where: { $0 < 0 || Int($0) >= classes }) {
      throw DatasetError(
        path, "\(part)/targets[\(wrong)] is \(labels[wrong]), outside 0 ..< \(classes)",
        cure: "mend the label or the attribute `classes`")
    }
    return shape.count == 1
      ? (.classes(labels), .classes(classes)) : (.stepClasses(labels), .stepClasses(classes))
  }
}
