// SPDX-License-Identifier: Apache-2.0

import Tensors
import Testing

@testable import Datasets

/// Known orders, computed by an independent program. A change would change every run.
@Suite struct EpochOrderTests {
  private func batches(_ order: EpochOrder) -> [[Int]] {
    (0..<order.batches).map { Array(order.batch($0)) }
  }

  @Test func anEpochVisitsTheSequencesInTheKnownOrder() {
    let order = EpochOrder(count: 12, batchSize: 5, seed: 7, epoch: 3)
    #expect(batches(order) == [[8, 4, 1, 5, 9], [7, 3, 0, 2, 10], [11, 6]])
  }

  /// Lengths differ: a batch takes neighbours in length, ties in the order of the permutation.
  @Test func sequencesOfUnequalLengthsComeInTheKnownOrder() {
    let lengths = [5, 1, 4, 2, 3, 9, 8, 7, 6, 10]
    let order = EpochOrder(count: 10, batchSize: 3, seed: 3, epoch: 2) { lengths[$0] }
    #expect(batches(order) == [[1, 3, 4], [2, 0, 8], [7, 6, 5], [9]])
  }

  @Test func theHeldOutSequencesAreTheKnownOnes() throws {
    let (rest, heldOut) = SubsetSource.split(
      AddingProblem(count: 10, steps: 3, seed: 1, part: .train), holdingOut: 3)
    #expect(rest.count == 7 && heldOut.count == 3)
    let all = AddingProblem(count: 10, steps: 3, seed: 1, part: .train)
    func first(_ source: any SequenceSource, _ index: Int) throws -> [Float] {
      let x = Tensor<Float>(shape: [3, 1, 2])
      _ = try source.read([index][...], into: x)
      return x.array
    }
    for (place, index) in [2, 5, 6].enumerated() {
      #expect(try first(heldOut, place) == first(all, index))
    }
  }
}
