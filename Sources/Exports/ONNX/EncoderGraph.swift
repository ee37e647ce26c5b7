// SPDX-License-Identifier: Apache-2.0

import Configuration
import Foundation
import Layers

/// A transformer encoder; `TransformerEncoder` and `EncoderLayer` have the equations.
struct EncoderGraph: ExportedLayer {
  private let settings: TransformerKeys
  private let graph: GraphBuilder
  /// D
  private let width: Int
  private let weights: Weights

  private struct Weights {
    var embedding: GraphValue?
    var embeddingBias: GraphValue?
    var position: GraphValue?
    var layers: [Layer] = []
    var norm: Norm
  }

  private struct Norm {
    let gain: GraphValue
    let shift: GraphValue
  }

  private struct Layer {
    let norms: [Norm]
    let projection: Affine
    let output: Affine
    let first: Affine
    let second: Affine
  }

  private struct Affine {
    let weight: GraphValue
    let bias: GraphValue

    func of(_ x: GraphValue) -> GraphValue { x.times(weight) + bias }
  }

  init(
    _ settings: TransformerKeys, layers: Int, _ tensors: LayerTensors, in graph: GraphBuilder
  ) throws(ExportError) {
    (self.settings, self.graph) = (settings, graph)
    func norm(_ name: String) throws(ExportError) -> Norm {
      Norm(
        gain: try tensors.constant("\(name).weight", in: graph),
        shift: try tensors.constant("\(name).bias", in: graph))
    }
    func affine(_ name: String, _ ending: String = ".") throws(ExportError) -> Affine {
      Affine(
        weight: try tensors.transposed("\(name)\(ending)weight", in: graph),
        bias: try tensors.constant("\(name)\(ending)bias", in: graph))
    }
    width = try tensors.require("norm.weight").values.count
    var weights = Weights(norm: try norm("norm"))
    switch settings.embedding {
    case .raw: break
    case .table: weights.embedding = try tensors.constant("embedding.weight", in: graph)
    case .linear:
      let map = try affine("embedding")
      (weights.embedding, weights.embeddingBias) = (map.weight, map.bias)
    }
    if settings.position == .learned {
      weights.position = try tensors.constant("position.weight", in: graph)
    }
    for level in 0..<layers {
      let name = "layers.\(level)"
      weights.layers.append(
        Layer(
          norms: [try norm("\(name).norm1"), try norm("\(name).norm2")],
          projection: try affine("\(name).self_attn.in_proj", "_"),
          output: try affine("\(name).self_attn.out_proj"),
          first: try affine("\(name).linear1"), second: try affine("\(name).linear2")))
    }
    self.weights = weights
  }

  var states: [(name: String, shape: [Int])] { [] }
  var usesStepNumber: Bool { false }

  func run(
    _ x: GraphValue, from before: [GraphValue]?, _ run: LayerRun
  ) -> (y: GraphValue, after: [GraphValue]) {
    let scale = Double(width).squareRoot()
    var x = scale * embedded(x.transposed([1, 0, 2])) + positions(run)
    let isSeen = seenSteps(run)
    for layer in weights.layers {
      if settings.preNorm {
        x = x + attention(normalised(x, layer.norms[0]), layer, isSeen)
        x = x + feedForward(normalised(x, layer.norms[1]), layer)
      } else {
        x = normalised(x + attention(x, layer, isSeen), layer.norms[0])
        x = normalised(x + feedForward(x, layer), layer.norms[1])
      }
    }
    return (normalised(x, weights.norm).transposed([1, 0, 2]), [])
  }

  private func normalised(_ x: GraphValue, _ norm: Norm) -> GraphValue {
    .apply(
      "LayerNormalization", [x, norm.gain, norm.shift],
      [.int("axis", -1), .float("epsilon", 1e-5)])
  }

  /// [N, T, D] of x [N, T, C].
  private func embedded(_ x: GraphValue) -> GraphValue {
    guard let embedding = weights.embedding else { return x }
    if let bias = weights.embeddingBias { return x.times(embedding) + bias }
    // Counts beyond the table share its last row.
    let counts = GraphValue.apply(
      "Clip",
      [
        .apply("Round", [x]), graph.constant([0], shape: []),
        graph.constant([Float(settings.maximumCount + 1)], shape: []),
      ]
    ).cast(to: .int64)
    return GraphValue.apply(
      "Reshape", [.apply("Gather", [embedding, counts]), graph.whole([0, 0, width])])
  }

  /// [T, D]: learned rows, or sines and cosines of the step's number, counted from 1.
  private func positions(_ run: LayerRun) -> GraphValue {
    if let table = weights.position { return .apply("Gather", [table, run.places]) }
    let factors = (0..<width).map { column in
      pow(10_000, -Double(column / 2 * 2) / Double(width))
    }
    let step = run.places.cast(to: .double) + graph.doubles([1], shape: [1])
    let angle = step.expandingAxes([1]) * graph.doubles(factors, shape: [width])
    let even = graph.doubles((0..<width).map { $0 % 2 == 0 ? 1 : 0 }, shape: [width])
    let odd = graph.doubles((0..<width).map { $0 % 2 == 0 ? 0 : 1 }, shape: [width])
    return
      (GraphValue.apply("Sin", [angle]) * even + GraphValue.apply("Cos", [angle]) * odd)
      .cast(to: .float)
  }

  /// Which steps j each step i sees, [1 or N, 1, T, T].
  private func seenSteps(_ run: LayerRun) -> GraphValue {
    let (i, j) = (run.places.expandingAxes([1]), run.places.expandingAxes([0]))
    let distance = j - i
    let own = GraphValue.apply("Equal", [i, j])
    var seen = GraphValue.apply("Equal", [distance, distance])
    if settings.contextBackward > 0 {
      let limit = graph.whole(-settings.contextBackward)
      seen = .apply("And", [seen, .apply("GreaterOrEqual", [distance, limit])])
    }
    if settings.contextForward >= 0 {
      let limit = graph.whole(settings.contextForward)
      seen = .apply("And", [seen, .apply("LessOrEqual", [distance, limit])])
    }
    guard let lengths = run.lengths else { return seen.expandingAxes([0, 1]) }
    let inside = GraphValue.apply(
      "Less", [run.places.expandingAxes([0]), lengths.expandingAxes([1])])
    // Steps after the end attend to themselves; their outputs are not used.
    return .apply(
      "Or",
      [
        .apply("And", [seen.expandingAxes([0, 1]), inside.expandingAxes([1, 2])]),
        own.expandingAxes([0, 1]),
      ])
  }

  private func attention(
    _ x: GraphValue, _ layer: Layer, _ isSeen: GraphValue
  ) -> GraphValue {
    let (heads, size) = (settings.heads, width / settings.heads)
    let parts = layer.projection.of(x).split(3, axis: 2).map {
      GraphValue.apply("Reshape", [$0, graph.whole([0, 0, heads, size])])
    }
    let query = (1 / Double(size).squareRoot()) * parts[0].transposed([0, 2, 1, 3])
    let scores = query.times(parts[1].transposed([0, 2, 3, 1]))
    let least = graph.constant([-1e30], shape: [])
    let shares = GraphValue.apply(
      "Softmax", [scores.kept(where: isSeen, otherwise: least)], [.int("axis", -1)])
    let heard = shares.times(parts[2].transposed([0, 2, 1, 3])).transposed([0, 2, 1, 3])
    return layer.output.of(.apply("Reshape", [heard, graph.whole([0, 0, width])]))
  }

  private func feedForward(_ x: GraphValue, _ layer: Layer) -> GraphValue {
    layer.second.of(layer.first.of(x).rectified)
  }
}
