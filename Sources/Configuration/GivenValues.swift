// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import Yams

/// The values given for a configuration, by key path, with the place of each for messages.
package struct GivenValues {
  struct Given {
    var text: String
    var place: String
    /// Whether a user set it, in a file or on the command line: a resolved configuration lists
    /// every key, of all tasks and cells.
    var isByHand: Bool
  }

  private(set) var values: [String: Given] = [:]

  package init() {}

  /// Adds the scalars of a YAML text, in which no key may be given twice.
  ///
  /// - Parameter isResolved: whether the program wrote it, with every key; nil decides by the keys
  package mutating func add(
    yaml: String, path: String, isResolved: Bool? = nil
  ) throws(ConfigurationError) {
    // An editor may have added a byte order mark, which would become part of the first key.
    let yaml =
      yaml.unicodeScalars.first == "\u{FEFF}" ? String(yaml.unicodeScalars.dropFirst()) : yaml
    try YAMLBounds.check(yaml, path: path)
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch {
      let reason = "\(error)".split(separator: "\n").first.map(\.visible) ?? "syntax error"
      if let line = yaml.split(whereSeparator: \.isNewline).first(where: {
        $0.drop { $0 == " " }.first == "\t"
      }) {
        throw ConfigurationError(
          "\(path): is not valid YAML: a tab is before \"\(String(line.drop(while: \.isWhitespace).prefix(40)).visible)\"; indent with spaces"
        )
      }
      throw ConfigurationError("\(path): is not valid YAML (\(reason)); fix the line it names")
    }
    guard let root else { return }  // an empty file sets nothing
    guard root.mapping != nil else {
      throw ConfigurationError("\(path): is not a list of `key: value` lines; see configs/")
    }
    var own = GivenValues()
    try own.add(root, prefix: "", path: path)
    if isResolved ?? own.listsEveryKey {
      for key in own.values.keys { own.values[key]?.isByHand = false }
    }
    values.merge(own.values) { $1 }
  }

  /// Whether the keys are those of a resolved configuration, of this version or an older one.
  private var listsEveryKey: Bool { Self.keysOfNoSingleRun.allSatisfy { values[$0] != nil } }

  /// Keys that every version lists and that no single run uses together: a view belongs to
  /// classification, steps to generated tasks, and each of the others to an optimizer or cell that
  /// excludes the rest.
  private static let keysOfNoSingleRun = [
    "dataset.view", "dataset.steps", "model.mu", "model.restart", "model.rebase_every",
    "optimizer.nesterov", "optimizer.centered", "optimizer.beta1", "optimizer.decay_epochs",
  ]

  private mutating func add(
    _ node: Node, prefix: String, path: String
  ) throws(ConfigurationError) {
    let line = node.mark.map { ":\($0.line)" } ?? ""
    switch node {
    case .mapping(let mapping):
      // Keys have at most one section. With anchors, a small file could have very many keys.
      guard prefix.filter({ $0 == "." }).count < Self.mostDots else {
        throw ConfigurationError(
          "\(path)\(line): \(prefix) has keys below it; keys nest only one level deep, as in"
            + " model.hidden_size")
      }
      for (key, value) in mapping {
        guard let name = key.string else {
          throw ConfigurationError("\(path): a key under \"\(prefix)\" is not a text")
        }
        try add(value, prefix: prefix.isEmpty ? name : "\(prefix).\(name)", path: path)
      }
    case .scalar(let scalar):
      try set(prefix, Given(text: scalar.string, place: "\(path)\(line)", isByHand: true))
    case .sequence(let sequence) where sequence.allSatisfy({ $0.scalar != nil }):
      // A list of names becomes a text with commas, which other kinds of keys refuse.
      let text = sequence.compactMap { $0.scalar?.string }.joined(separator: ", ")
      try set(prefix, Given(text: text, place: "\(path)\(line)", isByHand: true))
    case .sequence, .alias:
      throw ConfigurationError("\(path): \(prefix) is a list; expected a single value")
    }
  }

  private static let mostDots = 2

  /// Sets a value, once: otherwise a key that is written as `section.key` and again below its
  /// section would silently get one of the two values.
  private mutating func set(_ key: String, _ value: Given) throws(ConfigurationError) {
    try YAMLBounds.check(key: key, place: value.place)
    guard values.count < YAMLBounds.mostKeys else {
      throw ConfigurationError(
        "\(value.place): has more than \(YAMLBounds.mostKeys) keys; see configs/ for examples")
    }
    if let first = values[key] {
      throw ConfigurationError(
        "\(value.place): \(key) is given twice, as \"\(first.text)\" (\(first.place)) and as"
          + " \"\(value.text)\"; remove one")
    }
    values[key] = value
  }

  /// Whether the program wrote a text: it has every key, and nothing that a user added.
  package static func isResolved(_ yaml: String) -> Bool {
    var given = GivenValues()
    guard (try? given.add(yaml: yaml, path: "", isResolved: true)) != nil else { return false }
    let isCommented = yaml.split(whereSeparator: \.isNewline).contains {
      $0.first { !$0.isWhitespace } == "#"
    }
    return given.listsEveryKey && !isCommented
  }

  /// Sets a value, replacing those from other places.
  package mutating func replace(_ key: String, _ text: String, place: String, isByHand: Bool) {
    values[key] = Given(text: text, place: place, isByHand: isByHand)
  }

  /// Adds a `key.path=value` of the command line.
  mutating func add(assignment: String) throws(ConfigurationError) {
    guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
      throw ConfigurationError("--set \(assignment): expected key.path=value")
    }
    let key = assignment[..<equals].trimmingCharacters(in: .whitespaces)
    try YAMLBounds.check(key: key, place: "--set")
    var text = assignment[assignment.index(after: equals)...].trimmingCharacters(in: .whitespaces)
    // A list, as in a file.
    if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
    values[key] = Given(text: text, place: "--set", isByHand: true)
  }
}
