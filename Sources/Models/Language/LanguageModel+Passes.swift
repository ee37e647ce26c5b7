// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

extension LanguageModel {
  /// The results of a pass over a chunk, for each shard.
  public struct Outcome {
    /// The cross-entropy, over the true number of predictions.
    public var totals: [Totals]
    /// The terms that the activation penalties add to the objective.
    public var penalties: [Double]
    /// The final state of the columns, for `advance(_:to:)`.
    public var final: State
  }

  /// Runs a chunk forward. `state` is the state of its columns, and is moved to the chunk's end.
  ///
  /// - Returns: the totals of each shard
  public func evaluate(
    _ chunk: TokenChunk, from state: State, _ parameters: ParameterBuffer<Scalar>
  ) -> [Totals] {
    run(chunk) { pass, chunk, columns, _ in
      pass.evaluate(chunk, from: state.map { $0.rows(columns) }, parameters)
    }.flatMap { $0 }
  }

  /// Moves the columns to the end of a chunk.
  public func advance(_ state: State, to final: State) {
    for (old, new) in zip(state, final) { old.copy(from: new) }
  }

  /// Runs a chunk forward and backward, adding the gradient of each shard's summed objective.
  /// `state` is the state of its columns, and does not change: the caller moves it to the end of
  /// the chunk if the step counts.
  ///
  /// - Parameters:
  ///   - chunk: the tokens of the columns
  ///   - state: the state before the chunk
  ///   - parameters: the parameters
  ///   - gradients: one buffer per shard
  ///   - initialGradient: receives the gradient of the starting state; nil if not needed
  public func accumulateGradients(
    _ chunk: TokenChunk, from state: State, _ parameters: ParameterBuffer<Scalar>,
    into gradients: ShardedBuffer<Scalar>, initialGradient: State? = nil
  ) -> Outcome {
    precondition(
      gradients.shards == chunk.shards, "\(gradients.shards) buffers for \(chunk.shards) shards")
    let parts = gradients.split(runs(of: chunk))
    let outcomes = run(chunk) { pass, chunk, columns, index in
      pass.accumulateGradients(
        chunk, from: state.map { $0.rows(columns) }, parameters, into: parts[index],
        initialGradient: initialGradient?.map { $0.rows(columns) })
    }
    if outcomes.count == 1 { return outcomes[0] }
    let final = startState(columns: chunk.columns)
    for (run, outcome) in zip(runs(of: chunk), outcomes) {
      advance(final.map { $0.rows(chunk.columns(ofShards: run)) }, to: outcome.final)
    }
    return Outcome(
      totals: outcomes.flatMap(\.totals), penalties: outcomes.flatMap(\.penalties), final: final)
  }

  /// The same for columns of any rank, with masks of their own. The masked W_hh are those of
  /// `prepare`. It uses the memory of the last pass, whose outcome must no longer be held.
  ///
  /// - Returns: the totals of each shard
  public func accumulateGradients(
    _ chunk: TokenChunk, from state: State, masks: LanguageModelMasks<Scalar>,
    _ parameters: ParameterBuffer<Scalar>, into gradients: ShardedBuffer<Scalar>
  ) -> [Totals] {
    LanguagePass(model: self, workspace: workspaces[0], masks: masks).accumulateGradients(
      chunk, from: state, parameters, into: gradients, initialGradient: nil
    ).totals
  }

  /// z of every token, [T·N, V], for generating; `state` is moved to the end of the tokens.
  ///
  /// - Parameters:
  ///   - tokens: the tokens, [T, N]
  ///   - N: the number of columns
  ///   - state: the state before the tokens
  ///   - firstStep: how many steps of the text came before `tokens`, because the Nesterov drives
  ///     count the steps of the whole text
  ///   - parameters: the parameters
  public func logits(
    _ tokens: [Int32], columns N: Int, from state: State, firstStep: Int,
    _ parameters: ParameterBuffer<Scalar>
  ) -> Tensor<Scalar> {
    pass(0, columns: 0..<N).logits(
      tokens, columns: N, from: state, firstStep: firstStep, parameters)
  }

  // MARK: Threads

  private func runs(of chunk: TokenChunk) -> [Range<Int>] {
    ShardRuns.cut(chunk.shards, threads: team.count)
  }

  private func pass(_ index: Int, columns: Range<Int>) -> LanguagePass<Scalar> {
    LanguagePass(model: self, workspace: workspaces[index], masks: masks.columns(columns))
  }

  /// Runs `body` for each thread's run of shards.
  private func run<Result>(
    _ chunk: TokenChunk,
    _ body: (LanguagePass<Scalar>, TokenChunk, _ columns: Range<Int>, _ index: Int) -> Result
  ) -> [Result] {
    let runs = runs(of: chunk)
    if runs.count == 1 {
      let columns = 0..<chunk.columns
      return [body(pass(0, columns: columns), chunk, columns, 0)]
    }
    while workspaces.count < runs.count { workspaces.append(Workspace()) }
    return team.map(runs.count) { index in
      let (part, columns) = chunk.part(shards: runs[index])
      return body(pass(index, columns: columns), part, columns, index)
    }
  }
}
