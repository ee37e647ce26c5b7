// SPDX-License-Identifier: Apache-2.0

import RandomNumbers

/// Cuts one table into a training and a test part.
enum PartSplit {
  /// Draws the test part at random. If a class of two or more sequences is then in only one part,
  /// draws again within each class, so that every such class is in both parts.
  ///
  /// - Returns: the parts, and lines that say how they were drawn
  static func split(
    _ all: SequenceArchive.Part, testShare: Double, classNames: [String]
  ) -> (train: SequenceArchive.Part, test: SequenceArchive.Part, notes: [String]) {
    var stream = RandomStream(seed: 0, purpose: .validationSplit)
    let order = stream.permutation(all.classes.count)
    let count = Int((testShare * Double(order.count)).rounded())
    let totals = counts(all.classes, classNames.count)
    var test = Array(order[..<count])
    var notes: [String] = []
    let inTest = counts(test.map { all.classes[$0] }, classNames.count)
    if zip(totals, inTest).contains(where: { $0 > 1 && $1 == 0 || $0 > 0 && $1 == $0 }) {
      test = withinClasses(order, all.classes, totals, testShare)
      notes.append(
        "the test part was stratified by class, so that rare classes are in both parts")
    }
    if let alone = totals.firstIndex(of: 1) {
      let others = totals.count { $0 == 1 } - 1
      notes.append(
        "the class \(quoted(classNames[alone].utf8))"
          + (others > 0 ? " and \(others) others have" : " has")
          + " only one sequence, so it is in one part only")
    }
    let isTest = Set(test)
    return (
      part(all, order.filter { !isTest.contains($0) }), part(all, test), notes
    )
  }

  /// Draws the test part at random.
  static func split(
    _ all: SequenceArchive.Part, testShare: Double
  ) -> (train: SequenceArchive.Part, test: SequenceArchive.Part) {
    var stream = RandomStream(seed: 0, purpose: .validationSplit)
    let order = stream.permutation(all.sequences.count)
    let count = Int((testShare * Double(order.count)).rounded())
    return (part(all, Array(order[count...])), part(all, Array(order[..<count])))
  }

  /// Draws this share of each class of two or more sequences: at least one, and not all of them.
  private static func withinClasses(
    _ order: [Int], _ classes: [Int32], _ totals: [Int], _ share: Double
  ) -> [Int] {
    var left = totals.map { total in
      total < 2 ? 0 : min(max(Int((share * Double(total)).rounded()), 1), total - 1)
    }
    return order.filter { index in
      let label = Int(classes[index])
      guard left[label] > 0 else { return false }
      left[label] -= 1
      return true
    }
  }

  static func counts(_ classes: [Int32], _ count: Int) -> [Int] {
    classes.reduce(into: [Int](repeating: 0, count: count)) { $0[Int($1)] += 1 }
  }

  private static func part(
    _ all: SequenceArchive.Part, _ indices: [Int]
  ) -> SequenceArchive.Part {
    var part = SequenceArchive.Part()
    part.sequences = indices.sorted().map { all.sequences[$0] }
    if !all.classes.isEmpty { part.classes = indices.sorted().map { all.classes[$0] } }
    if !all.stepClasses.isEmpty {
      part.stepClasses = indices.sorted().map { all.stepClasses[$0] }
    }
    if !all.labels.isEmpty { part.labels = indices.sorted().map { all.labels[$0] } }
    let K = all.values.count / max(all.sequences.count, 1)
    part.values = indices.sorted().flatMap { all.values[$0 * K..<($0 + 1) * K] }
    part.steps = indices.sorted().map { all.steps(of: $0) }
    return part
  }
}
