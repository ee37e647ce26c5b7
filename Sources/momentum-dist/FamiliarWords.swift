// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Checkpoints
import Configuration
import Files
import Foundation

/// What to type instead of a command line that cannot be parsed.
enum FamiliarWords {
  /// The names of other programs for the commands of this one.
  private static let commands: [(command: String, names: [String])] = [
    ("train", ["fit", "learn", "run", "start", "main", "pretrain", "finetune"]),
    ("train --resume", ["resume", "continue"]),
    ("train --dry-run", ["check", "validate-config", "dry-run"]),
    ("train --sweep KEY=A,B,C", ["sweep", "tune", "search", "grid", "hpo", "optuna"]),
    ("--version", ["version"]),
    ("evaluate", ["test", "eval", "score", "validate", "measure"]),
    ("predict", ["infer", "inference", "forecast", "classify", "apply", "transform"]),
    ("prepare", ["convert", "import", "data", "dataset", "preprocess", "load"]),
    ("inspect", ["info", "show", "summary", "describe", "ls", "list"]),
    ("report", ["plot", "viz", "visualize", "html", "dashboard", "tensorboard"]),
    ("watch", ["monitor", "status", "follow", "tail", "top", "progress"]),
    ("generate", ["sample", "text", "complete"]),
    ("cells", ["models", "layers", "architectures", "systems"]),
    ("doctor", ["diagnose", "env", "system", "selftest"]),
    ("export", ["save", "weights", "onnx", "safetensors", "card"]),
  ]

  private static var known: [String] {
    MomentumDist.configuration.subcommands.map { $0._commandName }
  }

  /// The command to type; nil if the words are unknown.
  ///
  /// - Parameters:
  ///   - arguments: the arguments of the program, without its name
  ///   - problem: the parser's message
  static func hint(_ arguments: [String], _ problem: String = "") -> String? {
    guard let first = arguments.first, !first.hasPrefix("-") else { return nil }
    guard known.contains(first) || first == "help" else {
      let word = first.lowercased()
      let meant =
        commands.first { $0.names.contains(word) }?.command
        ?? nearestWord(to: word, among: known)
      let rest = arguments.dropFirst()
      guard let meant else {
        return first.hasSuffix(".yaml") || first.hasSuffix(".yml")
          ? type("train --config \(first)", rest) : nil
      }
      return type(meant, rest)
    }
    let rest = Array(arguments.dropFirst())
    switch first {
    case "train": return training(rest)
    case "prepare": return preparing(rest)
    default:
      return option(of: first, rest, problem) ?? missing(first, rest, problem)
    }
  }

  /// The problem with `help COMMAND`, and what to type; nil if there is such a command.
  static func unknownHelp(_ arguments: [String]) -> String? {
    guard arguments.count > 1, arguments[0] == "help", !arguments[1].hasPrefix("-"),
      !known.contains(arguments[1]), arguments[1] != "help"
    else { return nil }
    let meant = nearestWord(to: arguments[1].lowercased(), among: known)
    let cure = meant.map { "type `momentum-dist help \($0)`" } ?? "see momentum-dist --help"
    return "momentum-dist: there is no command \(arguments[1]); \(cure)"
  }

  /// What is missing from a command that takes a run.
  private static func missing(
    _ command: String, _ rest: [String], _ problem: String
  ) -> String? {
    let words = rest.filter { !$0.hasPrefix("-") }
    if command == "export", let line = exporting(rest) { return line }
    if command == "evaluate", words.count == 2, rest.count == 2 {
      return type("evaluate \(words[0]) --file \(words[1])", [])
    }
    if command == "predict", words.count == 1, rest.count == 1 {
      return "name the file of the sequences: `momentum-dist predict \(words[0]) FILE`"
    }
    let prompt = rest.contains { $0.hasPrefix("--prompt") } ? [] : ["--prompt", "TEXT"]
    if command == "generate", !words.isEmpty, !prompt.isEmpty {
      return type("generate", rest + prompt)
    }
    let onRuns = ["evaluate", "predict", "generate", "inspect", "report", "watch"]
    let names = ["<path>", "<checkpoint>", "<runs>", "<folder>"]
    guard onRuns.contains(command),
      rest.isEmpty
        || names.contains(where: { problem.hasPrefix("Missing expected argument '\($0)") })
    else { return nil }
    let file = command == "predict" && !rest.contains("--stream") ? ["FILE"] : []
    return naming(command, file + rest + (command == "generate" ? prompt : []))
  }

