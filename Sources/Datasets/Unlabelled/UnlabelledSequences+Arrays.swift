// SPDX-License-Identifier: Apache-2.0

/// The sequences and steps that remain after missing values are treated.
struct KeptSteps {
  /// The positions of the sequences that remain.
  var sequences: [Int] = []
  /// The positions of the steps that remain of each; nil means all.
  var steps: [[Int]?] = []
}

// Sequences from NumPy's files.
extension UnlabelledSequences {
  /// Common names of the inputs, the starts of sequences and the times of steps.
  static let inputNames = ["inputs", "x", "X", "x_test", "X_test", "data", "sequences", "arr_0"]
  static let offsetNames = ["offsets", "starts"]
  static let lengthNames = ["lengths", "length"]

  static let timeNames = ["times"]

  /// - Parameter filling: whether missing values are already filled in
  static func arrays(
    _ path: String, _ format: UnlabelledFormat, filling: Bool = true
  ) throws(DatasetError) -> UnlabelledSequences {
    let (archive, array, name) = try inputs(path, format)
    func companion(_ names: [String]) throws(DatasetError) -> NumPyArray? {
      try companionName(names, of: name, in: archive).flatMap { archive[$0] }
    }
    let offsets = try companion(offsetNames).map { (array) throws(DatasetError) in
      try array.wholeNumbers()
    }
    let lengths = try companion(lengthNames).map { (array) throws(DatasetError) in
      try array.wholeNumbers()
    }
    if let offsets {
      let steps = array.shape.first ?? 0
      guard offsets.count > 1, offsets.first == 0, offsets.last == steps else {
        let ends = offsets.isEmpty ? "are empty" : "go from \(offsets[0]) to \(offsets.last!)"
        throw DatasetError(
          path, "offsets \(ends), but there are \(steps) steps",
          cure: "store [N + 1] offsets, from 0 to the number of steps")
      }
    }
    var sequences = try UnlabelledSequences(
      array, format, lengths: offsets.map { zip($0, $0.dropFirst()).map { $1 - $0 } } ?? lengths,
      areFlat: offsets != nil || array.shape.count == 2 && lengths != nil)
    if let times = try companion(timeNames) {
      sequences.times = try sequences.times(times, inputs: array)
    }
    if filling { _ = try sequences.fillMissing(format.table.missing) }
    return sequences
  }

  /// The inputs of an archive, with their name and the arrays that may belong to them.
  private static func inputs(
    _ path: String, _ format: UnlabelledFormat
  ) throws(DatasetError) -> (archive: NumPyArchive, array: NumPyArray, name: String) {
    let others = offsetNames + lengthNames + timeNames
    var wanted = Set(inputNames + others)
    for part in ["train", "test"] {
      for name in others { wanted.formUnion(["\(name)_\(part)", "\(part)_\(name)"]) }
    }
    if let name = format.inputs { wanted.insert(name) }
    var archive = try NumPyArchive(path, wanted: wanted)
    let name: String
    if let given = format.inputs, archive.names != [""] {
      name = given
    } else if let known = archive.first(of: inputNames) {
      name = known
    } else {
      name = archive.names[0]
      guard archive.names.count == 1 else {
        throw DatasetError(
          path, "holds the arrays \(archive.names.prefix(12).joined(separator: ", "))",
          cure: "choose the inputs with --inputs NAME")
      }
      if archive[name] == nil { archive = try NumPyArchive(path) }
    }
    guard let array = archive[name] else {
      throw DatasetError(
        path, "has no array \(name)",
        cure: "--inputs names one of \(archive.names.prefix(12).joined(separator: ", "))")
    }
    return (archive, array, name)
  }

  /// The name of an array that belongs to some inputs, such as `times_train` or `train_times` for
  /// `x_train`.
  private static func companionName(
    _ names: [String], of inputs: String, in archive: NumPyArchive
  ) throws(DatasetError) -> String? {
    func isOf(_ part: String, _ name: String) -> Bool {
      name.lowercased().hasSuffix("_\(part)") || name.lowercased().hasPrefix("\(part)_")
    }
    for (part, other) in [("train", "test"), ("test", "train")] where isOf(part, inputs) {
      let own = names.flatMap { ["\($0)_\(part)", "\(part)_\($0)"] }
      if let found = archive.first(of: own) { return found }
      guard let plain = archive.first(of: names) else { return nil }
      guard archive.names.contains(where: { isOf(other, $0) }) else { return plain }
      throw DatasetError(
        archive.path, "has \(plain), and nothing says whether of \(inputs) or of another part",
        cure: "name it \(plain)_train or \(plain)_test")
    }
    return archive.first(of: names)
  }

  /// The times of the steps, from an array with one time per step. It may also have one for every
  /// step of the array of inputs; those beyond the end of a sequence are then left out.
  private func times(
    _ times: NumPyArray, inputs: NumPyArray
  ) throws(DatasetError) -> [Double] {
    let all = try times.doubles()
    let steps = values.count / features
    if all.count == steps { return all }
    let (N, T) = (lengths.count, inputs.shape.count > 1 ? inputs.shape[1] : 0)
    guard times.shape == [N, T], lengths.allSatisfy({ $0 <= T }) else {
      throw DatasetError(
        path, "times is \(times.shape), but there are \(steps) steps",
        cure: "store a time for each step")
    }
    return lengths.enumerated().flatMap { all[$0 * T..<$0 * T + $1] }
  }

