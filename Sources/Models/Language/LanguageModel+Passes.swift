import Kernels
import Tensors

extension LanguageModel {
  /// What a pass over a chunk gives for each shard.
  public struct Outcome {
    /// The cross-entropy, over the true number of predictions.
    public var totals: [Totals]
    /// What the penalties of activation add to the sum that is differentiated.
    public var penalties: [Double]
    /// Where the columns end, for `advance(_:to:)`.
    public var final: State
  }

  /// Runs a chunk forward. `state` is where its columns stand, and is left where they end.
  ///
  /// - Returns: the totals of each shard
  public func evaluate(
    _ chunk: TokenChunk, from state: State, _ parameters: ParameterBuffer<Scalar>
  ) -> [Totals] {
    run(chunk) { pass, chunk, columns, _ in
      pass.evaluate(chunk, from: state.map { $0.rows(columns) }, parameters)
    }.flatMap { $0 }
  }

  /// Takes the columns to where a chunk has ended.
  public func advance(_ state: State, to final: State) {
    for (old, new) in zip(state, final) { old.copy(from: new) }
  }

  /// Runs a chunk forward and backward, adding the gradient of each shard's summed objective.
  /// `state` is where its columns stand, and is left so: the caller takes it to the end of the
  /// chunk when the step counts.
  ///
  /// - Parameter initialGradient: receives the gradient of the starting state; nil if not wanted
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

  /// z of every token, [T·N, V], for generating; `state` is left where the columns end.
  ///
  /// - Parameter firstStep: how many steps of the text came before `tokens`. The Nesterov drives
  ///   count steps, and a text that is read in pieces is one text.
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

  /// Gives each thread its run of shards.
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
