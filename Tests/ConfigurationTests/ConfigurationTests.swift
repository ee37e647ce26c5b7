// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import Models
import TestSupport
import Testing

@testable import Configuration

@Suite struct ConfigurationTests {
  private func problem(_ yaml: String, _ assignments: [String] = []) -> String? {
    do {
      _ = try TrainingConfiguration(yaml: yaml, path: "run.yaml", assignments: assignments)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func everyKeyReadsBackWhatItWrites() throws {
    var configuration = TrainingConfiguration()
    configuration.seed = .max
    configuration.model.mu = 0.1 + 0.2
    configuration.dataset.file = "a: b #c 'd'.h5"
    configuration.dataset.view = .permuted
    configuration.dataset.permutation = .bitReversal
    configuration.dataset.permutationFile = "an order, 1: #2.txt"
    configuration.optimizer.rateFactors = (0..<20).map { "layer \($0)*=0.5" }.joined(
      separator: ", ")
    configuration.optimizer.name = .rmsprop
    let again = try TrainingConfiguration(yaml: configuration.yaml, path: "again")
    #expect(again == configuration)
    #expect(again.differences(to: configuration).isEmpty)
  }

  /// The names of two files may be canonically equivalent: a resume on the other one is noted.
  @Test func differencesAreThoseOfBytes() throws {
    var (one, two) = (TrainingConfiguration(), TrainingConfiguration())
    (one.dataset.file, two.dataset.file) = ("caf\u{e9}.h5", "cafe\u{301}.h5")
    #expect(one.differences(to: two).map(\.key.path) == ["dataset.file"])
  }

  @Test func assignmentsGoOverTheFile() throws {
    let configuration = try TrainingConfiguration(
      yaml: "epochs: 3\nmodel:\n  hidden_size: 7\n", path: "run.yaml",
      assignments: ["model.hidden_size=9", "optimizer.name = sgd"])
    #expect(configuration.epochs == 3)
    #expect(configuration.model.hiddenSize == 9)
    #expect(configuration.optimizer.name == .sgd)
  }

  /// Editors save a byte order mark, UTF-16, and other line ends.
  @Test func filesAreReadInEveryEncodingThatIsMarked() throws {
    let text = "epochs: 3\nmodel:\n  hidden_size: 7\n"
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    let wide = ([0xfeff] + Array(text.utf16)).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/run.yaml"
      func read(_ bytes: [UInt8]) throws -> TrainingConfiguration {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try TrainingConfiguration(file: path, assignments: [])
      }
      for bytes in [
        Array(text.utf8), mark + Array(text.utf8), wide,
        mark + Array(text.replacing("\n", with: "\r\n").utf8),
        Array(text.replacing("\n", with: "\r").utf8),
      ] {
        let configuration = try read(bytes)
        #expect(configuration.epochs == 3 && configuration.model.hiddenSize == 7)
      }
      let latin = #expect(throws: ConfigurationError.self) {
        try read(Array("epochs: 3\n# ".utf8) + [0xe9])
      }
      #expect(latin?.description.contains("run.yaml:2: byte 3 of the line is 0xE9") == true)
    }
    #expect(try TrainingConfiguration(yaml: "\u{FEFF}" + text, path: "run.yaml").epochs == 3)
  }

