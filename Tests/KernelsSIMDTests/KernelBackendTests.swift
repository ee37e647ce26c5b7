// SPDX-License-Identifier: Apache-2.0

import Kernels
import Testing

/// The table of backends.
@Suite struct KernelBackendTests {
  @Test func namesAreThoseOfTheEnvironmentAndOfCheckpoints() {
    #expect(KernelBackend.all.map(\.name) == ["reference", "baseline", "avx2", "avx512"])
  }

  /// A backend that runs anywhere has no obstacle. A missing feature of the processor is reported
  /// in one line.
  @Test func obstacles() {
    for backend in KernelBackend.all {
      #expect(KernelBackend.supported.contains(backend) == (backend.obstacle == nil))
      if let obstacle = backend.obstacle {
        #expect(obstacle.hasPrefix("this processor has no ") && !obstacle.contains("\n"))
      }
    }
    #expect(KernelBackend.supported.starts(with: [.reference, .baseline]))
  }

  @Test func runNestsAndEnds() {
    let own = KernelBackend.current
    KernelBackend.reference.run {
      #expect(KernelBackend.current == .reference)
      KernelBackend.baseline.run { #expect(KernelBackend.current == .baseline) }
      #expect(KernelBackend.current == .reference)
    }
    #expect(KernelBackend.current == own)
  }

  @Test func aBackendIsItsName() {
    #expect(Set(KernelBackend.all + KernelBackend.supported).count == KernelBackend.all.count)
    #expect(KernelBackend.baseline != .reference)
  }

  /// The kernels of a backend are those of its module: no two of a table share them.
  @Test func kernelsAreItsOwn() {
    let kernels = KernelBackend.supported.map { ObjectIdentifier($0.kernels) }
    #expect(Set(kernels).count == kernels.count)
  }

  /// `Double` always uses the reference.
  @Test func doubleTakesTheReference() {
    let kernels = KernelBackend.all.map { ObjectIdentifier(Double.kernels(on: $0)) }
    #expect(Set(kernels).count == 1)
  }
}
