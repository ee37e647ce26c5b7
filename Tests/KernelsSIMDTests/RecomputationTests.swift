// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Testing

/// Keeping only every k-th state changes no bit.
@Suite struct RecomputationTests {
  @Test(arguments: KernelBackend.modules) func theBitsAreThoseOfKeepingEverything(
    backend: KernelBackend
  ) throws {
    try backend.requireSupport()
    let T = 19
    for body in BodyKind.allCases {
      for drive in ReferenceTests.drives
      where !(body == .gru && drive.kind == .nesterovExtrapolated) {
        for (C, H, shards, isFull) in [(1, 20, [30, 0, 41], true), (6, 33, [5], false)] {
          var layer = LayerCase(
            geometry: LayerGeometry(
              steps: T, rows: shards.reduce(0, +), inputs: C, hidden: H, drive: drive, body: body),
            shardRows: shards)
          layer.hasStates = isFull
          layer.hasOutputGradient = isFull
          let numbers = layer.numbers()
          let expected = layer.run(numbers, with: backend.kernels)
          // Divisors of T and not, the ends, and more than T.
          for k in [1, 2, 5, 18, 19, 40] {
            layer.geometry.recomputeEvery = k
            let computed = layer.run(numbers, with: backend.kernels)
            for (a, b) in zip(computed.tensors, expected.tensors) {
              let same = a.values.bits == b.values.bits
              #expect(same, "\(body) \(drive.kind) H=\(H) k=\(k): \(a.name)")
            }
          }
        }
      }
    }
  }

  /// The kept memory decreases with k.
  @Test(arguments: KernelBackend.modules) func lessIsKept(backend: KernelBackend) throws {
    try backend.requireSupport()
    var geometry = LayerGeometry(
      steps: 100, rows: 8, inputs: 1, hidden: 32,
      drive: DriveParameters(.momentum, mu: 0.6, epsilon: 0.9), body: .lstm)
    let all = backend.kernels.savedCount(geometry)
    geometry.recomputeEvery = 10
    #expect(backend.kernels.savedCount(geometry) * 9 < all)
  }
}
