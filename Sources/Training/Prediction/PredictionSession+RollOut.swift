// SPDX-License-Identifier: Apache-2.0

import Layers
import Models
import Tensors

extension PredictionSession {
  /// Whether each further frame is one step from the state that the one before left. A model with
  /// layers that have none, as a causal Neural Data Transformer, reads the whole sequence again.
  var carriesFrames: Bool {
    isForecast && request.rollOut != nil && !model.stack.levels.contains { $0.states.isEmpty }
  }

  /// Forecasts K frames beyond the end of each sequence: each forecast is read as the next frame.
  ///
  ///     (y_1, s_1) = f(x_1, ..., x_T), (y_{k+1}, s_{k+1}) = f(y_k; s_k)
  ///
  /// with the bits of f(x_1, ..., x_T, y_1, ..., y_k), computed in K steps. Frames and forecasts are
  /// normalised alike, so nothing is converted in between.
  ///
  /// - Parameters:
  ///   - input: the batch that `first` was computed from, x [T, N, C], of sequences of one length
  ///   - first: the answers at its steps, [N, T, C]
  ///   - state: the state after step T
  /// - Returns: [N, K·C]
  func rolledOut(
    _ input: SequenceBatch<Float>, _ first: Tensor<Float>, from state: LayerState<Float>,
    steps K: Int
  ) -> Tensor<Float> {
    let (T, N, C) = (input.x.shape[0], input.x.shape[1], input.x.shape[2])
    var frames = lastFrames(first, lengths: nil)
    var state = state
    let result = Tensor<Float>(shape: [N, K * C])
    for k in 0..<K {
      for n in 0..<N {
        for c in 0..<C { result[(n * K + k) * C + c] = frames[n * C + c] }
      }
      guard N > 0, k + 1 < K else { continue }
      let step = SequenceBatch(
        x: Tensor(frames.array, shape: [1, N, C]), targets: input.targets,
        rowStarts: input.rowStarts)
      let prediction = model.predict(
        step, from: state, firstStep: T + k, parameters, keepingFinal: true)
      guard let next = prediction.final else {
        preconditionFailure("a prediction without the state that was asked for")
      }
      (frames, state) = (lastFrames(prediction.outputs, lengths: nil), next)
    }
    return result
  }

  /// Forecasts K steps beyond the end of each sequence with a model that forecasts H steps. The
  /// model reads its forecasts as the next steps, and forecasts again.
  ///
  ///     (y_1, ..., y_H) = f(x_{t-T+1}, ..., x_t)
  ///     (y_{H+1}, ..., y_{2H}) = f(x_{t-T+H+1}, ..., x_t, y_1, ..., y_H)
  ///
  /// where T is the window used in training. A next-frame model that does not carry frames (see
  /// `carriesFrames`) has H = 1 and reads the whole sequence. Inputs and forecasts are normalised in
  /// the same way, so nothing is converted in between.
  ///
  /// - Parameters:
  ///   - input: the batch that `first` was computed from, x [T, N, C]
  ///   - first: the first forecasts, [N, H·C]; of a next-frame model its answers, [N, T, C]
  ///   - all: the lengths of the sequences of all ranks in this batch
  /// - Returns: [N, K·C]
  func rolledOut(
    _ input: SequenceBatch<Float>, _ first: Tensor<Float>, steps K: Int, lengths all: [Int]
  ) -> Tensor<Float> {
    let (T, N, C) = (input.x.shape[0], input.x.shape[1], input.x.shape[2])
    let H = answers.kind.outputs / C
    guard N > 0 else { return Tensor(shape: [0, K * C]) }
    var series = (0..<N).map { n in
      (0..<(input.lengths?[n] ?? T)).flatMap { t in (0..<C).map { input.x[(t * N + n) * C + $0] } }
    }
    let starts = series.map(\.count)
    let window = isForecast ? Int.max : window
    var forecasts = isForecast ? lastFrames(first, lengths: input.lengths) : first
    for round in 1... {
      for n in 0..<N { series[n] += forecasts.row(n).array }
      guard round * H < K else { break }
      let lengths = all.map { min($0 + round * H, window) }
      let own = series.map { min($0.count / C, window) }
      let longest = lengths.max() ?? 1
      let x = Tensor<Float>(shape: [longest, N, C])
      for n in 0..<N {
        let begin = series[n].count - own[n] * C
        for t in 0..<own[n] {
          for c in 0..<C { x[(t * N + n) * C + c] = series[n][begin + t * C + c] }
        }
      }
      let batch = SequenceBatch(
        x: x, targets: input.targets, lengths: Set(lengths).count > 1 ? own : nil,
        rowStarts: input.rowStarts)
      forecasts = model.predict(batch, from: nil, firstStep: 0, parameters).outputs
      if isForecast { forecasts = lastFrames(forecasts, lengths: batch.lengths) }
    }
    return Tensor(
      series.indices.flatMap { series[$0][starts[$0]..<starts[$0] + K * C] }, shape: [N, K * C])
  }

  /// The answers at the last step of each sequence, [N, C], of all, [N, T, C].
  private func lastFrames(_ y: Tensor<Float>, lengths: [Int]?) -> Tensor<Float> {
    let (N, T, C) = (y.shape[0], y.shape[1], y.shape[2])
    let rows = (0..<N).flatMap { n -> ArraySlice<Float> in
      let start = ((lengths?[n] ?? T) - 1) * C
      return y.row(n).array[start..<start + C]
    }
    return Tensor(rows, shape: [N, C])
  }
}
