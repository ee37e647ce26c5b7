// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Configuration
import Datasets
import Files
import Foundation
import Reports
import Testing

@testable import Exports

@Suite struct ModelCardTests {
  private func card(
    _ settings: [String] = [], validation: [String: Double]? = nil, test: EvaluationRecord? = nil,
    best: Double? = nil, data: DataIdentity? = nil,
    program: String = "momentum-dist 9.8.7", name: String = "waves"
  ) throws -> ModelCard {
    let configuration = try TrainingConfiguration(
      yaml: "", path: "config.yaml",
      assignments: [
        "dataset.task=classification", "dataset.file=my data.h5", "model.cell=momentum_lstm",
        "model.mu=0.25",
      ] + settings)
    let manifest = CheckpointManifest(
      step: 40, epoch: 3, batch: 0, parameterCount: 1234, parametersSHA256: "abc123",
      optimizer: .init(name: "adam", stepCount: 40),
      progress: best.map { [CheckpointManifest.bestStepKey: $0] } ?? [:], tensors: [], files: [],
      configuration: "",
      machine: .init(
        precision: "float32", kernels: "avx2", blasCore: "Haswell", virtualShards: 8, ranks: 2,
        program: program), data: data)
    return ModelCard(
      configuration, manifest, name: name, validation: validation, test: test)
  }

  private var identity: DataIdentity {
    var data = DataIdentity()
    data.parts["train"] = .init(
      count: 900, steps: 29, features: 12, kind: "classes 2",
      inputs: Fingerprint(shape: [900, 29, 12], crc32: 0xabcd))
    data.heldOut = 90
    data.meaning.classNames = ["a|b", "c`d\n# e"]
    return data
  }

  @Test func theCardSaysWhatTheModelIs() throws {
    let text = try card(data: identity).text
    #expect(text.hasPrefix("---\nlibrary_name: momentum-dist\n"))
    for words in [
      "# waves", "`momentum_lstm`", "Nguyen et al., NeurIPS 2020", "`mu=0.25`", "1234", "`abc123`",
      "900 sequences of at most 29 steps of 12 features", "`0000abcd`",
      "90 sequences for validation", "trained by momentum-dist 9.8.7",
      "With momentum-dist 9.8.7 and", "12 features per step",
    ] {
      #expect(text.contains(words), "\(words)")
    }
    // Names of classes are text of the data, which make no line or column of their own.
    #expect(text.contains("| classes | `a\\|b`, `c'd\\n# e` |"), "\(text)")
  }

  /// The command has every key that is not the default, as one line that a shell reads.
  @Test func theCommandRepeatsTheRun() throws {
    let card = try card(["optimizer.learning_rate=0.5", "model.layers=2"])
    #expect(
      card.command == """
        momentum-dist train --output waves --max-steps 40 --set dataset.task=classification \
        --set 'dataset.file=my data.h5' --set model.layers=2 --set model.mu=0.25 \
        --set optimizer.learning_rate=0.5
        """)
    #expect(card.text.contains(card.command))
  }

  /// Texts of somebody else's checkpoint make no line, link or element of the card, and do not end
  /// its block of code.
  @Test func textsOfStrangersAreShown() throws {
    let evil = "x\n```\n\n# y <script>z</script> [a](b) \u{1b}[2J|"
    var data = identity
    data.parts["train"]?.kind = evil
    data.parts[evil] = data.parts["train"]
    let vocabulary: [String: Any] = ["level": evil, "count": 3, "sha256": ""]
    data.meaning.vocabulary = try JSONDecoder().decode(
      VocabularyIdentity.self, from: JSONSerialization.data(withJSONObject: vocabulary))
    let card = try card(["dataset.file=\(evil)"], data: data, program: evil, name: evil)
    let lines = card.text.split(separator: "\n")
    #expect(lines.filter { $0.hasPrefix("```") } == ["```bash", "```"])
    #expect(!lines.contains { $0.hasPrefix("# y") })
    #expect(!card.text.unicodeScalars.contains { $0.isHiddenOrActive && $0 != "\n" })
    let fence = try #require(lines.firstIndex(of: "```bash"))
    for (index, line) in lines.enumerated() where index != fence + 1 {
      // Between backquotes, but for escaped ones, all text is code.
      let prose = line.replacing("\\`", with: "")
        .split(separator: "`", omittingEmptySubsequences: false).enumerated()
        .filter { $0.offset % 2 == 0 }.map(\.element).joined()
      #expect(!prose.replacing("\\<", with: "").contains("<script"), "\(line)")
      #expect(!prose.replacing("\\[", with: "").contains("[a]"), "\(line)")
    }
  }

  @Test func resultsAreThoseOfTheStep() throws {
    var measured = EvaluationRecord(
      split: "test", step: 40, epoch: 3, checkpoint: "best", loss: 0.25,
      metrics: ["accuracy": 0.875], sequences: 8, elements: 8)
    measured.chanceLoss = 0.6931
    let validation = [
      "loss": 0.5, "accuracy": 0.75, "chance_loss": 0.6931, "step": 40, "sequences_per_second": 9,
    ]
    let text = try card(validation: validation, test: measured, best: 40).text
    #expect(text.contains("| part | loss | loss of guessing | accuracy |"))
    #expect(text.contains("| validation | 0.5000 | 0.6931 | 0.7500 |"))
    #expect(text.contains("| test | 0.2500 | 0.6931 | 0.8750 |"))
    #expect(text.contains("At step 40, epoch 3, which was the best on validation."))
    #expect(!text.contains("not below that of guessing") && !text.contains("was not measured"))
    // The results of another checkpoint are not this one's.
    measured.step = 39
    let other = try card(validation: validation, test: measured, best: 30).text
    #expect(!other.contains("| test |") && other.contains("test part was not measured"))
    #expect(!other.contains("best on validation"))
    let none = try card().text
    #expect(none.contains("Nothing was measured at step 40."))
    #expect(none.contains("It was not measured on held-out data"))
  }

  @Test func aModelThatGuessesIsSaidToGuess() throws {
    let text = try card(validation: ["loss": 0.7, "chance_loss": 0.6931]).text
    #expect(text.contains("Its validation loss is not below that of guessing"))
  }

  /// A card is replaced; another file of the name is not.
  @Test func otherFilesAreNotReplaced() throws {
    let path = NSTemporaryDirectory() + "\(UUID().uuidString).md"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try card().write(to: path)
    try card(["model.layers=3"]).write(to: path)
    #expect(try String(contentsOfFile: path, encoding: .utf8).contains("3 layers"))
    try "# My notes\n".write(toFile: path, atomically: true, encoding: .utf8)
    let error = #expect(throws: ExportError.self) { try card().write(to: path) }
    #expect(try #require(error).description.contains("is not a model card"))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "# My notes\n")
  }
}