  /// The command with the most recently changed run in `runs/`, and the names of others.
  static func naming(_ command: String, _ rest: [String]) -> String {
    let runs = RunFolder.newest(in: "runs")
    guard let newest = runs.first else {
      let line = ([command, "RUN"] + rest.map(quoted)).joined(separator: " ")
      return "name a run: `momentum-dist \(line)`; runs/ has none, `momentum-dist train` makes one"
    }
    let others = runs.dropFirst().prefix(2)
    return type("\(command) \(newest)", rest)
      + (others.isEmpty ? "" : ", or name another run, such as \(others.joined(separator: " or "))")
  }

  /// "type `momentum-dist train ...`"
  static func type(_ command: String, _ rest: some Sequence<String>) -> String {
    let words = ([command] + rest.map(quoted)).joined(separator: " ")
    return "type `momentum-dist \(words)`"
  }

  /// A word, quoted for a shell if necessary.
  static func quoted(_ word: String) -> String {
    word.contains(where: { " ()&;'*?$".contains($0) }) && !word.contains("'") ? "'\(word)'" : word
  }

  private static let options: Set<String> = [
    "config", "set", "output", "resume", "new-data", "threads", "audit", "max-steps", "max-time",
    "test", "seeds", "sweep", "trials", "halving", "initial", "overfit", "fast-dev-run", "dry-run",
    "list-keys", "help", "version",
  ]

  /// The meaning of the first option or word that `train` does not have.
  private static func training(_ arguments: [String]) -> String? {
    var index = 0
    while index < arguments.count {
      let word = arguments[index]
      let next = index + 1 < arguments.count ? arguments[index + 1] : nil
      index += 1
      guard word.hasPrefix("--") else {
        // `--set epochs 3`
        if index > 2, arguments[index - 3] == "--set", !arguments[index - 2].contains("=") {
          return "type --set \(arguments[index - 2])=\(word)"
        }
        // Skip the value of the preceding option.
        if let hint = positional(word), index < 2 || !arguments[index - 2].hasPrefix("--") {
          return hint
        }
        continue
      }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1).map(String.init)
      guard let name = parts.first, !options.contains(name) else { continue }
      let value = parts.count > 1 ? parts[1] : next.flatMap { $0.hasPrefix("--") ? nil : $0 }
      if let cure = FamiliarNames.cure(for: name) { return cure }
      if let key = key(for: name) { return "it is a key: type --set \(key)=\(value ?? "VALUE")" }
    }
    return nil
  }

  /// The key of a configuration that a name means; nil if it is unknown.
  private static func key(for name: String) -> String? {
    let keys = TrainingConfiguration().keys.map(\.path)
    let plain = name.replacing("-", with: "_")
    return keys.contains(plain)
      ? plain : FamiliarNames.key(for: name) ?? keys.first { $0.hasSuffix(".\(plain)") }
  }

  private static func positional(_ word: String) -> String? {
    if word.hasSuffix(".yaml") || word.hasSuffix(".yml") { return "type --config \(word)" }
    if let equals = word.firstIndex(of: "="), equals > word.startIndex {
      let name = String(word[..<equals])
      return "type --set \(key(for: name) ?? name)\(word[equals...])"
    }
    if word.hasSuffix(".h5") || word.hasSuffix(".hdf5") { return "type --set dataset.file=\(word)" }
    if let command = preparation(of: word) {
      return
        "make a data set of it with `momentum-dist \(command)`, and type --set dataset.file=FILE.h5"
    }
    return nil
  }
}
