import Foundation
import Yams

/// The values given for a configuration, by key path, with the place of each for messages.
struct GivenValues {
  struct Given {
    var text: String
    var place: String
  }

  private(set) var values: [String: Given] = [:]

  /// Adds the scalars of a YAML text, in which no key stands twice.
  mutating func add(yaml: String, path: String) throws(ConfigurationError) {
    // An editor may have put a byte order mark at the start, which would join the first key.
    let yaml =
      yaml.unicodeScalars.first == "\u{FEFF}" ? String(yaml.unicodeScalars.dropFirst()) : yaml
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch {
      let reason = "\(error)".split(separator: "\n").first.map(String.init) ?? "syntax error"
      throw ConfigurationError("\(path): is not valid YAML (\(reason)); fix the line it names")
    }
    guard let root else { return }  // an empty file sets nothing
    guard root.mapping != nil else {
      throw ConfigurationError("\(path): is not a list of `key: value` lines; see configs/")
    }
    var own = GivenValues()
    try own.add(root, prefix: "", path: path)
    values.merge(own.values) { $1 }
  }

  private mutating func add(
    _ node: Node, prefix: String, path: String
  ) throws(ConfigurationError) {
    let line = node.mark.map { ":\($0.line)" } ?? ""
    switch node {
    case .mapping(let mapping):
      // Keys have one section at most. Anchors could make a small file one of very many keys.
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
      try set(prefix, Given(text: scalar.string, place: "\(path)\(line)"))
    case .sequence(let sequence) where sequence.allSatisfy({ $0.scalar != nil }):
      // A list of names is a text with commas; what cannot be one refuses it as that.
      let text = sequence.compactMap { $0.scalar?.string }.joined(separator: ", ")
      try set(prefix, Given(text: text, place: "\(path)\(line)"))
    case .sequence, .alias:
      throw ConfigurationError("\(path): \(prefix) is a list; expected a single value")
    }
  }

  private static let mostDots = 2

  /// Sets a value, once: a key that is written as `section.key` and again below its section would
  /// otherwise take one of the two values in silence.
  private mutating func set(_ key: String, _ value: Given) throws(ConfigurationError) {
    if let first = values[key] {
      throw ConfigurationError(
        "\(value.place): \(key) is given twice, as \"\(first.text)\" (\(first.place)) and as"
          + " \"\(value.text)\"; remove one")
    }
    values[key] = value
  }

  /// Sets a value over what other places gave.
  mutating func replace(_ key: String, _ text: String, place: String) {
    values[key] = Given(text: text, place: place)
  }

  /// Adds a `key.path=value` of the command line.
  mutating func add(assignment: String) throws(ConfigurationError) {
    guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
      throw ConfigurationError("--set \(assignment): expected key.path=value")
    }
    let key = assignment[..<equals].trimmingCharacters(in: .whitespaces)
    var text = assignment[assignment.index(after: equals)...].trimmingCharacters(in: .whitespaces)
    // A list, as a file has it.
    if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
    values[key] = Given(text: text, place: "--set")
  }
}

/// Fills a configuration from given values.
struct ReadingVisitor: ConfigurationVisitor {
  let given: GivenValues
  private var prefix = ""
  private(set) var known: [String] = []

  init(_ given: GivenValues) {
    self.given = given
  }

  mutating func field<Value: ConfigurationValue>(
    _ key: String, _ value: inout Value, _ help: String, _ requirement: Requirement<Value>?,
    effect: KeyEffect
  ) throws(ConfigurationError) {
    let path = prefix + key
    known.append(path)
    guard let given = given.values[path] else { return }
    let found = "\(given.place): \(path) is \"\(given.text)\", expected "
    guard let read = Value(configurationText: given.text) else {
      throw ConfigurationError(found + Value.configurationKind)
    }
    if let requirement, !requirement.isFulfilled(read) {
      throw ConfigurationError(found + "\(Value.configurationKind) \(requirement.text)")
    }
    value = read
  }

  mutating func section<Section: ConfigurationSection>(
    _ key: String, _ section: inout Section
  ) throws(ConfigurationError) {
    let outer = prefix
    prefix += key + "."
    try section.visit(&self)
    prefix = outer
  }

  /// Refuses given keys that no field asked for. A section without keys sets nothing.
  func refuseUnknownKeys() throws(ConfigurationError) {
    for (key, given) in given.values.sorted(by: { $0.key < $1.key }) where !known.contains(key) {
      if let first = known.first(where: { $0.hasPrefix(key + ".") }) {
        if ["", "~", "null"].contains(given.text) { continue }
        throw ConfigurationError(
          "\(given.place): \(key) is a section of keys, but is given the value"
            + " \"\(given.text)\"; set one of its keys, such as \(first)")
      }
      if let whole = known.first(where: { key.hasPrefix($0 + ".") }) {
        throw ConfigurationError(
          "\(given.place): unknown key \(key): \(whole) is a key with one value, and has no keys"
            + " below it")
      }
      let hint = nearest(to: key).map { "the nearest known key is \($0)" }
      throw ConfigurationError(
        "\(given.place): unknown key \(key); \(hint ?? "train --list-keys prints them all")")
    }
  }

  /// The known key that is meant by an unknown one; nil where none is near. One that lacks its
  /// section is near, and one with a few wrong letters.
  private func nearest(to key: String) -> String? {
    func name(_ key: String) -> Substring { key.split(separator: ".").last ?? "" }
    func distance(_ other: String) -> Int {
      min(editDistance(other, key), editDistance(String(name(other)), String(name(key))))
    }
    let nearest = known.min { (distance($0), $0) < (distance($1), $1) }
    return nearest.flatMap { distance($0) <= max(2, name(key).count / 3) ? $0 : nil }
  }
}

/// How many letters must be put in, left out or replaced to turn one word into the other
/// (Levenshtein, 1966).
func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a.utf8), Array(b.utf8))
  var row = Array(0...b.count)
  for (i, letter) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, other) in b.enumerated() {
      let above = row[j + 1]
      row[j + 1] = min(above + 1, row[j] + 1, diagonal + (letter == other ? 0 : 1))
      diagonal = above
    }
  }
  return row[b.count]
}
