// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Models
import RandomNumbers
import Tensors
import TestSupport
import Testing
import Threads

@Suite struct SequenceModelTests {
  enum LossKind: Sendable {
    case crossEntropy, squaredError

    var objective: any Objective { self == .crossEntropy ? CrossEntropy() : SquaredError() }
  }

  private func model<Scalar: KernelScalar>(
    layers: Int, loss: LossKind, bidirectional: Bool = false, as type: Scalar.Type
  ) -> (SequenceModel<Scalar>, ParameterBuffer<Scalar>) {
    let model = SequenceModel<Scalar>(
      StackSpecification(
        drive: DriveParameters(.momentum, mu: 0.5, epsilon: 0.8), body: .lstm, hidden: 3,
        layers: layers, bidirectional: bidirectional),
      inputs: 2, outputs: 2, objective: loss.objective)
    let parameters = ParameterBuffer<Scalar>(model.layout)
    model.initialize(parameters, seed: 5, gateBias: 1)
    return (model, parameters)
  }

  private func batch<Scalar: KernelScalar>(
    rows N: Int, loss: LossKind, rowStarts: [Int], as type: Scalar.Type
  ) -> SequenceBatch<Scalar> {
    let x = Tensor<Scalar>(shape: [4, N, 2])
    // Row n is the same for any N.
    for n in 0..<N {
      var stream = RandomStream(seed: 2, purpose: .testing, index: n)
      for t in 0..<4 { for c in 0..<2 { x[(t * N + n) * 2 + c] = Scalar(stream.normal()) } }
    }
    return SequenceBatch(
      x: x,
      targets: loss == .crossEntropy
        ? .classes((0..<N).map { Int32($0 % 2) }, of: 2)
        : .values((0..<2 * N).map { Float($0) * 0.1 }, of: 2),
      rowStarts: rowStarts)
  }

  @Test(arguments: [LossKind.crossEntropy, .squaredError], [(1, false), (2, false), (2, true)])
  func gradientsAreThoseOfCentralDifferences(loss: LossKind, stack: (Int, Bool)) {
    let (model, parameters) = model(
      layers: stack.0, loss: loss, bidirectional: stack.1, as: Double.self)
    let batch = batch(rows: 3, loss: loss, rowStarts: [0, 1, 3], as: Double.self)
    let gradients = ShardedBuffer<Double>(model.layout, shards: 2)
    _ = model.prepared(parameters).accumulateGradients(batch, parameters, into: gradients)
    let sum = (0..<model.layout.count).map { gradients[0].flat[$0] + gradients[1].flat[$0] }
    checkGradient("parameters", of: parameters.flat, gradient: sum) {
      model.prepared(parameters).evaluate(batch, parameters).reduce(0) { $0 + $1.loss }
    }
  }

  /// Rows of unequal length, asked at their last valid step or at each valid step.
  @Test(arguments: [true, false], [(1, false), (2, false), (2, true)])
  func raggedGradientsAreThoseOfCentralDifferences(everyStep: Bool, stack: (Int, Bool)) {
    let loss: LossKind = everyStep ? .squaredError : .crossEntropy
    let (model, parameters) = model(
      layers: stack.0, loss: loss, bidirectional: stack.1, as: Double.self)
    var batch = batch(rows: 3, loss: loss, rowStarts: [0, 2, 3], as: Double.self)
    batch.lengths = [4, 1, 3]
    if everyStep {
      batch.targets = .frames((0..<24).map { 0.1 * Float($0 % 7) }, of: 2)
    }
    let gradients = ShardedBuffer<Double>(model.layout, shards: 2)
    let totals = model.prepared(parameters).accumulateGradients(batch, parameters, into: gradients)
    #expect(totals.map(\.elements) == (everyStep ? [10, 6] : [2, 1]))
    #expect(totals.map(\.sequences) == [2, 1])
    let sum = (0..<model.layout.count).map { gradients[0].flat[$0] + gradients[1].flat[$0] }
    let value = {
      model.prepared(parameters).evaluate(batch, parameters).reduce(0) { $0 + $1.loss }
    }
    checkGradient("parameters", of: parameters.flat, gradient: sum, loss: value)
    // Numbers beyond the end of a sequence change nothing.
    let before = value()
    batch.x[(3 * 3 + 1) * 2] = 1e3
    #expect(value() == before)
  }

