// SPDX-License-Identifier: Apache-2.0

import Kernels
import Testing

/// One arithmetic: the width of a vector does not affect the bits.
@Suite struct GoldenTests {
  private static let fused = KernelBackend.supported.filter { $0.arithmetic == .fused }

  @Test(
    .enabled(if: !fused.isEmpty, "this processor has no kernels with fused products"),
    arguments: fused)
  func layersHaveTheSameBitsOnEveryProcessor(backend: KernelBackend) {
    for golden in GoldenLayer.all {
      let result = golden.layer.run(golden.layer.numbers(), with: backend.kernels)
      let digest = GoldenLayer.digest(result)
      #expect(
        GoldenLayer.digests[golden.name] == digest,
        "\(backend): \"\(golden.name)\": 0x\(String(digest, radix: 16)),")
    }
  }

  @Test func digestsAreOfLayers() {
    #expect(Set(GoldenLayer.digests.keys) == Set(GoldenLayer.all.map(\.name)))
  }
}
