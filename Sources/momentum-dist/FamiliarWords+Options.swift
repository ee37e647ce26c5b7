// SPDX-License-Identifier: Apache-2.0

extension FamiliarWords {
  private static let runs: Set = ["evaluate", "predict", "inspect", "report", "watch", "export"]
  private static let runNames: Set = [
    "run", "model", "path", "dir", "folder", "ckpt", "checkpoint", "model-path", "ckpt-path",
    "run-dir", "load",
  ]
  private static let fileNames: Set = ["file", "input", "inputs", "data", "from", "source", "x"]
  private static let resultNames: Set = [
    "o", "out", "output", "save", "save-to", "outfile", "dest", "output-file",
  ]
  /// Whether an option of other programs names the file to write.
  static func isResult(_ option: String) -> Bool {
    resultNames.contains(String(option.drop { $0 == "-" })) && option.hasPrefix("-")
  }

  private static let writing: Set = ["predict", "report", "export"]

  /// What to type instead of an option that a command does not have, or of one with another
  /// meaning.
  ///
  /// - Parameter problem: the parser's message, which names the option
  static func option(of command: String, _ rest: [String], _ problem: String) -> String? {
    let starts = ["Unknown option '", "is invalid for '", "Missing value for '"]
    guard let start = starts.lazy.compactMap({ problem.range(of: $0) }).first else { return nil }
    let typed = problem[start.upperBound...].prefix { $0 != "'" && $0 != " " && $0 != "=" }
    let name = String(typed.drop { $0 == "-" })
    let value = value(of: String(typed), rest)
    if writing.contains(command), resultNames.contains(name) {
      return "type --to \(value ?? "FILE")"
    }
    if command == "export", let file = fileOfFormat(name, value, rest) { return file }
    if command == "predict", fileNames.contains(name) {
      return "the file follows the run: type `momentum-dist predict RUN \(value ?? "FILE")`"
    }
    if command == "evaluate", fileNames.contains(name) {
      return "type --file \(value ?? "FILE.h5")"
    }
    if ["evaluate", "predict"].contains(command), ["part", "subset"].contains(name) {
      return "type --split \(value ?? "test")"
    }
    if runs.contains(command), runNames.contains(name) {
      let file = command == "predict" ? " FILE" : ""
      let line = "momentum-dist \(command) \(value ?? "RUN")\(file)"
      return "the run stands without an option: type `\(line)`"
    }
    return nil
  }

  /// The value that was typed for an option; nil if there is none.
  static func value(of option: String, _ rest: [String]) -> String? {
    for (index, word) in rest.enumerated() {
      if word.hasPrefix(option + "=") { return String(word.dropFirst(option.count + 1)) }
      guard word == option, index + 1 < rest.count, !rest[index + 1].hasPrefix("-") else {
        continue
      }
      return rest[index + 1]
    }
    return nil
  }
}
