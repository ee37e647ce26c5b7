// SPDX-License-Identifier: Apache-2.0

import Tensors
import Testing

@testable import DataParallel

@Suite struct ShardDigestTests {
  private let layout: ParameterLayout = {
    var layout = ParameterLayout()
    layout.add("first", shape: [2, 3])
    layout.add("second", shape: [5])
    return layout
  }()

  private func digest(
    totals: [Double] = [1, 2.5], parameters change: (Tensor<Float>) -> Void = { _ in },
    gradient spoil: (Tensor<Float>) -> Void = { _ in }
  ) -> ShardDigest {
    let (parameters, gradient) = (ParameterBuffer<Float>(layout), ParameterBuffer<Float>(layout))
    for index in 0..<layout.count {
      parameters.flat[index] = Float(index)
      gradient.flat[index] = Float(index) * 0.1
    }
    change(parameters.flat)
    spoil(gradient.flat)
    return ShardDigest(parameters, totals: totals, gradient: gradient)
  }

  private func flip(_ index: Int) -> (Tensor<Float>) -> Void {
    { $0[index] = Float(bitPattern: $0[index].bitPattern ^ 1) }
  }

  @Test func theSameNumbersAgree() {
    #expect(digest() == digest())
    #expect(digest().firstDifference(from: digest(), layout) == nil)
    #expect(digest().words.count == ShardDigest.count(layout))
    #expect(ShardDigest(words: digest().words) == digest())
  }

  /// A bit anywhere is found, and named as what is nearest to the loss or, if the parameters differ,
  /// as their fault.
  @Test func oneBitIsFoundAndNamed() {
    let right = digest()
    for index in 0..<layout.count {
      let name = index < 6 ? "first" : "second"
      #expect(
        digest(gradient: flip(index)).firstDifference(from: right, layout)
          == "the gradient of \(name)")
      #expect(
        digest(parameters: flip(index), gradient: flip(0)).firstDifference(from: right, layout)
          == "the parameters")
    }
    let both = digest(gradient: { numbers in
      for index in [1, 7] { flip(index)(numbers) }
    })
    #expect(both.firstDifference(from: right, layout) == "the gradient of second")
    #expect(
      digest(totals: [1, 2.5.nextUp]).firstDifference(from: right, layout)
        == "the sums of the loss")
  }

  /// The bits of a NaN may differ between two right computations; one that is finite and one that is
  /// not differ.
  @Test func ofNumbersThatAreNotFiniteOnlyThatCounts() {
    let (one, other) = (Float(bitPattern: 0x7fc0_0001), Float(bitPattern: 0xffc0_0002))
    #expect(digest(gradient: { $0[7] = one }) == digest(gradient: { $0[8] = other }))
    #expect(digest(gradient: { $0[7] = one }) != digest())
    #expect(digest(totals: [.nan, 1]) == digest(totals: [.infinity, 1]))
    #expect(digest(totals: [.nan, 1]) != digest())
  }
}
