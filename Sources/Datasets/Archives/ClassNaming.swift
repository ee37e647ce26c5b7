// SPDX-License-Identifier: Apache-2.0

/// Maps labels to classes, and names the classes.
struct ClassNaming {
  let names: [String]
  private let numbers: [ExactText: Int32]

  /// Names the classes in the order of the labels. If all labels are strings of zeros with a single
  /// one, the position of the one is the class.
  init(_ labels: [String]) {
    let distinct = Set(labels.map { ExactText($0) })
    let widths = Set(distinct.map(\.text.utf8.count))
    let isOneHot =
      widths.count == 1 && widths.first! >= 2
      && distinct.allSatisfy { label in
        let digits = label.text.utf8
        return digits.allSatisfy { $0 == 0x30 || $0 == 0x31 } && digits.count { $0 == 0x31 } == 1
      }
    guard isOneHot else {
      self.init(names: Self.order(distinct))
      return
    }
    self.init(
      names: (0..<widths.first!).map(String.init),
      numbers: Dictionary(
        uniqueKeysWithValues: distinct.map { label in
          (label, Int32(Array(label.text.utf8).firstIndex(of: 0x31)!))
        }))
  }

  /// Takes classes in a given order. A class that is named twice counts once.
  init(names: [String]) {
    var numbers: [ExactText: Int32] = [:]
    var once: [String] = []
    for name in names where numbers[ExactText(name)] == nil {
      numbers[ExactText(name)] = Int32(once.count)
      once.append(name)
    }
    self.init(names: once, numbers: numbers)
  }

  private init(names: [String], numbers: [ExactText: Int32]) {
    self.names = names
    self.numbers = numbers
  }

  /// The class of a label; nil if there is none.
  func number(of label: String) -> Int32? { numbers[ExactText(label)] }

  /// Sorts labels: as numbers if all are numbers, otherwise by their letters.
  static func order(_ labels: Set<ExactText>) -> [String] {
    let numbers = labels.compactMap { label in
      Double(label.text).flatMap { $0.isNaN ? nil : (value: $0, label: label) }
    }
    guard numbers.count == labels.count else { return labels.sorted().map(\.text) }
    return numbers.sorted { ($0.value, $0.label) < ($1.value, $1.label) }.map(\.label.text)
  }
}
