extension DurableFiles {
  /// The last name of a path: `c` of `a/b/c` and of `a/b/c/`; `/` of the root.
  ///
  /// Foundation's own functions trap on paths of one character.
  public static func lastName(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? (path.isEmpty ? "" : "/")
  }

  /// A name without its ending: `run` of `run.yaml`, `..` of `...yaml`, and `.yaml` of itself.
  public static func stem(of name: String) -> String {
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }
}
