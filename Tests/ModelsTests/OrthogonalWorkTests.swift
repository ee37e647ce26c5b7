// SPDX-License-Identifier: Apache-2.0

import Layers
import KernelInterface
import Kernels
import Models
import RandomNumbers
import Tensors
import Testing
import Threads

/// The exponential and its adjoint run once per optimizer step and layer, regardless of the work.
@Suite struct OrthogonalWorkTests {
  @Test(arguments: [1, 150], [1, 3]) func onceAStep(steps T: Int, layers: Int) throws {
    for (shards, threads, accumulations, every) in [(1, 1, 1, 0), (5, 2, 3, 0), (2, 1, 2, 7)] {
      var stack = StackSpecification(
        drive: DriveParameters(.momentum, mu: 0.5, epsilon: 0.8), body: .modReLU,
        orthogonal: OrthogonalSettings(), hidden: 4, layers: layers)
      stack.recomputeEvery = every
      let model = SequenceModel<Float>(stack, inputs: 2, outputs: 3, objective: CrossEntropy())
      model.team = try ThreadTeam(threads)
      let parameters = ParameterBuffer<Float>(model.layout)
      model.initialize(parameters, seed: 5, gateBias: 0)
      let x = Tensor<Float>(shape: [T, 10, 2])
      x.fill(0.5)
      let batch = SequenceBatch(
        x: x, targets: .classes((0..<10).map { Int32($0 % 3) }, of: 3),
        rowStarts: (0...shards).map { 10 * $0 / shards })
      for step in 1...3 {
        try model.prepare(parameters, advancing: true)
        let gradients = ShardedBuffer<Float>(model.layout, shards: shards)
        for _ in 0..<accumulations {
          _ = model.accumulateGradients(batch, parameters, into: gradients)
        }
        let sum = ParameterBuffer<Float>(model.layout)
        for shard in 0..<shards { sum.flat.add(gradients[shard].flat, scale: 1) }
        try model.finishGradients(sum)
        let work = try #require(model.orthogonalWork)
        #expect(work.map.calls == layers * step)
        #expect(work.adjoint.calls == layers * step)
      }
    }
  }

  @Test func otherModelsHaveNone() {
    let model = SequenceModel<Float>(
      StackSpecification(drive: DriveParameters(.plain), body: .lstm, hidden: 3), inputs: 2,
      outputs: 2, objective: CrossEntropy())
    #expect(model.orthogonalWork == nil)
  }
}
