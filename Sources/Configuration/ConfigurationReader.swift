// SPDX-License-Identifier: Apache-2.0

import Files

/// Fills a configuration from given values.
struct ReadingVisitor: ConfigurationVisitor {
  let given: GivenValues
  private var prefix = ""
  private(set) var known: [String] = []

  init(_ given: GivenValues) {
    self.given = given
  }

  mutating func visit<Value: ConfigurationValue>(
    _ key: KeyDescription<Value>, _ value: inout Value
  ) throws(ConfigurationError) {
    let path = prefix + key.name
    known.append(path)
    guard let given = given.values[path] else { return }
    let found = "\(given.place): \(path) is \"\(given.text)\", expected "
    guard let read = Value(configurationText: given.text) else {
      // Names are in lower case.
      let lower = given.text.lowercased()
      if lower != given.text, Value(configurationText: lower) != nil {
        throw ConfigurationError(found + "\(lower), in lower case")
      }
      if let near = Self.nearestChoice(to: given.text, Value.configurationKind) {
        throw ConfigurationError(found + "\(near), the nearest name")
      }
      throw ConfigurationError(found + Value.configurationKind)
    }
    if let requirement = key.requirement, !requirement.isFulfilled(read) {
      throw ConfigurationError(found + "\(Value.configurationKind) \(requirement.text)")
    }
    value = read
  }

  /// The choice that a text means: the same letters without hyphens and underscores, or a few wrong
  /// letters; nil if none is near, or if the kind has no choices.
  private static func nearestChoice(to text: String, _ kind: String) -> String? {
    guard kind.hasPrefix("one of ") else { return nil }
    let choices = kind.dropFirst("one of ".count).split(separator: ", ").map(String.init)
    func plain(_ text: String) -> String {
      text.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }
    }
    if let meant = FamiliarNames.values[text.lowercased()], choices.contains(meant) { return meant }
    return choices.first { plain($0) == plain(text) }
      ?? (text.count > 2 ? nearestWord(to: text.lowercased(), among: choices) : nil)
  }

  mutating func visit<Section: ConfigurationSection>(
    section name: String, _ section: inout Section, use: KeyUse
  ) throws(ConfigurationError) {
    let outer = prefix
    prefix += name + "."
    try section.visit(&self)
    prefix = outer
  }

  /// Refuses given keys that no field has read. A section without keys sets nothing.
  func refuseUnknownKeys() throws(ConfigurationError) {
    for (key, given) in given.values.sorted(by: { $0.key < $1.key }) where !known.contains(key) {
      if let first = known.first(where: { $0.hasPrefix(key + ".") }) {
        if ["", "~", "null"].contains(given.text) { continue }
        throw ConfigurationError(
          "\(given.place): \(key) is a section of keys, but is given the value"
            + " \"\(given.text)\"; set one of its keys, such as"
            + " \(Self.assignment(familiar(key) ?? first, given))")
      }
      if let whole = known.first(where: { key.hasPrefix($0 + ".") }) {
        throw ConfigurationError(
          "\(given.place): unknown key \(key): \(whole) is a key with one value, and has no keys"
            + " below it")
      }
      if let meant = familiar(key) {
        throw ConfigurationError(
          "\(given.place): unknown key \(key); write \(Self.assignment(meant, given))")
      }
      if let cure = FamiliarNames.cure(for: key) {
        throw ConfigurationError("\(given.place): unknown key \(key); \(cure)")
      }
      let hint = nearest(to: key).map { "the nearest known key is \($0)" }
      throw ConfigurationError(
        "\(given.place): unknown key \(key); \(hint ?? "train --list-keys prints them all")")
    }
  }

  /// The known key that has this name in other programs; nil if there is none.
  private func familiar(_ key: String) -> String? {
    FamiliarNames.key(for: key).flatMap { known.contains($0) ? $0 : nil }
  }

  /// A key with its value, written as in that place.
  private static func assignment(_ key: String, _ given: GivenValues.Given) -> String {
    given.place == "--set" ? "--set \(key)=\(given.text)" : "\(key): \(given.text)"
  }

  /// The known key nearest to an unknown one; nil if none is near. A key without its section is
  /// near, and so is one with a few wrong letters.
  private func nearest(to key: String) -> String? {
    func name(_ key: String) -> Substring { key.split(separator: ".").last ?? "" }
    func distance(_ other: String) -> Int {
      min(editDistance(other, key), editDistance(String(name(other)), String(name(key))))
    }
    let nearest = known.min { (distance($0), $0) < (distance($1), $1) }
    return nearest.flatMap { distance($0) <= max(2, name(key).count / 3) ? $0 : nil }
  }
}
