// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Layers
import Models
import RandomNumbers
import Tensors
import TestSupport
import Testing
import Threads

/// Each objective as the loss of a model, asked of whole sequences and of every step.
@Suite struct ObjectiveModelTests {
  private let lengths = [4, 1, 3, 2]

  private func targets(_ kind: TargetKind) -> SequenceTargets {
    var stream = RandomStream(seed: 4, purpose: .testing)
    let count = (kind.isEveryStep ? 16 : 4) * kind.width
    let largest = kind.answer == .oneClass ? kind.outputs : kind.answer == .labels ? 2 : 4
    return kind.answer == .numbers
      ? SequenceTargets(kind, numbers: (0..<count).map { _ in Float(stream.normal()) })
      : SequenceTargets(kind, whole: (0..<count).map { _ in Int32(stream.below(largest)) })
  }

  private func setUp<Scalar: KernelScalar>(
    _ objective: any Objective, _ kind: TargetKind, as: Scalar.Type
  ) throws -> (SequenceModel<Scalar>, ParameterBuffer<Scalar>, SequenceBatch<Scalar>) {
    let system = try #require(RecurrentSystem(named: "gru"))
    let model = SequenceModel<Scalar>(
      StackSpecification(
        LayerSpecification(
          system.layers(CellConstants(mu: 0.5, epsilon: 0.8, beta: 0.7, restart: 3)), hidden: 3),
        layers: 1),
      inputs: 2, outputs: kind.outputs, objective: objective)
    let parameters = ParameterBuffer<Scalar>(model.layout)
    model.initialize(parameters, seed: 5, gateBias: 1)
    var stream = RandomStream(seed: 2, purpose: .testing)
    let x = Tensor<Scalar>(shape: [4, 4, 2])
    for index in 0..<x.count { x[index] = Scalar(stream.normal()) }
    let batch = SequenceBatch(
      x: x, targets: targets(kind), lengths: lengths, rowStarts: [0, 1, 1, 4])
    return (model, parameters, batch)
  }

  @Test(arguments: ObjectiveTable.all, [false, true])
  func gradientsAreThoseOfCentralDifferences(entry: ObjectiveEntry, isEveryStep: Bool) throws {
    let kind = TargetKind(
      entry.kind.answer, outputs: entry.kind.outputs, isEveryStep: isEveryStep)
    let (model, parameters, batch) = try setUp(entry.objective, kind, as: Double.self)
    let gradients = ShardedBuffer<Double>(model.layout, shards: 3)
    let totals = model.prepared(parameters).accumulateGradients(batch, parameters, into: gradients)
    let width = kind.width == 1 ? 1 : Double(kind.outputs)
    // Rows of a class that is ignored are no elements.
    if (entry.objective as? CrossEntropy)?.ignoredClass == nil {
      #expect(totals.map(\.elements) == (isEveryStep ? [4, 0, 6] : [1, 0, 3]).map { $0 * width })
    }
    #expect(totals.map(\.sequences) == [1, 0, 3])
    // Ranks add up the same members, with rows and without.
    #expect(Set(totals.map(\.values.count)).count == 1)
    let sum = (0..<model.layout.count).map { index in
      (0..<3).reduce(0) { $0 + gradients[$1].flat[index] }
    }
    checkGradient("parameters", of: parameters.flat, gradient: sum) {
      model.prepared(parameters).evaluate(batch, parameters).reduce(0) { $0 + $1.loss }
    }
  }

  @Test(arguments: ObjectiveTable.all, [false, true])
  func threadsLeaveTheBitsAlone(entry: ObjectiveEntry, isEveryStep: Bool) throws {
    let kind = TargetKind(
      entry.kind.answer, outputs: entry.kind.outputs, isEveryStep: isEveryStep)
    func run(_ team: ThreadTeam) throws -> ([UInt32], [Totals]) {
      let (model, parameters, batch) = try setUp(entry.objective, kind, as: Float.self)
      model.team = team
      let gradients = ShardedBuffer<Float>(model.layout, shards: 3)
      let totals = model.prepared(parameters).accumulateGradients(
        batch, parameters, into: gradients)
      return (gradients.flat.array.map(\.bitPattern), totals)
    }
    let (alone, together) = (try run(.alone), try run(try ThreadTeam(2)))
    #expect(alone.0 == together.0 && alone.1 == together.1)
  }
}
