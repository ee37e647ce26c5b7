// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Configuration
import Datasets
import Files
import Foundation
import Reports

/// A model card as Markdown that model hubs read: the model, its data, its results, and the command
/// that trains it again.
public struct ModelCard {
  let configuration: TrainingConfiguration
  let manifest: CheckpointManifest
  /// The name of the model in the card, which is that of the run's folder.
  let name: String
  /// The results on the held-out part at the checkpoint's step, by key; nil if there are none.
  let validation: [String: Double]?
  /// The results of `evaluate` on the test part; nil if it was not measured.
  let test: EvaluationRecord?

  /// - Parameters:
  ///   - configuration: the configuration of the checkpoint
  ///   - manifest: the manifest of the checkpoint
  ///   - folder: the folder of the checkpoint
  public init(
    _ configuration: TrainingConfiguration, _ manifest: CheckpointManifest, folder: String
  ) {
    let run = RunFolder(ofCheckpoint: folder).path
    self.init(
      configuration, manifest, name: URL(fileURLWithPath: run).lastPathComponent,
      validation: RunRecord.validation(of: run, atStep: manifest.step),
      test: EvaluationRecord(contentsOf: EvaluationRecord.path(in: run, split: "test")))
  }

  init(
    _ configuration: TrainingConfiguration, _ manifest: CheckpointManifest, name: String,
    validation: [String: Double]?, test: EvaluationRecord?
  ) {
    (self.configuration, self.manifest, self.name) = (configuration, manifest, name)
    (self.validation, self.test) = (validation, test)
  }

  /// The text that distinguishes a card from other files.
  private static let mark = "library_name: momentum-dist"

  /// Writes the card, under a temporary name until it is complete.
  ///
  /// - Throws: `ExportError` if the file exists and is not a card, `DatasetError` if it cannot be
  ///   written
  public func write(to path: String) throws {
    if let old = DurableFiles.ordinaryContents(of: path),
      !String(decoding: old.prefix(4096), as: UTF8.self).contains(Self.mark)
    {
      throw ExportError(
        "\(path): exists, and is not a model card of this program; name another file, or remove it")
    }
    do {
      try DurableFiles.createFolder(DurableFiles.parent(of: path))
      try DurableFiles.write(text, to: path)
    } catch {
      throw DatasetError.unwritable(path, error)
    }
  }

  // MARK: Text

  /// The whole card.
  var text: String {
    let model = configuration.model
    return """
      ---
      \(Self.mark)
      tags:
      - recurrent-neural-network
      - \(model.system.name)
      - \(configuration.dataset.task.rawValue)
      ---

      # \(plain(name))

      \(opening)

      ## Model

      \(table(modelRows))

      ## Data

      \(table(dataRows))

      ## Results

      \(results)

      ## The same model again

      ```bash
      \(command)
      ```

      \(repetition)

      ## Limits

      \(limits.map { "- \($0)" }.joined(separator: "\n"))

      """
  }

  private var opening: String {
    let model = configuration.model
    let layers = model.layers == 1 ? "one layer" : "\(model.layers) layers"
    let ways = model.bidirectional ? ", in both directions" : ""
    return "The cell \(code(model.title)) in \(layers)\(ways), for the task"
      + " \(code(configuration.dataset.task.rawValue)), with \(manifest.parameterCount) parameters,"
      + " trained by \(plain(manifest.machine.program))."
  }

  private var modelRows: [(String, String)] {
    let model = configuration.model
    let values = Dictionary(configuration.keys.map { ($0.path, $0.value) }) { $1 }
    let constants = model.system.hyperparameters.compactMap { key in
      values["model.\(key.rawValue)"].map { code("\(key.rawValue)=\($0)") }
    }
    return [
      ("cell", "\(code(model.title)) (\(model.system.source))"),
      ("constants", constants.isEmpty ? "none" : constants.joined(separator: ", ")),
      ("layers, units", "\(model.layers), \(model.hiddenSize)"),
      ("read from", model.pooling == .mean ? "the mean of all states" : "the states"),
      ("parameters", "\(manifest.parameterCount)"),
      ("parameters_sha256", code(manifest.parametersSHA256)),
      ("optimizer", "\(code(manifest.optimizer.name)), \(manifest.step) steps"),
    ]
  }

  private var dataRows: [(String, String)] {
    guard let data = manifest.data else {
      return [("identity", "not recorded by the version that trained")]
    }
    var rows: [(String, String)] = []
    if let generated = data.generated { rows.append(("generated", code(generated))) }
    for (name, part) in data.parts.sorted(by: { $0.key < $1.key }) {
      rows.append(
        (
          plain(name),
          "\(part.count) sequences of at most \(part.steps) steps of \(part.features) features;"
            + " \(plain(part.kind))"
        ))
      for (what, print) in [("inputs", part.inputs), ("targets", part.targets)] {
        guard let print, let sum = print.crc32 ?? print.sample else { continue }
        let kind = print.crc32 == nil ? "CRC-32 of a sample" : "CRC-32"
        rows.append(("\(plain(name)), \(what)", "\(print.shape), \(kind) \(code(sum))"))
      }
    }
    if let heldOut = data.heldOut {
      rows.append(("held out of train", "\(heldOut) sequences for validation"))
    }
    if let names = data.meaning.classNames {
      let shown = names.prefix(50).map(code).joined(separator: ", ")
      rows.append(("classes", names.count > 50 ? "\(shown) and \(names.count - 50) more" : shown))
    }
    if let words = data.meaning.vocabulary {
      rows.append(("vocabulary", "\(words.count) tokens of level \(plain(words.level))"))
    }
    if data.meaning.statistics != nil {
      rows.append(("inputs", "normalised by the mean and standard deviation of the training part"))
    }
    if data.meaning.scaling != 1 {
      rows.append(("whole numbers", "multiplied by \(brief(data.meaning.scaling))"))
    }
    return rows
  }

  func table(_ rows: [(String, String)]) -> String {
    "| | |\n|---|---|\n" + rows.map { "| \($0.0) | \($0.1) |" }.joined(separator: "\n")
  }

  /// A text from a file, escaped so that it starts no line, column, bracketed link or HTML element.
  func plain(_ text: String) -> String {
    text.visible.reduce(into: "") { result, character in
      if "\\`*_[]<>|&#".contains(character) { result.append("\\") }
      result.append(character)
    }
  }

  /// A text as code in a line or a cell of a table.
  func code(_ text: String) -> String {
    "`\(text.visible.replacing("`", with: "'").replacing("|", with: "\\|"))`"
  }
}
