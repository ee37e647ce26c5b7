// SPDX-License-Identifier: Apache-2.0

import BLAS
import Kernels
import RandomNumbers
import Tensors

/// A transformer encoder with a banded mask, the body of the Neural Data Transformer (Ye and
/// Pandarinath, 2021): a layer without a state.
///
///     e = dropout(√D embed(x) + position)
///     e ← layer_l(e)   for each of L layers, see `EncoderLayer`
///     y = dropout(LN e)
///
/// Step i sees the steps j with i - back ≤ j ≤ i + forward of its own sequence. Internally,
/// sequences follow one another, [N·T, D], so the rows of a shard are contiguous. Dropout is drawn
/// from `SequenceInput.noise`; a pass without noise drops nothing.
public struct TransformerEncoder<Scalar: KernelScalar>: SequenceLayer {
  /// The sizes and choices of the encoder.
  public let settings: TransformerSettings
  public let inputFeatures: [Int]
  /// D
  private let width: Int
  private let name: LayerName
  let embedding: EncoderInput
  let layers: [EncoderLayer]
  let norm: EncoderNorm
  private let arranged = ArrangedWeights<Scalar>()

  /// - Parameters:
  ///   - settings: the settings of all layers
  ///   - C: the inputs
  ///   - H: the hidden units, the D of a linear embedding
  ///   - name: the place of the layer in its model
  public init(
    _ settings: TransformerSettings, inputs C: Int, hidden H: Int, named name: LayerName
  ) {
    self.settings = settings
    self.name = name
    inputFeatures = [C]
    let D = settings.width(inputs: C, hidden: H)
    precondition(D % settings.heads == 0, "\(settings.heads) heads of \(D) columns")
    width = D
    embedding = EncoderInput(settings, name.prefix, inputs: C, width: D)
    layers = (0..<settings.layers).map {
      EncoderLayer("\(name.prefix)layers.\($0).", width: D, feedForward: settings.feedForward)
    }
    norm = EncoderNorm("\(name.prefix)norm", width: D)
  }

  public var features: [Int] { [width] }
  public var states: [NamedShape] { [] }
  public var parameters: [NamedShape] {
    embedding.parameters + layers.flatMap { $0.parameters } + [norm.gain, norm.shift]
  }

  /// The affine maps in the order of `arranged`: that of the inputs, if there is one, then four of
  /// each layer.
  private var maps: [AffineMap] { (embedding.map.map { [$0] } ?? []) + layers.flatMap { $0.maps } }

  /// Sets PyTorch's starting values: Xavier's for q, k and v together, and zero biases of
  /// attention. Then the maps that T-Fixup names are scaled by 0.67 L^(-1/4). The authors' code
  /// intends to scale v as well, but by a name that no parameter has, so v is not scaled.
  public func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, streams: inout InitializationStreams
  ) {
    var stream = streams.next()
    embedding.initialize(parameters, stream: &stream)
    let fixup = 0.67 / Double(settings.layers).squareRoot().squareRoot()
    for layer in layers {
      for map in layer.maps { map.initialize(parameters, stream: &stream) }
      let (rows, columns) = (layer.projection.outputs, layer.projection.inputs)
      Initialization.uniform(
        parameters[layer.projection.weight.name],
        bound: (6 / Double(rows + columns)).squareRoot(), stream: &stream)
      parameters[layer.projection.bias.name].fill(0)
      parameters[layer.output.bias.name].fill(0)
      if settings.startsAsTFixup {
        for map in [layer.output, layer.first, layer.second] {
          parameters[map.weight.name].multiply(by: Scalar(fixup))
        }
      }
      for norm in [layer.attentionNorm, layer.feedForwardNorm] { reset(norm, parameters) }
    }
    reset(norm, parameters)
  }

  private func reset(_ norm: EncoderNorm, _ parameters: ParameterBuffer<Scalar>) {
    parameters[norm.gain.name].fill(1)
    parameters[norm.shift.name].fill(0)
  }

  public func prepare(_ parameters: ParameterBuffer<Scalar>, advancing: Bool) throws(LAPACKError) {
    arranged.pack(maps.map { parameters[$0.weight.name] })
  }

  public func forward(
    _ input: SequenceInput<Scalar>, from state: LayerState<Scalar>?,
    _ parameters: ParameterBuffer<Scalar>, keeping: LayerKeeping, in workspace: Workspace<Scalar>
  ) -> any LayerPass<Scalar> {
    let T = input.steps
    let context = EncoderContext(
      settings: settings,
      attention: BandedAttention(
        steps: T, heads: settings.heads, width: width, back: settings.contextBackward,
        forward: settings.contextForward),
      lengths: input.lengths, shards: ShardSteps(rowStarts: input.rowStarts, steps: T),
      noise: input.noise, parameters: parameters, memory: LayerMemory(workspace, name))
    let affine = maps.enumerated().map { index, map in
      AffinePass(
        map: map, packed: arranged.forward[index], transposed: arranged.backward[index])
    }
    return EncoderPass(
      self, input, context, affine, keepsFinal: keeping.contains(.finalState))
  }

  /// 6 for each weight, plus the scores, mixtures and gradients of attention.
  public var trainingOperations: Double {
    let weights = maps.reduce(0) { $0 + $1.inputs * $1.outputs }
    let (back, forward) = (settings.contextBackward, settings.contextForward)
    let all = settings.maximumSteps
    let visible = min((back > 0 ? back : all) + (forward >= 0 ? forward : all) + 1, all)
    return 6 * Double(weights) + 12 * Double(visible * width * settings.layers)
  }

  public func workingNumbers(
    steps T: Int, rows N: Int, threads: Int, isTraining: Bool
  ) -> Double {
    let attention = BandedAttention(
      steps: T, heads: settings.heads, width: width, back: settings.contextBackward,
      forward: settings.contextForward)
    let (D, F, W) = (width, settings.feedForward, settings.heads * attention.band)
    let drops = isTraining && settings.layerDropout > 0
    let layer = 10 * D + F + W + (drops ? 2 * D + F + W : 0)
    let backward = isTraining ? 9 * D + F : 0
    let packed = 2 * maps.reduce(0.0) { $0 + Double($1.inputs) * Double($1.outputs) }
    return packed
      + Double(N) * Double(T) * Double(settings.layers * layer + backward + 3 * D + inputs)
  }
}

