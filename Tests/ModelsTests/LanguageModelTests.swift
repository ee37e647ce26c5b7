// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Models
import RandomNumbers
import Tensors
import TestSupport
import Testing
import Threads

@Suite struct LanguageModelTests {
  /// Layers of different widths and systems: H=5 Adam GRU-like below, E or 4 units on top.
  private func model<Scalar: KernelScalar>(
    tied: Bool, dropout: Double, as type: Scalar.Type
  ) -> (LanguageModel<Scalar>, ParameterBuffer<Scalar>) {
    let p = LanguageModelSpecification.Dropout(
      embedding: dropout, input: dropout, layers: dropout, output: dropout, weights: dropout)
    let model = LanguageModel<Scalar>(
      LanguageModelSpecification(
        vocabulary: 7, embedding: 3,
        layers: [
          .init(drive: DriveParameters(.plain), body: .gru, hidden: 5),
          .init(
            drive: DriveParameters(.momentum, mu: 0.5, epsilon: 0.8), body: .lstm,
            hidden: tied ? 3 : 4),
        ], isTied: tied, dropout: p, activationPenalty: 2, temporalPenalty: 1))
    let parameters = ParameterBuffer<Scalar>(model.layout)
    var stream = RandomStream(seed: 8, purpose: .testing)
    for index in 0..<parameters.flat.count {
      parameters.flat[index] = Scalar(0.4 * stream.normal())
    }
    return (model, parameters)
  }

  /// Column n has the same tokens regardless of the other columns.
  private func chunk(columns: Range<Int>, starts: [Int], steps T: Int = 4) -> TokenChunk {
    var text = [[Int32]]()
    for column in columns {
      var stream = RandomStream(seed: 4, purpose: .testing, index: column)
      text.append((0...T).map { _ in Int32(stream.below(7)) })
    }
    return TokenChunk(
      steps: T, tokens: (0..<T).flatMap { t in text.map { $0[t] } },
      targets: (0..<T).flatMap { t in text.map { $0[t + 1] } }, columns: columns.count,
      columnStarts: starts)
  }

  private func state<Scalar>(
    _ model: LanguageModel<Scalar>, columns: Range<Int>
  ) -> LanguageModel<Scalar>.State {
    let state = model.startState(columns: columns.count)
    for (level, layer) in state.enumerated() {
      for (place, member) in layer.named.enumerated() {
        for (n, column) in columns.enumerated() {
          var stream = RandomStream(
            seed: 6, purpose: .testing, step: 10 * level + place, index: column)
          let row = member.tensor.row(n)
          for index in 0..<row.count { row[index] = Scalar(0.5 * stream.normal()) }
        }
      }
    }
    return state
  }

  @Test(arguments: [true, false], [0.0, 0.4])
  func gradientsAreThoseOfCentralDifferences(tied: Bool, dropout: Double) throws {
    let (model, parameters) = model(tied: tied, dropout: dropout, as: Double.self)
    let chunk = chunk(columns: 0..<3, starts: [0, 1, 3])
    let masks = LanguageModelMasks<Double>(
      model, seed: 3, step: 5, columns: 0..<3, workspace: Workspace())
    func prepare() { try? model.prepare(parameters, masks: masks, advancing: true) }
    prepare()
    let start = state(model, columns: 0..<3)
    let gradients = ShardedBuffer<Double>(model.layout, shards: 2)
    let initialGradient = model.startState(columns: 3)
    _ = model.accumulateGradients(
      chunk, from: state(model, columns: 0..<3), parameters, into: gradients,
      initialGradient: initialGradient)
    let sum = ParameterBuffer<Double>(model.layout)
    for shard in 0..<2 { sum.flat.add(gradients[shard].flat, scale: 1) }
    try model.finishGradients(sum)

    func objective() -> Double {
      prepare()
      let from = state(model, columns: 0..<3)
      for (old, new) in zip(from, start) {
        for (a, b) in zip(old.named, new.named) { a.tensor.copy(from: b.tensor) }
      }
      let scratch = ShardedBuffer<Double>(model.layout, shards: 2)
      let outcome = model.accumulateGradients(chunk, from: from, parameters, into: scratch)
      return outcome.totals.reduce(0) { $0 + $1.loss } + outcome.penalties.reduce(0, +)
    }
    checkGradient(
      "parameters", of: parameters.flat, gradient: sum.flat.array, tolerance: 1e-5,
      loss: objective)
    for (layer, gradient) in zip(start, initialGradient) {
      for (member, expected) in zip(layer.named, gradient.named) {
        checkGradient(
          "initial \(member.name)", of: member.tensor, gradient: expected.tensor.array,
          tolerance: 1e-5, loss: objective)
      }
    }
  }

