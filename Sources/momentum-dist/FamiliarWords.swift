// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Checkpoints
import Configuration
import Files
import Foundation

/// What to type instead of a command line that cannot be parsed.
enum FamiliarWords {
  /// The names that other programs use for our commands.
  private static let commands: [(command: String, names: [String])] = [
    ("train", ["fit", "learn", "run", "start", "main", "pretrain", "finetune"]),
    ("train --resume", ["resume", "continue"]),
    ("train --dry-run", ["check", "validate-config", "dry-run"]),
    ("evaluate", ["test", "eval", "score", "validate", "measure"]),
    ("predict", ["infer", "inference", "forecast", "classify", "apply", "transform"]),
    ("prepare", ["convert", "import", "data", "dataset", "preprocess", "load"]),
    ("inspect", ["info", "show", "summary", "describe", "ls", "list"]),
    ("report", ["plot", "viz", "visualize", "html", "dashboard", "tensorboard"]),
    ("watch", ["monitor", "status", "follow", "tail", "top", "progress"]),
    ("generate", ["sample", "text", "complete"]),
    ("cells", ["models", "layers", "architectures", "systems"]),
    ("doctor", ["diagnose", "env", "system", "selftest"]),
    ("export", ["save", "weights", "onnx", "safetensors"]),
  ]

  private static var known: [String] {
    MomentumDist.configuration.subcommands.map { $0._commandName }
  }

  /// What to type; nil if the words are unknown.
  ///
  /// - Parameter arguments: those of the program, without its name
  static func hint(_ arguments: [String]) -> String? {
    guard let first = arguments.first, !first.hasPrefix("-") else { return nil }
    guard known.contains(first) else {
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
    return first == "train" ? training(rest) : missing(first, rest)
  }

  /// What is missing from a command that takes a run.
  private static func missing(_ command: String, _ rest: [String]) -> String? {
    let words = rest.filter { !$0.hasPrefix("-") }
    if command == "predict", words.count == 1, rest.count == 1 {
      return "name the file of the sequences: `momentum-dist predict \(words[0]) FILE`"
    }
    let onRuns = ["evaluate", "predict", "inspect", "report", "watch", "export"]
    guard rest.isEmpty, onRuns.contains(command),
      let run = newestRun
    else { return nil }
    return "name a run, such as \(run)"
  }

  /// The most recently changed run in `runs/`.
  private static var newestRun: String? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "runs")) ?? []
    func changed(_ run: String) -> Date {
      let attributes = try? FileManager.default.attributesOfItem(atPath: run)
      return attributes?[.modificationDate] as? Date ?? .distantPast
    }
    return names.map { "runs/\($0)" }.filter { !RunFolder.candidates(at: $0).isEmpty }
      .max { (changed($0), $0) < (changed($1), $1) }
  }

  /// "type `momentum-dist train ...`"
  private static func type(_ command: String, _ rest: some Sequence<String>) -> String {
    let words = ([command] + rest).joined(separator: " ")
    return "type `momentum-dist \(words)`"
  }

  private static let options: Set<String> = [
    "config", "set", "output", "resume", "new-data", "threads", "audit", "max-steps", "seeds",
    "dry-run", "list-keys", "help", "version",
  ]

  /// The meaning of the first option or word that `train` does not have.
  private static func training(_ arguments: [String]) -> String? {
    var index = 0
    while index < arguments.count {
      let word = arguments[index]
      let next = index + 1 < arguments.count ? arguments[index + 1] : nil
      index += 1
      guard word.hasPrefix("--") else {
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
      let keys = TrainingConfiguration().keys.map(\.path)
      let plain = name.replacing("-", with: "_")
      let key =
        keys.contains(plain)
        ? plain : FamiliarNames.key(for: name) ?? keys.first { $0.hasSuffix(".\(plain)") }
      if let key { return "it is a key: type --set \(key)=\(value ?? "VALUE")" }
    }
    return nil
  }

  private static func positional(_ word: String) -> String? {
    if word.hasSuffix(".yaml") || word.hasSuffix(".yml") { return "type --config \(word)" }
    if word.contains("=") { return "type --set \(word)" }
    if word.hasSuffix(".h5") || word.hasSuffix(".hdf5") { return "type --set dataset.file=\(word)" }
    if [".csv", ".npz", ".npy", ".ts"].contains(where: word.hasSuffix) {
      return
        "make a data set of it with `momentum-dist prepare`, and type --set dataset.file=FILE.h5"
    }
    return nil
  }
}
