// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The parameters of one layer of an encoder: attention, then a feed-forward part, each with a
/// residual connection.
///
///     pre-norm:   x ← x + MHA(LN₁ x),    x ← x + FFN(LN₂ x)
///     post-norm:  x ← LN₁(x + MHA x),    x ← LN₂(x + FFN x)
///
/// FFN(x) = W₂ relu(W₁ x + b₁) + b₂. Names and shapes are those of PyTorch's
/// `TransformerEncoderLayer`: the rows of `in_proj` are q, k, v.
struct EncoderLayer {
  let projection: AffineMap
  let output: AffineMap
  let first: AffineMap
  let second: AffineMap
  let attentionNorm: EncoderNorm
  let feedForwardNorm: EncoderNorm

  /// - Parameter prefix: such as `rnn.layers.0.`
  init(_ prefix: String, width D: Int, feedForward F: Int) {
    projection = AffineMap("\(prefix)self_attn.in_proj_*", inputs: D, outputs: 3 * D)
    output = AffineMap("\(prefix)self_attn.out_proj.*", inputs: D, outputs: D)
    first = AffineMap("\(prefix)linear1.*", inputs: D, outputs: F)
    second = AffineMap("\(prefix)linear2.*", inputs: F, outputs: D)
    attentionNorm = EncoderNorm("\(prefix)norm1", width: D)
    feedForwardNorm = EncoderNorm("\(prefix)norm2", width: D)
  }

  /// In the order of the products.
  var maps: [AffineMap] { [projection, output, first, second] }

  var parameters: [NamedShape] {
    maps.flatMap { [$0.weight, $0.bias] }
      + [attentionNorm, feedForwardNorm].flatMap { [$0.gain, $0.shift] }
  }
}

/// Data shared by all layers of a pass.
struct EncoderContext<Scalar: KernelScalar> {
  let settings: TransformerSettings
  let attention: BandedAttention
  let lengths: [Int]?
  let shards: ShardSteps
  let noise: SequenceNoise?
  let parameters: ParameterBuffer<Scalar>
  let memory: LayerMemory<Scalar>

  /// The factors of a dropout, a row for each sequence; nil if nothing is dropped.
  func factors(
    _ name: String, dropping p: Double, site: Int, shape: [Int]
  ) -> Tensor<Scalar>? {
    guard let noise, p > 0 else { return nil }
    let factors = memory.tensor(name, shape)
    noise.fill(factors, dropping: p, site: site)
    return factors
  }
}

/// One layer's part of a pass, with what its backward pass needs.
struct EncoderLayerPass<Scalar: KernelScalar> {
  private let context: EncoderContext<Scalar>
  private let maps: [AffinePass<Scalar>]
  private let attentionNorm: NormPass<Scalar>
  private let feedForwardNorm: NormPass<Scalar>
  private let attention: AttentionPass
  private let feedForward: FeedForwardPass
  /// [N·T, D]
  let output: Tensor<Scalar>

  private struct AttentionPass {
    let input: Tensor<Scalar>
    let projected: Tensor<Scalar>
    let weights: Tensor<Scalar>
    let weightFactors: Tensor<Scalar>?
    let mixed: Tensor<Scalar>
    let factors: Tensor<Scalar>?
  }

  private struct FeedForwardPass {
    let input: Tensor<Scalar>
    let hidden: Tensor<Scalar>
    let hiddenFactors: Tensor<Scalar>?
    let factors: Tensor<Scalar>?
  }

  /// Runs the layer.
  ///
  /// - Parameters:
  ///   - x: [N·T, D]
  ///   - index: the number of the layer, from 0
  ///   - maps: its affine maps
  init(
    _ layer: EncoderLayer, index: Int, _ x: Tensor<Scalar>, _ maps: [AffinePass<Scalar>],
    _ context: EncoderContext<Scalar>
  ) {
    self.context = context
    self.maps = maps
    let (memory, parameters) = (context.memory, context.parameters)
    let isPreNorm = context.settings.isPreNorm
    func tensor(_ name: String) -> Tensor<Scalar> { memory.tensor("\(index).\(name)", x.shape) }
    let (middle, end) = (tensor("middle"), tensor("end"))

    let seen = isPreNorm ? tensor("normed1") : x
    let before =
      isPreNorm
      ? NormPass(layer.attentionNorm, x, into: seen, parameters, memory) : nil
    attention = Self.attend(to: seen, index, maps, context, into: middle)
    middle.add(x, scale: 1)
    attentionNorm =
      before ?? NormPass(layer.attentionNorm, middle, into: middle, parameters, memory)

    let read = isPreNorm ? tensor("normed2") : middle
    let beforeSecond =
      isPreNorm
      ? NormPass(layer.feedForwardNorm, middle, into: read, parameters, memory) : nil
    feedForward = Self.feed(read, index, maps, context, into: end)
    end.add(middle, scale: 1)
    feedForwardNorm =
      beforeSecond ?? NormPass(layer.feedForwardNorm, end, into: end, parameters, memory)
    output = end
  }

