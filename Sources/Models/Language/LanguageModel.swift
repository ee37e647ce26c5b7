// SPDX-License-Identifier: Apache-2.0

import BLAS
import Layers
import KernelInterface
import Kernels
import RandomNumbers
import Tensors
import Threads

/// A recurrent language model of the form of AWD-LSTM (Merity, Keskar and Socher, 2018), with any
/// drive and body in its layers.
///
///     x_t = W_e[token_t] · m_e · m_i,    h^l = layer_l(h^{l-1} · m_{l-1};  W_hh · m_w)
///     y = h^L · m_o,    z = W_d y + b,   loss = -log softmax(z)_next
///     objective = mean loss + α mean(y²) + β mean((h^L_{t+1} - h^L_t)²)
///
/// The state of each column is carried from chunk to chunk, but its gradient is not. Shapes use T
/// steps, N columns, V words, E embedding, H hidden units.
public final class LanguageModel<Scalar: KernelScalar> {
  /// The state of each layer.
  public typealias State = [LayerState<Scalar>]

  /// The sizes, layers and penalties of the model.
  public let specification: LanguageModelSpecification
  /// The parameters and their places in a flat buffer.
  public let layout: ParameterLayout
  /// The layers, from the lowest up.
  public var layers: [any SequenceLayer<Scalar>] { stack.levels }

  private let stack: LayerStack<Scalar>
  let embedding: Embedding<Scalar>
  let decoder: Linear<Scalar>
  /// The threads that share the shards of a chunk.
  public var team = ThreadTeam.alone
  /// A workspace for each thread that has been used.
  var workspaces = [Workspace<Scalar>()]
  /// Called in training with the states that the decoder sees, for tests that damage them like a
  /// faulty processor.
  public var disturbance: ((Tensor<Scalar>) -> Void)?
  /// The masks of the current step, and the masked W_hh.
  private(set) var masks: LanguageModelMasks<Scalar>
  private(set) var droppedWeights: [Tensor<Scalar>?]

  public init(_ specification: LanguageModelSpecification) {
    self.specification = specification
    embedding = Embedding(
      vocabulary: specification.vocabulary, width: specification.embedding,
      weight: "embedding.weight")
    var inputs = specification.embedding
    let layers = specification.layers.enumerated().map { level, layer in
      defer { inputs = layer.hidden }
      var layer = layer
      layer.recomputeEvery = specification.recomputeEvery
      return layer.layer(
        inputs: inputs, named: LayerName(prefix: "rnn.", suffix: "_l\(level)"), as: Scalar.self)
    }
    stack = LayerStack(layers)
    precondition(
      specification.dropout.weights == 0 || layers.allSatisfy { $0.recurrentWeight != nil },
      "elements are dropped of a recurrent weight that a layer does not have")
    decoder = Linear(
      inputs: inputs, outputs: specification.vocabulary, prefix: "decoder.",
      sharedWeight: specification.isTied ? embedding.weight : nil)
    var layout = ParameterLayout()
    embedding.declare(in: &layout)
    stack.declare(in: &layout)
    decoder.declare(in: &layout)
    self.layout = layout
    masks = LanguageModelMasks(layers: layers.count)
    droppedWeights = layers.map { _ in nil }
  }

  /// Sets the starting values, which depend only on the seed.
  public func initialize(_ parameters: ParameterBuffer<Scalar>, seed: UInt64, gateBias: Double) {
    var streams = InitializationStreams(seed: seed)
    stack.initialize(parameters, gateBias: gateBias, streams: &streams)
    var stream = streams.next()
    embedding.initialize(parameters, stream: &stream)
    decoder.initialize(parameters, weightBound: Embedding<Scalar>.bound, stream: &stream)
  }

  /// How many numbers are trained; for an orthogonal layer's skew matrix, only those above the
  /// diagonal.
  public var trainedCount: Int { layout.count - stack.untrainedCount }

  /// The embedding, if its gradient touches only the rows of a chunk's tokens; nil if the decoder
  /// shares its weight.
  public var sparseEntry: ParameterEntry? {
    specification.isTied ? nil : layout[embedding.weight]
  }

  /// What a checkpoint must hold in addition to parameters, by name.
  public var buffers: [(name: String, tensor: Tensor<Scalar>)] { stack.buffers }

  /// The state at the start of a text, for N columns.
  public func startState(columns N: Int) -> State {
    layers.map { $0.startState(rows: N) }
  }

  /// Computes what is derived from the parameters, and drops weights. Call it before the first pass
  /// after a change of parameters or masks.
  ///
  /// - Parameters:
  ///   - parameters: the parameters
  ///   - masks: those of the next step; nil before an evaluation, which drops nothing
  ///   - advancing: true once per optimizer step
  /// - Throws: `LAPACKError` if a parameter is not a number
  public func prepare(
    _ parameters: ParameterBuffer<Scalar>, masks: LanguageModelMasks<Scalar>?, advancing: Bool
  ) throws(LAPACKError) {
    self.masks = masks ?? LanguageModelMasks(layers: layers.count)
    droppedWeights = layers.map { _ in nil }  // frees their memory
    decoder.prepare(parameters)
    try stack.prepare(parameters, advancing: advancing)
    for (level, layer) in layers.enumerated() {
      droppedWeights[level] = self.masks.recurrent[level].map { mask in
        let weight = parameters[layer.recurrentWeight!]
        let dropped = workspaces[0].tensor("dropped\(level)", weight.shape)
        dropped.setProduct(of: weight, repeating: mask)
        return dropped
      }
    }
  }

  /// Undoes the last advancing `prepare`, for a step that does not count.
  public func revert(_ parameters: ParameterBuffer<Scalar>) {
    stack.revert(parameters)
  }

  /// Drops the masks of the last step, so that the next step can reuse their memory.
  public func dropMasks() { masks = LanguageModelMasks(layers: layers.count) }

  /// Turns summed gradients of what `prepare` computed into gradients of the parameters.
  public func finishGradients(_ gradients: ParameterBuffer<Scalar>) throws(LAPACKError) {
    for (level, layer) in layers.enumerated() {
      if let mask = masks.recurrent[level] {
        let gradient = gradients[layer.recurrentWeight!]
        gradient.setProduct(of: gradient, repeating: mask)
      }
    }
    try stack.finishGradients(gradients)
  }

  /// A layer with the weights that the current step sees.
  func layer(_ level: Int) -> any SequenceLayer<Scalar> {
    guard let dropped = droppedWeights[level] else { return layers[level] }
    return layers[level].replacingRecurrentWeight(dropped)
  }
}
