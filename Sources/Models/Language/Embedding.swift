// SPDX-License-Identifier: Apache-2.0

import Layers
import Kernels
import RandomNumbers
import Tensors

/// A row of numbers for each token.
///
///     x_i = W[token_i] · m[token_i],   W [V, E], x [n, E]
///
/// m drops whole words; see `LanguageModelMasks`. Every word has a gradient. (`torch.embedding`
/// with `padding_idx` -1 leaves out the last one, a mistake in the code of AWD-LSTM.)
struct Embedding<Scalar: KernelScalar> {
  let vocabulary: Int
  let width: Int
  let weight: String

  func declare(in layout: inout ParameterLayout) {
    layout.add(weight, shape: [vocabulary, width], role: .embedding)
  }

  /// Uniform in ±0.1.
  func initialize(_ parameters: ParameterBuffer<Scalar>, stream: inout RandomStream) {
    Initialization.uniform(parameters[weight], bound: Self.bound, stream: &stream)
  }

  static var bound: Double { 0.1 }

  /// Writes x.
  func forward(
    _ tokens: [Int32], mask: Tensor<Scalar>?, _ parameters: ParameterBuffer<Scalar>,
    into x: Tensor<Scalar>
  ) {
    x.gather(tokens, of: parameters[weight], factors: mask)
  }

  /// Adds the gradients of the rows of the tokens at `places`, one after the other.
  ///
  /// It touches only these rows. If the decoder has its own weight, all other rows of the gradient
  /// stay zero.
  func backward(
    _ dx: Tensor<Scalar>, tokens: [Int32], at places: [Int], mask: Tensor<Scalar>?,
    into gradients: ParameterBuffer<Scalar>
  ) {
    dx.scatterAdd(tokens, at: places, to: gradients[weight], factors: mask)
  }
}
