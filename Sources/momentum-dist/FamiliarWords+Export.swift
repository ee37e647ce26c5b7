// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Files

extension FamiliarWords {
  private static let formatOptions: Set = ["--format", "-f", "--fmt", "--type", "--kind"]

  /// `export RUN` without a file, perhaps with the name of a format, as the line to type; nil if the
  /// file is named, or an option is unknown.
  static func exporting(_ arguments: [String]) -> String? {
    var (words, kept) = ([String](), [String]())
    var format: String?
    var file: String?
    var rest = arguments[...]
    while let word = rest.popFirst() {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      let name = parts.first ?? ""
      func value() -> String? { parts.count > 1 ? parts[1] : rest.popFirst() }
      if formatOptions.contains(name) {
        format = value()
      } else if name.hasPrefix("--"), ExportFormat(named: String(name.dropFirst(2))) != nil {
        format = String(name.dropFirst(2))
      } else if name == "--checkpoint" {
        kept += ["--checkpoint", value() ?? "best"]
      } else if name == "--to" || isResult(name) {
        guard let given = value() else { return nil }
        file = given
      } else if name == "--optimizer" {
        kept.append(name)
      } else if name.hasPrefix("-") {
        return nil
      } else {
        words.append(word)
      }
    }
    let isWhole = arguments.contains { $0 == "--to" || $0.hasPrefix("--to=") }
    guard words.count <= 2, !isWhole || words.isEmpty else { return nil }
    let run = words.first ?? RunFolder.newest(in: "runs").first
    // A file that was typed without --to, unless its ending promises another format.
    let typed = file ?? (words.count > 1 ? words[1] : nil)
    let isKnown = ExportFormat.allCases.contains { typed?.hasSuffix($0.ending) == true }
    let ending = (format.flatMap(ExportFormat.init(named:)) ?? .safetensors).ending
    let to = ["--to", isKnown ? typed! : (run.map(DurableFiles.lastName) ?? "FILE") + ending]
    return words.isEmpty ? naming("export", kept + to) : type("export", [words[0]] + kept + to)
  }

  /// The file to name instead of a format; nil if the option is about something else.
  static func fileOfFormat(_ option: String, _ value: String?, _ arguments: [String]) -> String? {
    let named = ExportFormat(named: option)
    guard
      formatOptions.contains("--\(option)") || formatOptions.contains("-\(option)") || named != nil
    else { return nil }
    let ending = (named ?? value.flatMap(ExportFormat.init(named:)) ?? .safetensors).ending
    let to = self.value(of: "--to", arguments) ?? "FILE"
    let stem = DurableFiles.stem(of: DurableFiles.lastName(of: to))
    let folder = DurableFiles.parent(of: to)
    let file = folder == "." ? stem + ending : "\(folder)/\(stem)\(ending)"
    return "the ending of the file is its format: type --to \(quoted(file))"
  }
}

extension ExportFormat {
  /// The format that a word of a person means; nil if there is none.
  init?(named word: String) {
    switch word.lowercased() {
    case "onnx", ".onnx": self = .onnx
    case "card", "model-card", "model_card", "md", ".md", "markdown": self = .card
    case "safetensors", ".safetensors", "torch", "pytorch", "pt", "pth", "weights":
      self = .safetensors
    default: return nil
    }
  }
}
