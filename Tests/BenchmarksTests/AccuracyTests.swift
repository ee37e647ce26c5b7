// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors
import Testing

@testable import Benchmarks

/// The measurements of accuracy detect errors.
@Suite struct AccuracyTests {
  private func measure(_ values: ([Float]) -> [Float]) -> FunctionAccuracy {
    FunctionAccuracy.measure(.exponential, kernels: "test", every: 99_991, values)
  }

  private func good(_ x: [Float]) -> [Float] {
    ElementaryFunction.exponential.values(at: x, on: .reference)
  }

  @Test func aGoodFunctionPasses() {
    let result = measure(good)
    #expect(result.passes && result.worstUlps <= 1, "\(result)")
    // All but the 2^25 that are infinite or none.
    #expect(abs(result.arguments - (1 << 32 - 1 << 25) / 99_991) < 1000)
  }

  @Test func anErrorInOnePlaceIsSeen() {
    let result = measure { x in
      zip(x, good(x)).map { x, y in 0.5 < x && x < 1 ? y.nextUp.nextUp : y }
    }
    #expect(!result.passes && result.worstUlps > 1.5 && 0.5 < result.worstAt && result.worstAt < 1)
  }

  @Test(arguments: [Float.nan, .infinity, 0]) func whatIsNoNumberIsTheWorst(wrong: Float) {
    let result = measure { x in zip(x, good(x)).map { x, y in 1 < x && x < 2 ? wrong : y } }
    #expect(!result.passes && result.worstUlps > 1e6)
  }

  @Test func aWrongResultNextToZeroIsSeen() {
    let result = measure { x in zip(x, good(x)).map { x, y in x < -200 ? 1e-20 : y } }
    #expect(!result.passes && result.worstNearZero > 1e-21)
  }

  @Test func normsOfDifferences() {
    let exact = Tensor<Double>([3, 4], shape: [2])
    #expect(LayerAccuracy.relativeError(Tensor([3, 4], shape: [2]), exact) == 0)
    #expect(LayerAccuracy.relativeError(Tensor([3, 3], shape: [2]), exact) == 0.2)
    #expect(LayerAccuracy.relativeError(Tensor([3, .nan], shape: [2]), exact) == .infinity)
  }
}
