// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import Datasets
import Foundation
import Kernels
import Models
import RandomNumbers
import Tensors

/// Writes text with a trained language model, token by token.
public struct TextGenerator {
  /// How the next token is chosen.
  public struct Sampling: Sendable {
    /// The divisor of the logits; 0 always takes the likeliest token.
    public var temperature: Double
    /// The number of likeliest tokens to choose among; 0 is all.
    public var topK: Int
    /// Chooses the tokens.
    public var seed: UInt64

    public init(temperature: Double = 1, topK: Int = 0, seed: UInt64 = 1) {
      self.temperature = temperature
      self.topK = topK
      self.seed = seed
    }
  }

  private let model: LanguageModel<Float>
  private let parameters: ParameterBuffer<Float>
  private let vocabulary: Vocabulary

  /// Makes the model of a checkpoint. Its vocabulary is the run's, or else that of its data.
  ///
  /// - Parameters:
  ///   - checkpoint: the checkpoint of the model
  ///   - assignments: keys of the configuration to set otherwise, as `key.path=value`
  /// - Throws: `RunFailure` if it is not of a language model, `DatasetError` if the vocabulary
  ///   cannot be found
  public init(_ checkpoint: TrainedCheckpoint, assignments: [String]) throws {
    var configuration = try TrainingConfiguration(of: checkpoint.reader, assignments: assignments)
    _ = try configuration.refuseAnotherModel(than: checkpoint.reader)
    let task = configuration.dataset.task
    guard task == .languageModel else {
      throw RunFailure(
        .configuration,
        "dataset.task is \(task.rawValue): only a language_model writes text; name a checkpoint of"
          + " one")
    }
    // A text is one sequence, but each token is a separate pass; the window of a norm must continue
    // from pass to pass.
    configuration.model.carryWindow = true
    NumericEnvironment.enter()
    let path = Self.vocabularyPath(checkpoint.folder, else: configuration.dataset.file)
    vocabulary = try Vocabulary(contentsOf: path)
    try LearnedData.require(vocabulary, path, of: checkpoint.reader)
    model = LanguageModel(configuration.languageModel(vocabulary: vocabulary.count))
    parameters = ParameterBuffer(model.layout)
    try parameters.restore(
      checkpoint.tensors, group: checkpoint.parametersGroup, folder: checkpoint.folder)
    try model.buffers.restore(checkpoint.tensors, folder: checkpoint.folder)
    try model.prepare(parameters, masks: nil, advancing: false)
  }

  private static func vocabularyPath(_ checkpoint: String, else dataset: String) -> String {
    let own = RunFolder(ofCheckpoint: checkpoint).vocabulary
    return FileManager.default.fileExists(atPath: own) ? own : dataset
  }

  /// The prompt and `length` tokens after it.
  ///
  /// - Throws: `RunFailure` if the prompt is empty or has a token that the model does not know
  public func text(
    prompt: String, length: Int, _ sampling: Sampling
  ) throws(RunFailure) -> String {
    var tokens = try encode(prompt)
    let state = model.startState(columns: 1)
    var unread = tokens[...]
    for position in 0..<length {
      let logits = model.logits(
        Array(unread), columns: 1, from: state, firstStep: unread.startIndex, parameters)
      var stream = RandomStream(seed: sampling.seed, purpose: .sampling, index: position)
      let next = choose(logits.row(unread.count - 1).array, sampling, &stream)
      tokens.append(Int32(next))
      unread = tokens.suffix(1)
    }
    return vocabulary.text(tokens)
  }

  private func encode(_ prompt: String) throws(RunFailure) -> [Int32] {
    var (numbers, unknown): ([Int32], String?) = ([], nil)
    vocabulary.split(prompt) { token in
      if let number = vocabulary.number(of: token) ?? vocabulary.number(of: Vocabulary.unknown) {
        numbers.append(number)
      } else {
        unknown = unknown ?? token
      }
    }
    // A prompt is the start of a line, not a complete one.
    if vocabulary.level == .word, !prompt.hasSuffix("\n"),
      numbers.last == vocabulary.number(of: Vocabulary.endOfLine)
    {
      numbers.removeLast()
    }
    if let unknown {
      throw RunFailure(
        .usage, "--prompt has \"\(unknown)\", which is not in the run's vocabulary; leave it out")
    }
    guard !numbers.isEmpty else {
      throw RunFailure(.usage, "--prompt is empty; give at least one token to start from")
    }
    return numbers
  }

  /// Draws a token with probability softmax(z / temperature), only among the likeliest.
  private func choose(
    _ logits: [Float], _ sampling: Sampling, _ stream: inout RandomStream
  ) -> Int {
    let order = logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }
    guard sampling.temperature > 0 else { return order[0] }
    let candidates = sampling.topK > 0 ? order.prefix(sampling.topK) : order[...]
    let best = Double(logits[order[0]])
    let weights = candidates.map { exp((Double(logits[$0]) - best) / sampling.temperature) }
    var left = stream.uniform() * weights.reduce(0, +)
    for (candidate, weight) in zip(candidates, weights) {
      left -= weight
      if left < 0 { return candidate }
    }
    return candidates[candidates.endIndex - 1]
  }
}
