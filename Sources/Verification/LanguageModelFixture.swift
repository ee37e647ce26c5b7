// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Models
import Tensors

/// A case of `awd_lstm`: the whole language model on captured dropout masks, against the loss, the
/// logits, the final state and every gradient. The gradient of the embedding is the correct one,
/// which includes the last word of the vocabulary.
enum LanguageModelFixture<Scalar: KernelScalar> {
  static func compare(
    _ fixture: FixtureCase, strict: Bool
  ) throws(FixtureError) -> [TensorComparison]? {
    guard fixture.system == "awd_lstm" else { return nil }
    let (T, N) = (try fixture.size("T"), try fixture.size("B"))
    let (model, parameters) = try model(fixture, columns: N)
    let state = try startState(of: model, columns: N, fixture)
    let tokens = try fixture.array("input/tokens", shape: [T + 1, N]).values.map { Int32($0) }
    let chunk = TokenChunk(
      steps: T, tokens: Array(tokens.dropLast(N)), targets: Array(tokens.dropFirst(N)),
      columns: N, columnStarts: [0, N])

    let gradients = ShardedBuffer<Scalar>(model.layout, shards: 1)
    let initialGradient = model.startState(columns: N)
    let start = state.map { $0.copied() }
    let outcome = model.accumulateGradients(
      chunk, from: state, parameters, into: gradients, initialGradient: initialGradient)
    do { try model.finishGradients(gradients[0]) } catch { throw unusable(fixture, error) }
    let logits = model.logits(chunk.tokens, columns: N, from: start, firstStep: 0, parameters)

    // The fixture's objective is a mean; ours is a sum over the predictions.
    let count = outcome.totals[0].elements
    let tolerance: TensorComparison.Tolerance =
      strict ? .elementwise(absolute: 1e-10, relative: 1e-9) : .normwise(1e-5)
    var comparisons: [TensorComparison] = []
    func check(_ name: String, _ values: [Double], _ shape: [Int]) throws(FixtureError) {
      comparisons.append(
        TensorComparison(
          name, computed: values,
          expected: try fixture.array("expected/\(name)", shape: shape).values,
          tolerance: tolerance))
    }
    func mean(_ tensor: Tensor<Scalar>) -> [Double] { tensor.array.map { Double($0) / count } }
    try check("ce", [outcome.totals[0].meanLoss], [1])
    try check("loss", [(outcome.totals[0].loss + outcome.penalties[0]) / count], [1])
    try check("logits", logits.array.map { Double($0) }, logits.shape)
    for entry in model.layout.entries {
      try check(
        "grad_params/\(name(of: entry.name))", mean(gradients[0][entry]), entry.shape)
    }
    for (level, layer) in outcome.final.enumerated() {
      for (name, tensor) in layer.named {
        try check("final_\(name)\(level)", tensor.array.map { Double($0) }, tensor.shape)
      }
      for (name, tensor) in initialGradient[level].named {
        try check("grad_initial/\(name)\(level)", mean(tensor), tensor.shape)
      }
    }
    return comparisons
  }

  /// The model with the file's parameters, prepared for its masks.
  private static func model(
    _ fixture: FixtureCase, columns N: Int
  ) throws(FixtureError) -> (LanguageModel<Scalar>, ParameterBuffer<Scalar>) {
    let model = LanguageModel<Scalar>(try specification(fixture))
    let parameters = ParameterBuffer<Scalar>(model.layout)
    for entry in model.layout.entries {
      let array = try fixture.array("params/\(name(of: entry.name))", shape: entry.shape)
      parameters[entry].copy(from: array.values(as: Scalar.self))
    }
    let masks = try masks(of: model, columns: N, fixture)
    do { try model.prepare(parameters, masks: masks, advancing: true) } catch {
      throw unusable(fixture, error)
    }
    return (model, parameters)
  }

  private static func startState(
    of model: LanguageModel<Scalar>, columns N: Int, _ fixture: FixtureCase
  ) throws(FixtureError) -> LanguageModel<Scalar>.State {
    let state = model.startState(columns: N)
    for (level, layer) in state.enumerated() {
      for (name, tensor) in layer.named {
        let array = try fixture.array("initial/\(name)\(level)", shape: tensor.shape)
        tensor.copy(from: array.values(as: Scalar.self))
      }
    }
    return state
  }

  private static func unusable(_ fixture: FixtureCase, _ error: any Error) -> FixtureError {
    FixtureError("\(fixture.path):/\(fixture.name)", "\(error)", cure: "fix the file")
  }

  private static func specification(
    _ fixture: FixtureCase
  ) throws(FixtureError) -> LanguageModelSpecification {
    let (L, E, H) = (
      try fixture.size("layers"), try fixture.size("E"), try fixture.size("H")
    )
    let isPlain = try fixture.text("kind") == "plain"
    let drive =
      isPlain
      ? DriveParameters(.plain)
      : DriveParameters(
        .momentum, mu: try fixture.number("mu"), epsilon: try fixture.number("epsilon"))
    return LanguageModelSpecification(
      vocabulary: try fixture.size("V"), embedding: E,
      layers: (0..<L).map { .init(drive: drive, body: .lstm, hidden: $0 == L - 1 ? E : H) },
      isTied: true, activationPenalty: try fixture.number("alpha"),
      temporalPenalty: try fixture.number("beta"))
  }

  private static func masks(
    of model: LanguageModel<Scalar>, columns N: Int, _ fixture: FixtureCase
  ) throws(FixtureError) -> LanguageModelMasks<Scalar> {
    func mask(_ name: String, _ shape: [Int]) throws(FixtureError) -> Tensor<Scalar> {
      let array = try fixture.array("constants/mask_\(name)", shape: shape)
      return Tensor(array.values(as: Scalar.self), shape: shape)
    }
    let (V, E) = (model.specification.vocabulary, model.specification.embedding)
    var masks = LanguageModelMasks<Scalar>(layers: model.layers.count)
    masks.embedding = try mask("emb", [V, 1])
    masks.input = try mask("inp", [1, N, E]).row(0)
    masks.output = try mask("out", [1, N, E]).row(0)
    for (level, layer) in model.layers.enumerated() {
      if let weight = layer.recurrentWeight, let entry = model.layout[weight] {
        masks.recurrent[level] = try mask("whh\(level)", entry.shape)
      }
      if level + 1 < model.layers.count {
        masks.between[level] = try mask("hid\(level)", [1, N, layer.outputs]).row(0)
      }
    }
    return masks
  }

  /// The fixture's name of a parameter: `rnn.weight_ih_l0` is W_ih0.
  private static func name(of parameter: String) -> String {
    switch parameter {
    case "embedding.weight": return "emb"
    case "decoder.bias": return "dec_b"
    default:
      return parameter.replacing("rnn.", with: "").replacing("weight_", with: "W_")
        .replacing("bias_", with: "b_").replacing("_l", with: "")
    }
  }
}
