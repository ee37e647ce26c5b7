// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import Tensors

/// The dropout masks of one chunk, divided by the probability of keeping; nil drops nothing.
///
/// Shapes: V words, E embedding, N columns on this rank, H units of a layer, G gates.
public struct LanguageModelMasks<Scalar: KernelScalar> {
  /// [V], whole words of the embedding.
  public var embedding: Tensor<Scalar>?
  /// [N, E], the input of the first layer.
  public var input: Tensor<Scalar>?
  /// Above each layer but the last.
  public var between: [Tensor<Scalar>?]  // [N, H]
  /// [N, H], the output of the last layer.
  public var output: Tensor<Scalar>?
  /// On the W_hh of each layer.
  public var recurrent: [Tensor<Scalar>?]  // [G·H, H]

  /// Masks given one by one.
  public init(
    embedding: Tensor<Scalar>? = nil, input: Tensor<Scalar>? = nil, between: [Tensor<Scalar>?],
    output: Tensor<Scalar>? = nil, recurrent: [Tensor<Scalar>?]
  ) {
    self.embedding = embedding
    self.input = input
    self.between = between
    self.output = output
    self.recurrent = recurrent
  }

  /// No dropout.
  public init(layers: Int) {
    self.init(
      between: Array(repeating: nil, count: layers - 1),
      recurrent: Array(repeating: nil, count: layers))
  }

  /// The masks of some of the columns.
  func columns(_ columns: Range<Int>) -> LanguageModelMasks {
    var part = self
    part.input = input?.rows(columns)
    part.between = between.map { $0?.rows(columns) }
    part.output = output?.rows(columns)
    return part
  }

  /// Draws the masks of a step. They depend on the word, the global column or the row of the
  /// matrix, and are the same on every rank.
  ///
  /// - Parameters:
  ///   - model: the model to mask
  ///   - seed: the seed of the run
  ///   - step: optimizer steps taken
  ///   - columns: the global numbers of this rank's columns
  ///   - workspace: memory for the masks
  public init(
    _ model: LanguageModel<Scalar>, seed: UInt64, step: Int, columns: Range<Int>,
    workspace: Workspace<Scalar>
  ) {
    let (specification, layers) = (model.specification, model.layers)
    let p = specification.dropout
    func mask(
      _ name: String, _ site: Int, rows: Range<Int>, width: Int, dropping p: Double
    ) -> Tensor<Scalar>? {
      guard p > 0 else { return nil }
      let mask = workspace.tensor("mask.\(name)", [rows.count, width])
      for (place, row) in rows.enumerated() {
        let stream = RandomStream(
          seed: seed, purpose: .dropout, site: site, step: step, index: row)
        mask.row(place).fillDropout(p, from: stream)
      }
      return mask
    }
    embedding = mask(
      "embedding", Site.embedding, rows: 0..<specification.vocabulary, width: 1,
      dropping: p.embedding)
    input = mask(
      "input", Site.input, rows: columns, width: specification.embedding, dropping: p.input)
    between = layers.dropLast().enumerated().map { level, layer in
      mask(
        "layer\(level)", Site.layer(level), rows: columns, width: layer.outputs, dropping: p.layers)
    }
    output = mask(
      "output", Site.output, rows: columns, width: layers[layers.count - 1].outputs,
      dropping: p.output)
    recurrent = layers.enumerated().map { level, layer in
      guard let name = layer.recurrentWeight, let entry = model.layout[name] else { return nil }
      return mask(
        "recurrent\(level)", Site.recurrent(level), rows: 0..<entry.shape[0],
        width: entry.shape[1], dropping: p.weights)
    }
  }
}

/// The place of a mask in the model; see `RandomStream`.
private enum Site {
  static let embedding = 1
  static let input = 2
  static let output = 3
  static func layer(_ level: Int) -> Int { 1 << 12 | level }
  static func recurrent(_ level: Int) -> Int { 2 << 12 | level }
}