  /// Writes the attention of x to y.
  private static func attend(
    to x: Tensor<Scalar>, _ index: Int, _ maps: [AffinePass<Scalar>],
    _ context: EncoderContext<Scalar>, into y: Tensor<Scalar>
  ) -> AttentionPass {
    let (R, D) = (x.shape[0], x.shape[1])
    let (attention, settings) = (context.attention, context.settings)
    let N = R / attention.steps
    func tensor(_ name: String, _ shape: [Int]) -> Tensor<Scalar> {
      context.memory.tensor("\(index).\(name)", shape)
    }
    let projected = tensor("projected", [R, 3 * D])
    maps[0].forward(x, context.parameters, into: projected)
    let shape = attention.weightShape(sequences: N)
    let weights = tensor("weights", shape)
    let weightFactors = context.factors(
      "\(index).weight_factors", dropping: settings.layerDropout,
      site: EncoderSite.attentionWeights(index), shape: shape)
    let mixed = tensor("mixed", [R, D])
    attention.forward(
      projected, lengths: context.lengths, factors: weightFactors, weights: weights, into: mixed)
    maps[1].forward(mixed, context.parameters, into: y)
    let factors = context.factors(
      "\(index).attention_factors", dropping: settings.layerDropout,
      site: EncoderSite.attention(index), shape: [N, attention.steps * D])
    if let factors { y.setProduct(of: y, repeating: factors) }
    return AttentionPass(
      input: x, projected: projected, weights: weights, weightFactors: weightFactors,
      mixed: mixed, factors: factors)
  }

  /// Writes the feed-forward part of x to y.
  private static func feed(
    _ x: Tensor<Scalar>, _ index: Int, _ maps: [AffinePass<Scalar>],
    _ context: EncoderContext<Scalar>, into y: Tensor<Scalar>
  ) -> FeedForwardPass {
    let (R, D, F) = (x.shape[0], x.shape[1], maps[2].map.outputs)
    let (T, settings) = (context.attention.steps, context.settings)
    let hidden = context.memory.tensor("\(index).hidden", [R, F])
    maps[2].forward(x, context.parameters, into: hidden)
    let units = ColumnBlock(hidden)
    Pointwise.apply(.relu, columns: F, inputs: [units], outputs: [units])
    let hiddenFactors = context.factors(
      "\(index).hidden_factors", dropping: settings.layerDropout,
      site: EncoderSite.hidden(index), shape: [R / T, T * F])
    if let hiddenFactors { hidden.setProduct(of: hidden, repeating: hiddenFactors) }
    maps[3].forward(hidden, context.parameters, into: y)
    let factors = context.factors(
      "\(index).feed_forward_factors", dropping: settings.layerDropout,
      site: EncoderSite.feedForward(index), shape: [R / T, T * D])
    if let factors { y.setProduct(of: y, repeating: factors) }
    return FeedForwardPass(
      input: x, hidden: hidden, hiddenFactors: hiddenFactors, factors: factors)
  }

  /// Turns the gradient of the output into that of the input, in place, and adds those of the
  /// parameters.
  func backward(_ d: Tensor<Scalar>, into gradients: ShardedBuffer<Scalar>) {
    let (isPreNorm, shards, memory) = (
      context.settings.isPreNorm, context.shards, context.memory
    )
    let part = memory.tensor("dPart", d.shape)
    if !isPreNorm { feedForwardNorm.backward(d, shards: shards, into: gradients, memory) }
    feedForwardBackward(d, into: gradients, dx: part)
    if isPreNorm { feedForwardNorm.backward(part, shards: shards, into: gradients, memory) }
    d.add(part, scale: 1)
    if !isPreNorm { attentionNorm.backward(d, shards: shards, into: gradients, memory) }
    attentionBackward(d, into: gradients, dx: part)
    if isPreNorm { attentionNorm.backward(part, shards: shards, into: gradients, memory) }
    d.add(part, scale: 1)
  }

  private func feedForwardBackward(
    _ dy: Tensor<Scalar>, into gradients: ShardedBuffer<Scalar>, dx: Tensor<Scalar>
  ) {
    let dOut = dropped(dy, feedForward.factors)
    let dHidden = context.memory.tensor("dHidden", feedForward.hidden.shape)
    maps[3].backward(
      dOut, x: feedForward.hidden, shards: context.shards, into: gradients, dx: dHidden)
    if let factors = feedForward.hiddenFactors {
      dHidden.setProduct(of: dHidden, repeating: factors)
    }
    let delta = ColumnBlock(dHidden)
    Pointwise.apply(
      .reluAdjoint, columns: dHidden.shape[1], inputs: [delta, ColumnBlock(feedForward.hidden)],
      outputs: [delta])
    maps[2].backward(
      dHidden, x: feedForward.input, shards: context.shards, into: gradients, dx: dx)
  }

  private func attentionBackward(
    _ dy: Tensor<Scalar>, into gradients: ShardedBuffer<Scalar>, dx: Tensor<Scalar>
  ) {
    let dOut = dropped(dy, attention.factors)
    let dMixed = context.memory.tensor("dMixed", attention.mixed.shape)
    maps[1].backward(
      dOut, x: attention.mixed, shards: context.shards, into: gradients, dx: dMixed)
    let dProjected = context.memory.tensor("dProjected", attention.projected.shape)
    context.attention.backward(
      dMixed, projected: attention.projected, lengths: context.lengths,
      factors: attention.weightFactors, weights: attention.weights, into: dProjected)
    maps[0].backward(
      dProjected, x: attention.input, shards: context.shards, into: gradients, dx: dx)
  }

  /// dy times the factors of a dropout; dy itself does not change.
  private func dropped(_ dy: Tensor<Scalar>, _ factors: Tensor<Scalar>?) -> Tensor<Scalar> {
    guard let factors else { return dy }
    let result = context.memory.tensor("dDropped", dy.shape)
    result.setProduct(of: dy, repeating: factors)
    return result
  }
}

/// The places of an encoder that use dropout.
enum EncoderSite {
  static let input = 0
  static let output = 1
  static func attentionWeights(_ layer: Int) -> Int { 4 * layer + 4 }
  static func attention(_ layer: Int) -> Int { 4 * layer + 5 }
  static func hidden(_ layer: Int) -> Int { 4 * layer + 6 }
  static func feedForward(_ layer: Int) -> Int { 4 * layer + 7 }
}