/// A pass of an encoder.
private final class EncoderPass<Scalar: KernelScalar>: LayerPass {
  let output: Tensor<Scalar>
  let final: LayerState<Scalar>?
  private let encoder: TransformerEncoder<Scalar>
  private let context: EncoderContext<Scalar>
  private let embedded: EncoderInputPass<Scalar>
  private let layers: [EncoderLayerPass<Scalar>]
  private let norm: NormPass<Scalar>
  private let factors: Tensor<Scalar>?
  private let order: SequenceOrder

  init(
    _ encoder: TransformerEncoder<Scalar>, _ input: SequenceInput<Scalar>,
    _ context: EncoderContext<Scalar>, _ maps: [AffinePass<Scalar>], keepsFinal: Bool
  ) {
    (self.encoder, self.context) = (encoder, context)
    let (T, N, C, D) = (input.steps, input.rows, encoder.inputs, encoder.outputs)
    order = SequenceOrder(steps: T, rows: N)
    let values = context.memory.tensor("values", [N * T, C])
    order.gather(C, input.values, into: values)
    let ofInput = encoder.embedding.map == nil ? 0 : 1
    embedded = EncoderInputPass(
      encoder.embedding, values, firstStep: input.firstStep, map: ofInput > 0 ? maps[0] : nil,
      context)
    var (x, passes) = (embedded.output, [] as [EncoderLayerPass<Scalar>])
    for (index, layer) in encoder.layers.enumerated() {
      let first = ofInput + 4 * index
      passes.append(
        EncoderLayerPass(layer, index: index, x, Array(maps[first..<first + 4]), context))
      x = passes[index].output
    }
    layers = passes
    let y = context.memory.tensor("normed", [N * T, D])
    norm = NormPass(encoder.norm, x, into: y, context.parameters, context.memory)
    factors = context.factors(
      "output_factors", dropping: encoder.settings.outputDropout, site: EncoderSite.output,
      shape: [N, T * D])
    if let factors { y.setProduct(of: y, repeating: factors) }
    output = context.memory.tensor("output", [T, N, D])
    order.scatter(D, y, into: output)
    final = keepsFinal ? LayerState([]) : nil
  }

  func backward(
    _ gradient: OutputGradient<Scalar>, into gradients: ShardedBuffer<Scalar>, wantsInput: Bool,
    initial: LayerState<Scalar>?
  ) -> Tensor<Scalar>? {
    let (C, D) = (encoder.inputs, encoder.outputs)
    let d = context.memory.tensor("d", [order.rows * order.steps, D])
    if let steps = gradient.steps {
      order.gather(D, steps, into: d)
    } else {
      d.fill(0)
      if let last = gradient.lastStep { order.gatherLast(D, last, into: d) }
    }
    if let factors { d.setProduct(of: d, repeating: factors) }
    norm.backward(d, shards: context.shards, into: gradients, context.memory)
    for (layer, pass) in zip(encoder.layers, layers).reversed() {
      pass.backward(d, into: gradients)
      if let first = gradients.layout[layer.projection.weight.name]?.range.lowerBound {
        gradients.whenFinal(first)
      }
    }
    guard
      let values = embedded.backward(d, into: gradients, wantsInput: wantsInput, context)
    else { return nil }
    let dx = context.memory.tensor("dInput", [order.steps, order.rows, C])
    order.scatter(C, values, into: dx)
    return dx
  }
}

/// Converts between steps first, [T, N, ·], and sequences first, [N·T, ·].
private struct SequenceOrder {
  /// T
  let steps: Int
  /// N
  let rows: Int
  /// The row of [T·N] of each row of [N·T].
  private let places: [Int]
  private let inOrder: [Int]

  init(steps T: Int, rows N: Int) {
    (steps, rows) = (T, N)
    inOrder = Array(0..<T * N)
    places = inOrder.map { $0 % T * N + $0 / T }
  }

  func gather<Scalar: KernelScalar>(
    _ width: Int, _ values: Tensor<Scalar>, into target: Tensor<Scalar>
  ) {
    target.copy(
      width, columnsOf: values, RowSelection(places, width: width),
      to: RowSelection(inOrder, width: width))
  }

  /// Gathers only the last step of each sequence.
  func gatherLast<Scalar: KernelScalar>(
    _ width: Int, _ values: Tensor<Scalar>, into target: Tensor<Scalar>
  ) {
    target.copy(
      width, columnsOf: values, RowSelection(Array(0..<rows), width: width),
      to: RowSelection((0..<rows).map { $0 * steps + steps - 1 }, width: width))
  }

  func scatter<Scalar: KernelScalar>(
    _ width: Int, _ values: Tensor<Scalar>, into target: Tensor<Scalar>
  ) {
    target.copy(
      width, columnsOf: values, RowSelection(inOrder, width: width),
      to: RowSelection(places, width: width))
  }
}
