// SPDX-License-Identifier: Apache-2.0

import Kernels
import Layers
import Models
import Tensors

/// A case of `ndt`: the encoder and its read-out on masked counts, against the log-rates, the loss
/// of the masked steps and every gradient.
enum TransformerFixture<Scalar: KernelScalar> {
  static func compare(
    _ fixture: FixtureCase, strict: Bool
  ) throws(FixtureError) -> [TensorComparison]? {
    guard fixture.system == "ndt" else { return nil }
    let (T, B, N) = (try fixture.size("T"), try fixture.size("B"), try fixture.size("N"))
    let settings = try settings(fixture)
    let encoder = TransformerEncoder<Scalar>(
      settings, inputs: N, hidden: 0, named: LayerName(prefix: "", suffix: ""))
    let readOut = Linear<Scalar>(inputs: encoder.outputs, outputs: N, prefix: "readout.")
    let parameters = try parameters(encoder, readOut, fixture)
    readOut.prepare(parameters)
    do { try encoder.prepare(parameters, advancing: false) } catch {
      throw FixtureError("\(fixture.path):/\(fixture.name)", "\(error)", cure: "fix the file")
    }

    let spikes = try fixture.array("input/spikes", shape: [B, T, N]).values
    let pass = encoder.forward(
      SequenceInput(timeFirst(spikes, [B, T, N])), from: nil, parameters, keeping: .activations,
      in: Workspace())
    let h = pass.output.reshaped([T * B, encoder.outputs])
    let logRates = Tensor<Scalar>(shape: [T * B, N])
    readOut.forward(h, parameters, into: logRates)
    let answers = logRates.copy()
    let labels = timeFirst(
      try fixture.array("input/labels", shape: [B, T, N]).values, [B, T, N])
    let targets = SequenceTargets(.stepCounts(N), whole: labels.array.map { Int32($0) })
    let dLogRates = Tensor<Scalar>(shape: [T * B, N])
    let totals = PoissonCounts().totals(of: logRates, targets, gradient: dLogRates)
    let gradients = ShardedBuffer<Scalar>(parameters.layout, shards: 1)
    let dh = Tensor<Scalar>(shape: h.shape)
    readOut.backward(dLogRates, x: h, into: gradients[0], dx: dh)
    _ = pass.backward(
      OutputGradient(steps: dh.reshaped(pass.output.shape)), into: gradients, wantsInput: false,
      initial: nil)

    // In Float the norm of four numbers cancels more digits than a recurrent step does.
    let tolerance: TensorComparison.Tolerance =
      strict ? .elementwise(absolute: 1e-10, relative: 1e-9) : .normwise(5e-5)
    var done: [TensorComparison] = []
    func check(_ name: String, _ values: [Double], _ shape: [Int]) throws(FixtureError) {
      done.append(
        TensorComparison(
          name, computed: values,
          expected: try fixture.array("expected/\(name)", shape: shape).values,
          tolerance: tolerance))
    }
    try check("loss", [totals.meanLoss], [1])
    try check("lograte", sequenceFirst(answers, [B, T, N]), [B, T, N])
    for entry in parameters.layout.entries {
      // The file's loss is a mean; ours is a sum.
      try check(
        "grad_params/\(name(of: entry.name))",
        gradients[0][entry].array.map { Double($0) / totals.weight }, entry.shape)
    }
    return done
  }

  private static func settings(
    _ fixture: FixtureCase
  ) throws(FixtureError) -> TransformerSettings {
    var settings = TransformerSettings()
    settings.layers = try fixture.size("layers")
    settings.heads = try fixture.size("heads")
    settings.feedForward = try fixture.size("ff")
    settings.contextBackward = Int(try fixture.number("context_backward"))
    settings.contextForward = Int(try fixture.number("context_forward"))
    settings.isPreNorm = try fixture.number("pre_norm") != 0
    settings.embedding = .table
    settings.embeddingSize = try fixture.size("embed_dim")
    settings.maximumCount = try fixture.size("max_spikes")
    settings.position = try fixture.number("learned_position") != 0 ? .learned : .sinusoidal
    settings.maximumSteps = try fixture.size("T")
    return settings
  }

  private static func parameters(
    _ encoder: TransformerEncoder<Scalar>, _ readOut: Linear<Scalar>, _ fixture: FixtureCase
  ) throws(FixtureError) -> ParameterBuffer<Scalar> {
    var layout = ParameterLayout()
    encoder.declare(in: &layout)
    readOut.declare(in: &layout)
    let parameters = ParameterBuffer<Scalar>(layout)
    for entry in layout.entries {
      let array = try fixture.array("params/\(name(of: entry.name))", shape: entry.shape)
      parameters[entry].copy(from: array.values(as: Scalar.self))
    }
    return parameters
  }

  /// The file's name of a parameter: `layers.0.linear1.weight` is l0_w1.
  private static func name(of parameter: String) -> String {
    let short = [
      "embedding.weight": "embed", "position.weight": "pos", "norm.weight": "nf_g",
      "norm.bias": "nf_b", "readout.weight": "dec_w", "readout.bias": "dec_b",
      "self_attn.in_proj_weight": "in_w", "self_attn.in_proj_bias": "in_b",
      "self_attn.out_proj.weight": "out_w", "self_attn.out_proj.bias": "out_b",
      "linear1.weight": "w1", "linear1.bias": "b1", "linear2.weight": "w2", "linear2.bias": "b2",
      "norm1.weight": "n1_g", "norm1.bias": "n1_b", "norm2.weight": "n2_g", "norm2.bias": "n2_b",
    ]
    let parts = parameter.split(separator: ".", maxSplits: 2)
    guard parts.count == 3, parts[0] == "layers" else { return short[parameter] ?? parameter }
    return "l\(parts[1])_\(short[String(parts[2])] ?? String(parts[2]))"
  }

  /// [B, T, N] as [T, B, N].
  private static func timeFirst(_ values: [Double], _ shape: [Int]) -> Tensor<Scalar> {
    let (B, T, N) = (shape[0], shape[1], shape[2])
    let result = Tensor<Scalar>(shape: [T, B, N])
    for index in 0..<values.count {
      let (b, t, n) = (index / (T * N), index / N % T, index % N)
      result[(t * B + b) * N + n] = Scalar(values[index])
    }
    return result
  }

  /// [T·B, N] as [B, T, N].
  private static func sequenceFirst(_ values: Tensor<Scalar>, _ shape: [Int]) -> [Double] {
    let (B, T, N) = (shape[0], shape[1], shape[2])
    return (0..<B * T * N).map { index in
      let (b, t, n) = (index / (T * N), index / N % T, index % N)
      return Double(values[(t * B + b) * N + n])
    }
  }
}
