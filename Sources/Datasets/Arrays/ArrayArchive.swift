// SPDX-License-Identifier: Apache-2.0

/// Labelled sequences in NumPy's files: a pair of .npy, or a .npz with both.
public struct ArrayArchive: Sendable {
  /// The location of an array: a file, and the name of the array in a .npz.
  public struct Place: Sendable {
    /// The file.
    public var path: String
    /// The name in a .npz; nil in a .npy.
    public var name: String?

    public init(_ path: String, _ name: String? = nil) {
      (self.path, self.name) = (path, name)
    }
  }

  /// The inputs and targets of the training part.
  public var train: (inputs: Place, targets: Place)
  /// The inputs and targets of the test part; nil splits one off.
  public var test: (inputs: Place, targets: Place)?
  /// What to predict; nil follows from the type of the targets.
  public var task: SequenceArchive.Target?
  /// What happens to missing values.
  public var missing = MissingValues.refuse
  /// The share of sequences that becomes the test part if there is none.
  public var testShare = 0.2

  static let trainInputs = ["x_train", "X_train", "train_x", "train_X"]
  static let trainTargets = ["y_train", "train_y", "labels_train", "train_labels"]
  static let testInputs = ["x_test", "X_test", "test_x", "test_X"]
  static let testTargets = ["y_test", "test_y", "labels_test", "test_labels"]
  static let targetNames = ["targets", "labels", "y", "Y", "target", "label", "classes", "arr_1"]

  public init(
    train: (inputs: Place, targets: Place), test: (inputs: Place, targets: Place)? = nil
  ) {
    (self.train, self.test) = (train, test)
  }

  /// Finds the parts of a .npz archive by the names of its arrays.
  ///
  /// - Parameters:
  ///   - path: the path of the archive
  ///   - inputs: the name of the inputs; nil finds it, and a test part with it
  ///   - targets: likewise
  public init(archive path: String, inputs: String?, targets: String?) throws(DatasetError) {
    let archive = try NumPyArchive(path, wanted: [])
    func name(_ given: String?, _ known: [String], _ option: String) throws(DatasetError) -> String
    {
      if let found = given ?? archive.first(of: known), archive.names.contains(found) {
        return found
      }
      throw DatasetError(
        path, "holds the arrays \(archive.names.prefix(12).joined(separator: ", "))",
        cure: "name the \(option) with --\(option)")
    }
    self.init(
      train: (
        Place(
          path,
          try name(inputs, Self.trainInputs + UnlabelledSequences.inputNames, "inputs")),
        Place(path, try name(targets, Self.trainTargets + Self.targetNames, "targets"))
      ))
    if inputs == nil, targets == nil, let x = archive.first(of: Self.testInputs),
      let y = archive.first(of: Self.testTargets)
    {
      test = (Place(path, x), Place(path, y))
    }
  }

  /// Reads both parts.
  public func read() throws(DatasetError) -> SequenceArchive {
    let first = try ArrayPart(train, missing)
    let second = try test.map { (test) throws(DatasetError) in try ArrayPart(test, missing) }
    if let second, second.sequences.features != first.sequences.features {
      throw DatasetError(
        test!.inputs.path,
        "has \(second.sequences.features) features per step, the training part"
          + " \(first.sequences.features)", cure: "give the same features in both parts")
    }
    let task = self.task ?? first.task
    let naming =
      switch task {
      case .values: ClassNaming([])
      // Columns of labels have numbers for names.
      case .labels: ClassNaming(names: (0..<first.width).map(String.init))
      default: ClassNaming(try first.labels + (second?.labels ?? []))
      }
    let part = try first.part(task, naming)
    let parts: (train: SequenceArchive.Part, test: SequenceArchive.Part)
    var notes = first.sequences.notes + (second?.sequences.notes ?? [])
    if let second {
      parts = (part, try second.part(task, naming))
    } else if task == .classes {
      let split = PartSplit.split(part, testShare: testShare, classNames: naming.names)
      parts = (split.train, split.test)
      notes += split.notes
    } else {
      parts = PartSplit.split(part, testShare: testShare)
    }
    var archive = try SequenceArchive(
      train.inputs.path, features: first.sequences.features, classNames: naming.names,
      target: task, train: parts.train, test: parts.test)
    archive.notes = first.notes(task) + notes
    return archive
  }
}

/// The arrays of a part.
private struct ArrayPart {
  var sequences: UnlabelledSequences
  let targets: NumPyArray
  let path: String
  /// T of each sequence before missing values are treated.
  let lengths: [Int]
  /// T of each sequence after that.
  let kept: KeptSteps
  /// Which steps of the file each remaining sequence has, and their times.
  let steps: [SequenceSteps]

  var count: Int { lengths.count }