  /// Independence of the rank count relies on this: masks, gradients and states of a column do not
  /// depend on the other columns of the rank.
  @Test func aShardHasTheSameBitsAloneAndInCompany() throws {
    let (model, parameters) = model(tied: true, dropout: 0.4, as: Float.self)
    func run(
      _ columns: Range<Int>, _ starts: [Int]
    ) throws -> (ShardedBuffer<Float>, LanguageModel<Float>.State, [Totals]) {
      let masks = LanguageModelMasks<Float>(
        model, seed: 3, step: 5, columns: columns, workspace: Workspace())
      try model.prepare(parameters, masks: masks, advancing: true)
      let state = state(model, columns: columns)
      let gradients = ShardedBuffer<Float>(model.layout, shards: starts.count - 1)
      let outcome = model.accumulateGradients(
        chunk(columns: columns, starts: starts), from: state, parameters, into: gradients)
      return (gradients, outcome.final, outcome.totals)
    }
    let (all, allState, allTotals) = try run(0..<5, [0, 2, 5])
    let (one, oneState, oneTotals) = try run(2..<5, [0, 3])
    #expect(oneTotals[0] == allTotals[1] && oneTotals[0].elements == 12)
    #expect(
      one[0].flat.array.map(\.bitPattern) == all[1].flat.array.map(\.bitPattern))
    for (a, b) in zip(oneState, allState) {
      for (mine, other) in zip(a.named, b.named) {
        #expect(mine.tensor.array == other.tensor.rows(2..<5).array, "\(mine.name)")
      }
    }
  }

  /// Two chunks, one after the other, are one long chunk as far as the states and losses go.
  @Test func theStateGoesOnFromChunkToChunk() throws {
    let (model, parameters) = model(tied: true, dropout: 0, as: Double.self)
    try model.prepare(parameters, masks: nil, advancing: false)
    let whole = chunk(columns: 0..<2, starts: [0, 2], steps: 6)
    let longState = model.startState(columns: 2)
    let long = model.evaluate(whole, from: longState, parameters)[0]
    let state = model.startState(columns: 2)
    var sum = Totals()
    for steps in [0..<4, 4..<6] {
      let range = steps.lowerBound * 2..<steps.upperBound * 2
      let part = TokenChunk(
        steps: steps.count, tokens: Array(whole.tokens[range]),
        targets: Array(whole.targets[range]), columns: 2, columnStarts: [0, 2])
      sum = sum + model.evaluate(part, from: state, parameters)[0]
    }
    #expect(sum.elements == 12 && long.elements == 12)
    expectClose([sum.loss], [long.loss], relative: 1e-14)
    for (a, b) in zip(state, longState) {
      for (mine, other) in zip(a.named, b.named) {
        expectClose(mine.tensor.array, other.tensor.array, relative: 1e-14, mine.name)
      }
    }
  }

  @Test func masksKeepTheMeanAndChangeWithTheStep() {
    let specification = LanguageModelSpecification(
      vocabulary: 4000, embedding: 8,
      layers: [.init(drive: DriveParameters(.plain), body: .lstm, hidden: 40)], isTied: false,
      dropout: .init(embedding: 0.1, input: 0.4, output: 0.4, weights: 0.5))
    let model = LanguageModel<Float>(specification)
    func masks(_ step: Int) -> LanguageModelMasks<Float> {
      LanguageModelMasks(
        model, seed: 1, step: step, columns: 0..<500, workspace: Workspace())
    }
    let (first, second) = (masks(1), masks(2))
    for (mask, p) in [
      (first.embedding!, 0.1), (first.input!, 0.4), (first.recurrent[0]!, 0.5),
    ] {
      let values = mask.array
      let kept = Float(1 / (1 - p))
      #expect(values.allSatisfy { $0 == 0 || $0 == kept })
      let share = Double(values.filter { $0 == 0 }.count) / Double(values.count)
      #expect(abs(share - p) < 5 * (p * (1 - p) / Double(values.count)).squareRoot())
    }
    #expect(first.input!.array != second.input!.array)
    #expect(first.input!.array != Array(first.output!.array.prefix(4000)))
  }

  /// Every number of threads gives the bits of one: gradients, carried state, penalties, losses.
  @Test(arguments: [2, 3, 5]) func threadsLeaveTheBitsAlone(threads: Int) throws {
    func run(_ team: ThreadTeam) throws -> (numbers: [[UInt32]], totals: [Totals]) {
      let (model, parameters) = model(tied: true, dropout: 0.4, as: Float.self)
      model.team = team
      let columns = 0..<7
      let state = state(model, columns: columns)
      let masks = LanguageModelMasks<Float>(
        model, seed: 3, step: 2, columns: columns, workspace: Workspace())
      try model.prepare(parameters, masks: masks, advancing: true)
      let gradients = ShardedBuffer<Float>(model.layout, shards: 4)
      let initial = model.startState(columns: columns.count)
      let chunk = chunk(columns: columns, starts: [0, 1, 1, 4, 7])
      let outcome = model.accumulateGradients(
        chunk, from: state, parameters, into: gradients, initialGradient: initial)
      var numbers = [gradients.flat.array.map(\.bitPattern)]
      numbers.append(outcome.penalties.map { Float($0).bitPattern })
      try model.prepare(parameters, masks: nil, advancing: false)
      let totals = outcome.totals + model.evaluate(chunk, from: state, parameters)
      for member in (outcome.final + state + initial).flatMap(\.named) {
        numbers.append(member.tensor.array.map(\.bitPattern))
      }
      return (numbers, totals)
    }
    let (expected, computed) = (try run(.alone), try run(try ThreadTeam(threads)))
    #expect(computed.numbers == expected.numbers)
    #expect(computed.totals == expected.totals)
  }
}
