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
      throw ConfigurationError(found + Value.configurationKind)
    }
    if let requirement = key.requirement, !requirement.isFulfilled(read) {
      throw ConfigurationError(found + "\(Value.configurationKind) \(requirement.text)")
    }
    value = read
  }

  mutating func visit<Section: ConfigurationSection>(
    section name: String, _ section: inout Section, use: KeyUse
  ) throws(ConfigurationError) {
    let outer = prefix
    prefix += name + "."
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
