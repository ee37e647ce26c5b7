// SPDX-License-Identifier: Apache-2.0

import DataParallel
import Kernels
import MPI
import Models
import Optimizers
import Tensors
import Testing
import Threads

@testable import TrainingSteps

@Suite struct TrainingStepTests {
  /// Sums the shards of one rank, without MPI.
  private final class Alone: GradientReducer {
    var communicator: Communicator { preconditionFailure("one rank has nobody to talk to") }

    func reduce(
      _ shards: ShardedBuffer<Float>, into sum: Tensor<Float>, by buckets: Buckets
    ) throws(MPIError) {
      for shard in 1..<shards.shards { sum.add(shards[shard].flat, scale: 1) }
    }

    func reduce(_ totals: [[Double]]) throws(MPIError) -> [Double] {
      totals.dropFirst().reduce(totals[0]) { zip($0, $1).map(+) }
    }
  }

  /// The gradient is that of the mean over the weight of the elements, which is not their number
  /// where classes weigh differently. It is clipped after that, and the parameters take the step.
  @Test(arguments: [0, 0.25]) func aStepIsOfTheWeightedMean(limit: Double) throws {
    let step = BackgroundJob("step") {
      NumericEnvironment.enter()
      var layout = ParameterLayout()
      layout.add("w", shape: [2])
      let parameters = ParameterBuffer<Float>(layout)
      let step = TrainingStep(
        parameters,
        GradientReduction(
          Alone(), layout: layout, shards: 2, bucketBytes: 1 << 20, worker: nil), Alone())
      let totals = step.accumulate { _, shards in
        shards[0].flat.copy(from: [1, 2])
        shards[1].flat.copy(from: [2, 2])
        return [Totals(elements: 1, weight: 6), Totals(elements: 1, weight: 4)]
      }
      let total = try step.reduce(totals)
      let norm = try step.finishGradients(total, clippingTo: limit) { _ in }
      step.update(Optimizer(SGD(), learningRate: 1, layout: layout), rateFactor: 2)
      return (norm, parameters.flat.array)
    }
    let (norm, parameters) = try step.result()
    #expect(abs(norm - 0.5) < 1e-6, "[3, 4] / 10")
    let scale: Float = limit > 0 ? 0.5 : 1
    for (computed, expected) in zip(parameters, [-0.6 * scale, -0.8 * scale]) {
      #expect(abs(computed - expected) < 1e-6)
    }
  }
}
