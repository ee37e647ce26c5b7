import Files

/// What a configuration may take of time and memory, whoever wrote it. It is looked at before the
/// text is parsed, for a parser follows references to references, of which a few hundred bytes hold
/// more than any memory.
enum YAMLBounds {
  static let mostBytes = 1 << 20
  /// So many references make at most some twenty times as much of a text: three of each of three.
  static let mostReferences = 8
  static let mostKeys = 10_000
  static let longestKey = 200

  /// Refuses a text that is too long or refers to parts of itself too often.
  ///
  /// A reference is a `*` before a name, at the start of a word. In a quoted text it is none, and is
  /// counted all the same: what is quoted is for the parser to say.
  static func check(_ yaml: String, path: String) throws(ConfigurationError) {
    guard yaml.utf8.count <= mostBytes else {
      throw ConfigurationError(
        "\(path): has more than \(mostBytes) bytes; name a YAML file, see configs/ for examples")
    }
    var count = 0
    var before = UInt8(ascii: " ")
    for byte in yaml.utf8 {
      if before == UInt8(ascii: "*"), byte > 0x20, byte != UInt8(ascii: "/") { count += 1 }
      before = startsWord(before) || byte != UInt8(ascii: "*") ? byte : UInt8(ascii: "x")
    }
    guard count <= mostReferences else {
      throw ConfigurationError(
        "\(path): has \(count) references (*name) to parts of itself, more than"
          + " \(mostReferences); write those parts out")
    }
  }

  /// Whether a word may begin behind this byte: not behind letters, digits and what paths are of.
  private static func startsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "/"),
      UInt8(ascii: "."), UInt8(ascii: "*"):
      false
    default: true
    }
  }

  /// Refuses a key that is longer than any: to find the known one that it is near to takes time that
  /// grows with its length.
  static func check(key: String, place: String) throws(ConfigurationError) {
    guard key.utf8.count > longestKey else { return }
    throw ConfigurationError(
      "\(place): a key of \(key.utf8.count) bytes, \"\(String(key.prefix(40)).visible)...\"; keys have"
        + " at most \(longestKey), and train --list-keys prints them all")
  }
}