  /// A class at every valid step, and answers read from the mean of the states of all valid steps.
  @Test(arguments: [true, false], [(1, false), (2, true)])
  func everyStepAndPooledGradientsAreThoseOfCentralDifferences(
    everyStep: Bool, stack: (Int, Bool)
  ) {
    let model = SequenceModel<Double>(
      StackSpecification(
        drive: DriveParameters(.momentum, mu: 0.5, epsilon: 0.8), body: .lstm, hidden: 3,
        layers: stack.0, bidirectional: stack.1),
      inputs: 2, outputs: 2, objective: CrossEntropy(), pooling: .mean)
    let parameters = ParameterBuffer<Double>(model.layout)
    model.initialize(parameters, seed: 5, gateBias: 1)
    var batch = batch(rows: 3, loss: .crossEntropy, rowStarts: [0, 2, 3], as: Double.self)
    for lengths in [[4, 1, 3], nil] {
      batch.lengths = lengths
      if everyStep { batch.targets = .stepClasses((0..<12).map { Int32($0 % 5 % 2) }, of: 2) }
      let gradients = ShardedBuffer<Double>(model.layout, shards: 2)
      let totals = model.prepared(parameters).accumulateGradients(
        batch, parameters, into: gradients)
      let steps: [Double] = lengths == nil ? [8, 4] : [5, 3]
      #expect(totals.map(\.elements) == (everyStep ? steps : [2, 1]))
      #expect(totals.map(\.sequences) == [2, 1])
      let sum = (0..<model.layout.count).map { gradients[0].flat[$0] + gradients[1].flat[$0] }
      checkGradient("parameters", of: parameters.flat, gradient: sum) {
        model.prepared(parameters).evaluate(batch, parameters).reduce(0) { $0 + $1.loss }
      }
    }
  }

  /// Of a sequence of one step, the mean and the last state are one.
  @Test func theMeanOfOneStateIsThatState() {
    func loss(_ pooling: Pooling, steps: Int) -> Double {
      let model = SequenceModel<Double>(
        StackSpecification(drive: DriveParameters(.plain), body: .lstm, hidden: 3), inputs: 2,
        outputs: 2, objective: CrossEntropy(), pooling: pooling)
      let parameters = ParameterBuffer<Double>(model.layout)
      model.initialize(parameters, seed: 5, gateBias: 1)
      var batch = batch(rows: 2, loss: .crossEntropy, rowStarts: [0, 2], as: Double.self)
      batch.lengths = [steps, steps]
      return model.prepared(parameters).evaluate(batch, parameters)[0].loss
    }
    #expect(loss(.mean, steps: 1) == loss(.last, steps: 1))
    #expect(loss(.mean, steps: 3) != loss(.last, steps: 3))
  }

  /// Independence of the rank count relies on this promise: a shard's bits do not depend on the
  /// shards computed with it.
  @Test func aShardHasTheSameBitsAloneAndInCompany() {
    let (model, parameters) = model(layers: 2, loss: .crossEntropy, as: Float.self)
    let together = batch(rows: 6, loss: .crossEntropy, rowStarts: [0, 2, 6], as: Float.self)
    let both = ShardedBuffer<Float>(model.layout, shards: 2)
    let totals = model.prepared(parameters).accumulateGradients(together, parameters, into: both)
    let alone = batch(rows: 2, loss: .crossEntropy, rowStarts: [0, 2], as: Float.self)
    let one = ShardedBuffer<Float>(model.layout, shards: 1)
    let single = model.prepared(parameters).accumulateGradients(alone, parameters, into: one)
    #expect(single[0] == totals[0])
    #expect(one[0].flat.array.map(\.bitPattern) == both[0].flat.array.map(\.bitPattern))
  }

