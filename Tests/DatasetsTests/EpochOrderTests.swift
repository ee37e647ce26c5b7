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

  /// Nine of ten sequences are of class 0, none of class 1. Classes that occur are drawn equally
  /// often on average, another draw in each epoch, and the same one again for the same seed.
  @Test func classesAreDrawnEquallyOften() {
    let classes = (0..<3000).map { Int32($0 % 10 == 3 ? 2 : 0) }
    func order(_ epoch: Int, seed: UInt64 = 5) -> [Int] {
      let order = EpochOrder(
        count: 3000, batchSize: 64, seed: seed, epoch: epoch, balancing: classes)
      return (0..<order.batches).flatMap { order.batch($0) }
    }
    let first = order(0)
    #expect(first.count == 3000 && first == order(0))
    #expect(first != order(1) && first != order(0, seed: 6))
    // The deviation of the count is 27.
    let rare = first.count { classes[$0] == 2 }
    #expect((1350...1650).contains(rare), "\(rare)")
    // Of 300 sequences, all but e^-5 of them are drawn.
    #expect(Set(first.filter { classes[$0] == 2 }).count > 280)
    let ragged = EpochOrder(
      count: 3000, batchSize: 64, seed: 5, epoch: 0, length: { $0 % 7 }, balancing: classes)
    #expect((0..<ragged.batches).flatMap { ragged.batch($0) }.sorted() == first.sorted())
  }
}