  init(
    _ place: (inputs: ArrayArchive.Place, targets: ArrayArchive.Place), _ missing: MissingValues
  ) throws(DatasetError) {
    path = place.targets.path
    var format = UnlabelledFormat()
    format.inputs = place.inputs.name
    // Filled in below, once it is known which rows remain.
    format.table.missing = missing
    let archive = try NumPyArchive(path)
    guard let name = place.targets.name ?? archive.names.first, let array = archive[name] else {
      throw DatasetError(
        path, "has no array \(place.targets.name ?? "")", cure: "name the targets with --targets")
    }
    targets = array
    let read = try UnlabelledSequences.arrays(place.inputs.path, format, filling: false)
    sequences = read
    lengths = read.lengths
    let left = try sequences.fillMissing(missing)
    kept = left
    let starts = Self.starts(read.lengths)
    steps = zip(left.sequences, left.steps).map { index, places in
      var own = SequenceSteps(
        stamps: read.times.map { Array($0[starts[index]..<starts[index + 1]]) })
      if let places { own.keep(places) }
      return own
    }
    let count = read.lengths.count
    let rows = array.shape.first ?? 0
    guard rows == count || rows == read.lengths.reduce(0, +) else {
      throw DatasetError(
        array.path, "is \(array.shape) for \(count) sequences",
        cure: "store a class or number for each sequence, or a class for each step")
    }
  }

  /// The start of each sequence, and the end of the last.
  private static func starts(_ lengths: [Int]) -> [Int] {
    lengths.reduce(into: [0]) { $0.append($0.last! + $1) }
  }

  private var isEveryStep: Bool {
    targets.shape.count == 2 && targets.shape[1] == lengths.max() && !isOneHot
      || targets.shape.count == 1 && targets.shape[0] != count
  }

  private var isOneHot: Bool {
    guard targets.kind == .whole, targets.shape.count == 2, targets.shape[1] > 1 else {
      return false
    }
    let K = targets.shape[1]
    return (0..<targets.shape[0]).allSatisfy { row in
      let values = (0..<K).map { targets.number(row * K + $0) }
      return values.allSatisfy { $0 == 0 || $0 == 1 } && values.reduce(0, +) == 1
    }
  }

  /// K of targets [N, K].
  var width: Int { targets.shape.count == 2 ? targets.shape[1] : 1 }

  /// Whether targets are rows of zeros and ones, one for each of K labels.
  private var areLabels: Bool {
    targets.kind != .float && targets.shape.count == 2 && targets.shape[0] == count && width > 1
      && !isOneHot && !isEveryStep
      && (0..<targets.count).allSatisfy { [0, 1].contains(targets.number($0)) }
  }

  /// What to predict according to the type of the targets: text and whole numbers are classes.
  var task: SequenceArchive.Target {
    if areLabels { return .labels }
    guard targets.kind == .float else { return isEveryStep ? .stepClasses : .classes }
    let areWhole = (0..<targets.count).allSatisfy {
      targets.number($0) == targets.number($0).rounded()
    }
    return areWhole && targets.count == count ? .classes : .values
  }

  /// Notes about how the targets were read.
  func notes(_ task: SequenceArchive.Target) -> [String] {
    let what =
      switch task {
      case .classes: "classes"
      case .values: "numbers to predict"
      case .stepClasses: "a class for each step"
      case .labels: "labels that apply or do not"
      }
    return ["\(targets.path): \(targets.type) \(targets.shape) taken as \(what) (--task)"]
  }

  /// The names of the classes of sequences, or of all steps.
  var labels: [String] {
    get throws(DatasetError) {
      if isOneHot {
        let K = targets.shape[1]
        return (0..<targets.shape[0]).map { row in
          "\((0..<K).first { targets.number(row * K + $0) == 1 } ?? 0)"
        }
      }
      if targets.kind == .float { return try targets.wholeNumbers().map(String.init) }
      return targets.texts
    }
  }

  func part(
    _ task: SequenceArchive.Target, _ naming: ClassNaming
  ) throws(DatasetError) -> SequenceArchive.Part {
    var part = SequenceArchive.Part()
    var start = 0
    for length in sequences.lengths {
      let end = start + length * sequences.features
      part.sequences.append(Array(sequences.values[start..<end]))
      start = end
    }
    part.steps = steps
    switch task {
    case .classes:
      let classes = try labels.map { naming.number(of: $0)! }
      guard classes.count == count else { throw refusal("classification needs [N]") }
      part.classes = kept.sequences.map { classes[$0] }
    case .values:
      let values = try targets.floats()
      let K = values.count / max(count, 1)
      guard targets.shape[0] == count else { throw refusal("regression needs [N] or [N, K]") }
      part.values = kept.sequences.flatMap { values[$0 * K..<($0 + 1) * K] }
    case .labels:
      let values = try targets.wholeNumbers()
      guard targets.shape.count == 2, targets.shape[0] == count,
        values.allSatisfy({ [0, 1].contains($0) })
      else { throw refusal("multilabel needs 1 or 0 for each label of each sequence, [N, K]") }
      guard width == naming.names.count else {
        throw refusal("the training part has \(naming.names.count) labels, this one \(width)")
      }
      part.labels = kept.sequences.map { index in
        values[index * width..<(index + 1) * width].map { Int32($0) }
      }
    case .stepClasses:
      let classes = try labels.map { naming.number(of: $0)! }
      guard isEveryStep else { throw refusal("tagging needs [N, T], or [F] with offsets") }
      let starts = Self.starts(lengths)
      for (index, places) in zip(kept.sequences, kept.steps) {
        let start = targets.shape.count == 1 ? starts[index] : index * targets.shape[1]
        let own = places ?? Array(0..<lengths[index])
        part.stepClasses.append(own.map { classes[start + $0] })
      }
    }
    return part
  }

  private func refusal(_ cure: String) -> DatasetError {
    DatasetError(targets.path, "is \(targets.shape) for \(count) sequences", cure: cure)
  }
}
