// SPDX-License-Identifier: Apache-2.0

import Tensors

/// Maps the classes of one data set to their numbers in another, by name.
public struct ClassNumbering: Sendable, Equatable {
  /// The number in the other set of each class.
  public let numbers: [Int32]
  /// The names in the other set.
  public let names: [String]

  /// Whether every class has the same number in both sets.
  public var isSame: Bool { numbers.indices.allSatisfy { numbers[$0] == Int32($0) } }

  /// Numbers classes like those that a model has learned.
  ///
  /// - Parameters:
  ///   - own: the names of a data set, all or some of the learned names
  ///   - learned: the names that the model learned
  ///   - path: the data set, for messages
  ///   - cure: what to do if a name was not learned
  /// - Throws: `DatasetError` with the first name that was not learned
  public init(
    _ own: [String], as learned: [String], _ path: String, cure: String
  ) throws(DatasetError) {
    // Names are compared by bytes, so canonically equivalent names differ.
    let numbered = learned.enumerated().map { (Array($1.utf8), Int32($0)) }
    let places = Dictionary(numbered) { first, _ in first }
    var numbers: [Int32] = []
    for (number, name) in own.enumerated() {
      guard let place = places[Array(name.utf8)] else {
        throw DatasetError(
          path,
          "class \(number) is \(name.debugDescription), which the run did not learn: it knows "
            + quoted(learned), cure: cure)
      }
      numbers.append(place)
    }
    (self.numbers, names) = (numbers, learned)
  }
}

/// A source whose classes are numbered like those of another data set.
public struct RelabelledSource: SequenceSourceWrapper {
  public let base: any SequenceSource
  private let numbering: ClassNumbering

  public init(_ base: any SequenceSource, _ numbering: ClassNumbering) {
    self.base = base
    self.numbering = numbering
  }

  public var targetKind: TargetKind {
    guard base.targetKind.isClassOfSequence else { return base.targetKind }
    return .classes(numbering.names.count)
  }
  public var classNames: [String]? { numbering.names }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let targets = try base.read(indices, into: x)
    guard targets.kind.isClassOfSequence else { return targets }
    return SequenceTargets(targetKind, whole: targets.whole.map { numbering.numbers[Int($0)] })
  }
}