  @Test func mistakesAreNamedWithPlaceAndCure() {
    #expect(
      problem("model:\n  hiden_size: 3\n")
        == "run.yaml:2: unknown key model.hiden_size; the nearest known key is model.hidden_size")
    #expect(
      problem("epochs: many") == "run.yaml:1: epochs is \"many\", expected a whole number")
    #expect(problem("", ["epochs=0"])?.contains("--set: epochs is \"0\"") == true)
    #expect(problem("", ["epochs"])?.contains("expected key.path=value") == true)
    #expect(problem("model: {cell: zebra}")?.contains("expected one of rnn_tanh, lstm") == true)
    #expect(problem("a: [")?.contains("is not valid YAML") == true)
    #expect(problem("- 1")?.contains("is not a list of `key: value` lines") == true)
    #expect(problem("epochs: [1, 2]")?.contains("epochs is \"1, 2\", expected") == true)
    #expect(
      problem("batch_size: 4")?.contains("batch_size is 4 and shards is 8") == true)
    #expect(problem("dataset: {task: classification}")?.contains("dataset.file is empty") == true)
    #expect(problem("optimizer: {nesterov: true}")?.contains("set a momentum") == true)
    #expect(
      problem("model: {cell: dtriv}\noptimizer: {name: asgd}")?.contains("moving bases") == true)
    #expect(
      problem("optimizer: {name: asgd, orthogonal_rule: adam}")?.contains("averages all") == true)
    #expect(
      problem("dataset: {validation_count: 0}\noptimizer: {schedule: plateau}")?.contains(
        "hold some sequences out") == true)
    #expect(problem("optimizer: {learning_rate: nan}")?.contains("expected a number") == true)
  }

  @Test func aKeyIsGivenOnceInAFile() {
    let twice = "optimizer.learning_rate: 0.5\noptimizer:\n  learning_rate: 0.1\n"
    #expect(
      problem(twice)
        == "run.yaml:3: optimizer.learning_rate is given twice, as \"0.5\" (run.yaml:1) and as"
        + " \"0.1\"; remove one")
    #expect(problem("model: {mu: 0.1}\nmodel.mu: 0.1\n")?.contains("given twice") == true)
    #expect(problem("epochs: 1\nepochs: 2\n")?.contains("is not valid YAML") == true)
    #expect(problem("epochs: 1", ["epochs=2", "epochs=3"]) == nil, "the command line goes over it")
  }

  @Test func sectionsAreNoValuesAndValuesNoSections() {
    #expect(
      problem("optimizer: sgd")
        == "run.yaml:1: optimizer is a section of keys, but is given the value \"sgd\"; set one of"
        + " its keys, such as optimizer.name: sgd")
    #expect(problem("", ["model=lstm"])?.hasPrefix("--set: model is a section") == true)
    #expect(problem("dataset: [a, b]")?.contains("dataset is a section") == true)
    #expect(problem("optimizer:\nmodel: ~\nlog: null\n") == nil, "a section without keys")
    #expect(problem("epochs: {first: 1}")?.contains("epochs is a key with one value") == true)
    #expect(problem("a: {b: {c: {d: {e: 1}}}}")?.contains("has keys below it") == true)
  }

  /// Each level is ten times the one below it, so these few lines would be 10^9 keys.
  @Test func anchorsDoNotMultiplyWithoutEnd() {
    var yaml = "a0: &a0 {k: 1}\n"
    for level in 1...9 {
      let members = (0..<10).map { "k\($0): *a\(level - 1)" }.joined(separator: ", ")
      yaml += "a\(level): &a\(level) {\(members)}\n"
    }
    #expect(problem(yaml) != nil)
    #expect(problem("model: &m {mu: 0.5}\noptimizer: {beta1: 0.5}\n") == nil)
  }

  @Test func everyConfigurationOfTheRepositoryIsValid() throws {
    let folder = Places.package + "/configs"
    let files = try #require(FileManager.default.enumerator(atPath: folder))
    var count = 0
    for case let file as String in files where file.hasSuffix(".yaml") {
      _ = try TrainingConfiguration(file: "\(folder)/\(file)", assignments: [])
      count += 1
    }
    #expect(count > 0)
  }

  /// Each file of configs/paper states the paper's parameter count; the model must have it.
  @Test func thePapersModelsHaveThePapersSizes() throws {
    let folder = Places.package + "/configs/paper"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(files.count == 39)
    for file in files {
      let configuration = try TrainingConfiguration(file: "\(folder)/\(file)", assignments: [])
      let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
      let line = try #require(text.split(separator: "\n").first { $0.contains("Parameters:") })
      let (inputs, outputs) = configuration.dataset.task == .nextFrame ? (129, 129) : (1, 10)
      if configuration.dataset.task == .languageModel {
        let model = LanguageModel<Float>(configuration.languageModel(vocabulary: 10_000))
        #expect(model.trainedCount == 24_221_600)
        #expect(line.filter(\.isNumber) == String(model.trainedCount), "\(file)")
        continue
      }
      let model = SequenceModel<Float>(
        configuration.stack, inputs: inputs, outputs: outputs, objective: SquaredError())
      #expect(line.filter(\.isNumber) == String(model.trainedCount), "\(file)")
    }
  }

  @Test func editDistances() {
    #expect(editDistance("", "abc") == 3)
    #expect(editDistance("kitten", "sitting") == 3)
    #expect(editDistance("same", "same") == 0)
    #expect(nearestWord(to: "tain", among: ["test", "train"]) == "train")
    #expect(nearestWord(to: "zebra", among: ["test", "train"]) == nil)
  }

  /// Keys are named as other programs call them, in a file and on the command line.
  @Test func familiarNamesAreKeys() {
    let keys = TrainingConfiguration().keys.map(\.path)
    func problem(_ yaml: String, _ assignments: [String] = []) -> String {
      do throws(ConfigurationError) {
        _ = try TrainingConfiguration(yaml: yaml, path: "a.yaml", assignments: assignments)
        return "nothing"
      } catch {
        return error.description
      }
    }
    for name in ["lr", "num_layers", "hidden_dim", "optim", "monitor", "max_epochs", "data"] {
      let key = FamiliarNames.key(for: name)
      #expect(key.map { keys.contains($0) } == true, "\(name)")
    }
    #expect(problem("lr: 0.1") == "a.yaml:1: unknown key lr; write optimizer.learning_rate: 0.1")
    #expect(
      problem("", ["optimizer.lr=3"])
        == "--set: unknown key optimizer.lr; write --set optimizer.learning_rate=3")
    #expect(
      problem("optimizer: adam")
        == "a.yaml:1: optimizer is a section of keys, but is given the value \"adam\"; set one of its"
        + " keys, such as optimizer.name: adam")
    #expect(problem("", ["gpus=2"]).contains("it trains on CPUs: start ranks with `mpirun -np N"))
    #expect(
      problem("", ["model.cell=LSTM"])
        == "--set: model.cell is \"LSTM\", expected lstm, in lower case")
    for (typed, meant) in [
      ("momentumlstm", "momentum_lstm"), ("Adam-LSTM", "adam_lstm"), ("lstn", "lstm"),
      ("transformer", "ndt"),
    ] {
      #expect(
        problem("", ["model.cell=\(typed)"])
          == "--set: model.cell is \"\(typed)\", expected \(meant), the nearest name")
    }
    #expect(problem("", ["model.cell=zebra"]).contains("expected one of rnn_tanh, lstm"))
    #expect(
      problem("model:\n\tcell: lstm")
        == "a.yaml: is not valid YAML: a tab is before \"cell: lstm\"; indent with spaces")
  }
}
