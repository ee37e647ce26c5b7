// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import Tensors
import Testing

@Suite struct DropoutTests {
  /// Every backend takes the words of the stream in their order.
  @Test(arguments: KernelBackend.supported, [1, 4, 63, 64, 65, 200, 1027])
  func factorsFollowTheWords(backend: KernelBackend, count: Int) {
    let stream = RandomStream(
      seed: 0xFEDC_BA98_7654_3210, purpose: .dropout, site: 77, step: 5, index: 123_456)
    let factors = Tensor<Float>(shape: [count + 1])
    factors.fill(-1)
    backend.run { factors.rows(0..<count).fillDropout(0.3, from: stream) }
    var words = stream
    let limit = UInt32(0.3 * 0x1p32)
    let expected = (0..<count).map { _ in words.nextWord() < limit ? 0 : Float(1 / 0.7) }
    #expect(factors.array == expected + [-1])
  }

  @Test func meansAndDouble() {
    let stream = RandomStream(seed: 1, purpose: .dropout)
    let (factors, wide) = (Tensor<Float>(shape: [100_000]), Tensor<Double>(shape: [100_000]))
    factors.fillDropout(0.5, from: stream)
    wide.fillDropout(0.5, from: stream)
    #expect(factors.array.map { Double($0) } == wide.array)
    #expect(abs(wide.array.reduce(0, +) / 100_000 - 1) < 0.02)
    wide.fillDropout(0, from: stream)
    #expect(wide.array.allSatisfy { $0 == 1 })
  }
}