  /// The reverse direction is a separate layer on the sequence read from its end, and the
  /// read-out sees its last state: a model with both directions' weights exchanged gives, on the
  /// reversed sequence, the same answer.
  @Test func theReverseDirectionReadsFromTheEnd() {
    let (model, parameters) = model(
      layers: 1, loss: .crossEntropy, bidirectional: true, as: Double.self)
    let batch = batch(rows: 2, loss: .crossEntropy, rowStarts: [0, 2], as: Double.self)
    let loss = model.prepared(parameters).evaluate(batch, parameters)[0].loss
    let exchanged = ParameterBuffer<Double>(model.layout)
    exchanged.flat.copy(from: parameters.flat)
    for name in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] {
      let (a, b) = ("rnn.\(name)_l0", "rnn.\(name)_l0_reverse")
      exchanged[a].copy(from: parameters[b])
      exchanged[b].copy(from: parameters[a])
    }
    for row in 0..<2 {
      for unit in 0..<3 {
        exchanged["readout.weight"][row * 6 + unit] =
          parameters["readout.weight"][row * 6 + unit + 3]
        exchanged["readout.weight"][row * 6 + unit + 3] =
          parameters["readout.weight"][row * 6 + unit]
      }
    }
    var reversed = batch
    reversed.x = Tensor(shape: batch.x.shape)
    for t in 0..<4 { reversed.x.row(t).copy(from: batch.x.row(3 - t)) }
    expectClose(
      [model.prepared(exchanged).evaluate(reversed, exchanged)[0].loss], [loss], relative: 1e-14)
    #expect(model.prepared(parameters).evaluate(reversed, parameters)[0].loss != loss)
  }

  /// Elements that are reported as final no longer change, and are reported from the end on.
  @Test func finishedGradientsStayAsTheyAre() {
    let (model, parameters) = model(layers: 3, loss: .crossEntropy, as: Float.self)
    let batch = batch(rows: 4, loss: .crossEntropy, rowStarts: [0, 2, 4], as: Float.self)
    var gradients = ShardedBuffer<Float>(model.layout, shards: 2)
    let flat = gradients.flat
    let count = model.layout.count
    var seen: [(from: Int, values: [Float])] = []
    gradients.whenFinal = { first in
      seen.append((first, (0..<2).flatMap { flat.row($0).elements(first..<count).array }))
    }
    _ = model.prepared(parameters).accumulateGradients(batch, parameters, into: gradients)
    #expect(seen.count == 4, "the read-out and three layers")
    #expect(seen.last?.from == 0)
    for (first, values) in seen {
      #expect(values.contains { $0 != 0 })
      #expect(values == (0..<2).flatMap { flat.row($0).elements(first..<count).array })
    }
    #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.from > $1.from })
  }

  @Test func noRowsGiveNoGradient() {
    let (model, parameters) = model(layers: 1, loss: .crossEntropy, as: Float.self)
    let empty = batch(rows: 0, loss: .crossEntropy, rowStarts: [0, 0, 0], as: Float.self)
    let gradients = ShardedBuffer<Float>(model.layout, shards: 2)
    // As many sums as those of other ranks, which have rows.
    let none = Totals(own: [0, 0])
    #expect(
      model.prepared(parameters).accumulateGradients(empty, parameters, into: gradients) == [
        none, none,
      ])
    #expect(gradients.flat.array.allSatisfy { $0 == 0 })
  }

  /// 4·H·(C + H + 2) of the layer and (H + 1)·K of the read-out: the paper's counts.
  @Test(arguments: [(128, 68_362), (256, 267_786)]) func parameterCountsAreThePapers(
    hidden: Int, count: Int
  ) {
    let model = SequenceModel<Float>(
      StackSpecification(drive: DriveParameters(.plain), body: .lstm, hidden: hidden), inputs: 1,
      outputs: 10, objective: CrossEntropy())
    #expect(model.layout.count == count)
  }

  /// Every number of threads gives the bits of one, in training and in evaluation, with shards
  /// that are empty, more threads than shards, and ragged rows asked at every step.
  @Test(arguments: [2, 3, 9], [true, false])
  func threadsLeaveTheBitsAlone(threads: Int, everyStep: Bool) throws {
    let loss: LossKind = everyStep ? .squaredError : .crossEntropy
    func run(_ team: ThreadTeam) -> (bits: [UInt32], totals: [Totals], counts: [Int]) {
      let (model, parameters) = model(layers: 2, loss: loss, bidirectional: true, as: Float.self)
      model.team = team
      var batch = batch(rows: 11, loss: loss, rowStarts: [0, 2, 2, 3, 7, 11], as: Float.self)
      batch.lengths = (0..<11).map { 1 + $0 % 4 }
      if everyStep {
        batch.targets = .frames((0..<88).map { Float($0 % 13) * 0.1 }, of: 2)
      }
      let gradients = ShardedBuffer<Float>(model.layout, shards: 5)
      let trained = model.prepared(parameters).accumulateGradients(
        batch, parameters, into: gradients)
      let counts = ConfusionCounts(classes: 2)
      let seen = model.prepared(parameters).evaluate(batch, parameters, counting: counts)
      #expect(seen == trained)
      return (gradients.flat.array.map(\.bitPattern), trained, counts.counts)
    }
    let (expected, computed) = (run(.alone), run(try ThreadTeam(threads)))
    #expect(computed.bits == expected.bits)
    #expect(computed.totals == expected.totals)
    #expect(computed.counts == expected.counts)
    #expect(expected.counts.reduce(0, +) == (everyStep ? 0 : 11))
  }

  /// The whole is complete as far as the slowest thread.
  @Test func theSlowestThreadDecidesWhatIsComplete() {
    var layout = ParameterLayout()
    layout.add("a", shape: [10])
    var gradients = ShardedBuffer<Float>(layout, shards: 5)
    var said: [Int] = []
    gradients.whenFinal = { said.append($0) }
    let parts = gradients.split([0..<2, 2..<5])
    #expect(parts.map(\.shards) == [2, 3])
    parts[0].whenFinal(7)
    parts[0].whenFinal(3)
    parts[1].whenFinal(5)
    parts[1].whenFinal(0)
    #expect(said == [10, 10, 5, 3])
    parts[1][0].flat[4] = 9
    #expect(gradients[2].flat[4] == 9)
  }
}