  /// Finds the meaning of the extents of an array: [N, T, C]; [N, T] or [T] of one feature; [T, C]
  /// of one sequence; [N, Y, X, C] or [N, Y, X] of images; [F, C] with the lengths of sequences.
  ///
  /// - Parameters:
  ///   - lengths: T of each sequence; nil if all are as long as the array
  ///   - areFlat: whether the sequences are stored one after the other
  init(
    _ array: NumPyArray, _ format: UnlabelledFormat, lengths: [Int]?, areFlat: Bool
  ) throws(DatasetError) {
    let shape = array.shape
    let path = array.path
    let values = try array.floats(allowingMissing: format.table.missing != .refuse)
    let known = format.features
    func refuse(_ cure: String) -> DatasetError { DatasetError(path, "is \(shape)", cure: cure) }
    guard !values.isEmpty else { throw refuse("give an array that holds numbers") }
    guard !shape.isEmpty else { throw refuse("give [N, T, C]; a single number is not a sequence") }
    let areWhole = array.kind == .whole
    if format.isImage {
      guard shape.count == 3 || shape.count == 4 else {
        throw refuse("images are [N, Y, X, C], or [N, Y, X] with one channel")
      }
      let map = Array(shape.dropFirst()) + (shape.count == 3 ? [1] : [])
      self.init(
        path, features: map.reduce(1, *), values: values,
        lengths: Array(repeating: 1, count: shape[0]))
      (self.map, self.areWhole, areBytes) = (map, areWhole, array.isBytes)
      return
    }
    let features: Int
    let own: [Int]
    switch shape.count {
    case _ where areFlat:
      features = shape.count == 1 ? 1 : shape[1]
      own = lengths ?? []
      guard shape.count <= 2, Self.areLengths(own, of: shape[0]) else {
        throw refuse("with offsets or lengths it must be [F, C], F the steps of all sequences")
      }
    case 1: (features, own) = known == shape[0] && known != 1 ? (shape[0], [1]) : (1, [shape[0]])
    case 2 where known == shape[1] && known != 1 && !format.isFlat:
      (features, own) = (shape[1], [shape[0]])
    case 2: (features, own) = (1, Array(repeating: shape[1], count: shape[0]))
    case 3: (features, own) = (shape[2], Array(repeating: shape[1], count: shape[0]))
    default: throw refuse("it must be [N, T, C], or [N, T] with one feature; reshape it")
    }
    self.init(path, features: features, values: values, lengths: own)
    self.areWhole = areWhole
    guard !areFlat, let lengths, lengths != own else { return }
    try cut(to: lengths, refuse("lengths must be [N] numbers from 1 to T"))
  }

  /// Whether lengths are at least 1 and add up to a number of steps. Their sum may overflow.
  private static func areLengths(_ lengths: [Int], of steps: Int) -> Bool {
    var rest = steps
    for length in lengths {
      guard length > 0, length <= rest else { return false }
      rest -= length
    }
    return rest == 0
  }

  /// Fills in missing values, which are NaN. The times of removed steps are removed too.
  mutating func fillMissing(_ policy: MissingValues) throws(DatasetError) -> KeptSteps {
    var kept = KeptSteps()
    guard values.contains(where: \.isNaN) else {
      kept.sequences = Array(lengths.indices)
      kept.steps = lengths.map { _ in nil }
      return kept
    }
    var filler = MissingValueFiller(policy, features: features)
    var (filled, ends, stamps, start) = ([Float](), [Int](), [Double](), 0)
    for (index, length) in lengths.enumerated() {
      let (first, end) = (start, start + length)
      start = end
      let own = Array(values[first * features..<end * features])
      guard let sequence = try filler.fill(own, at: "\(path): row \(index)") else { continue }
      filled += sequence
      ends.append(sequence.count / features)
      kept.sequences.append(index)
      kept.steps.append(filler.kept)
      if let times {
        let places = filler.kept ?? Array(0..<length)
        stamps += places.map { times[first + $0] }
      }
    }
    if times != nil { times = stamps }
    if kept.sequences.count < lengths.count { rows = kept.sequences }
    (values, lengths) = (filled, ends)
    if let note = filler.note { notes.append("\(path): \(note)") }
    return kept
  }

  /// Leaves out the values beyond the end of each sequence.
  private mutating func cut(
    to lengths: [Int], _ refusal: DatasetError
  ) throws(DatasetError) {
    guard lengths.count == self.lengths.count,
      zip(lengths, self.lengths).allSatisfy({ (1...$1).contains($0) })
    else { throw refusal }
    let T = self.lengths[0]
    values = lengths.enumerated().flatMap { index, length in
      values[index * T * features..<(index * T + length) * features]
    }
    self.lengths = lengths
  }
}

extension NumPyArray {
  /// The elements as whole numbers, row-major.
  public func wholeNumbers() throws(DatasetError) -> [Int] {
    var whole: [Int] = []
    for value in try doubles() {
      guard let number = Int(exactly: value), number.magnitude < 1 << 48 else {
        throw DatasetError(path, "holds \(value)", cure: "store whole numbers")
      }
      whole.append(number)
    }
    return whole
  }
}
