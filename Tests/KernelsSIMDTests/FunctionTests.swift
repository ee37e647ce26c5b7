// SPDX-License-Identifier: Apache-2.0

import Kernels
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// A function of kernels that maps a buffer to another of the same count.
private typealias Elementwise = (
  UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int
) -> Void

/// exp, tanh and the logistic function against Double, in units of the last place.
@Suite struct FunctionTests {
  /// Evenly spread numbers, and numbers of every magnitude down to 1e-30.
  private func arguments(_ range: ClosedRange<Float>, tiny: Bool) -> [Float] {
    var generator = SplitMix(state: 3)
    let middle = (range.lowerBound + range.upperBound) / 2
    let half = (range.upperBound - range.lowerBound) / 2
    var result = (0..<200_000).map { _ in middle + half * generator.symmetric() }
    if tiny {
      result += (0..<50_000).map { _ in
        generator.symmetric() * powf(10, -30 * (generator.symmetric() + 1) / 2)
      }
    }
    return result
  }

  private func apply(_ function: Elementwise, _ x: [Float]) -> [Float] {
    var y = [Float](repeating: 0, count: x.count)
    x.withUnsafeBufferPointer { x in
      y.withUnsafeMutableBufferPointer { y in
        function(x.baseAddress!, y.baseAddress!, x.count)
      }
    }
    return y
  }

  private func worst(
    _ function: Elementwise, _ x: [Float], _ exact: (Double) -> Double
  ) -> (error: Double, at: Float) {
    var (worst, place) = (0.0, Float(0))
    for (x, y) in zip(x, apply(function, x)) {
      let expected = exact(Double(x))
      // In Double, because the last place of a small Float is a denormal number.
      let lastPlace = Double(
        sign: .plus, exponent: max(expected.exponent, Float.leastNormalMagnitude.exponent) - 23,
        significand: 1)
      let error = abs(Double(y) - expected) / lastPlace
      // A NaN counts as the worst.
      if !(error <= worst) { (worst, place) = (error, x) }
    }
    return (worst, place)
  }

  @Test(arguments: KernelBackend.all) func accuracy(backend: KernelBackend) throws {
    try backend.requireSupport()
    NumericEnvironment.enter()
    let kernels = backend.kernels
    let exponential = worst(
      { kernels.exponential($0, into: $1, count: $2) }, arguments(-87.3...88.3, tiny: true)
    ) { exp($0) }
    let tangent = worst(
      { kernels.hyperbolicTangent($0, into: $1, count: $2) }, arguments(-12...12, tiny: true)
    ) { tanh($0) }
    let logistic = worst(
      { kernels.logistic($0, into: $1, count: $2) },
      arguments(-87...87, tiny: false) + arguments(-12...12, tiny: true)
    ) {
      1 / (1 + exp(-$0))
    }
    #expect(exponential.error <= 1.5, "exp at \(exponential.at)")
    #expect(tangent.error <= 3, "tanh at \(tangent.at)")
    #expect(logistic.error <= 3, "logistic at \(logistic.at)")
    print(
      "\(backend): worst error in units of the last place: exp \(exponential.error),",
      "tanh \(tangent.error), logistic \(logistic.error)")
  }

  @Test(arguments: KernelBackend.modules) func ends(backend: KernelBackend) throws {
    try backend.requireSupport()
    let kernels = backend.kernels
    let x: [Float] = [.infinity, 1e30, 100, -100, -1e30, -.infinity, 0, -0.0, .nan]
    let tangent = apply({ kernels.hyperbolicTangent($0, into: $1, count: $2) }, x)
    #expect(tangent[0..<6] == [1, 1, 1, -1, -1, -1])
    #expect(tangent[6].bitPattern == 0)
    #expect(tangent[7].bitPattern == Float(-0.0).bitPattern)
    #expect(tangent[8].isNaN)
    let logistic = apply({ kernels.logistic($0, into: $1, count: $2) }, x)
    #expect(logistic[0..<3] == [1, 1, 1])
    #expect(logistic[3..<6].allSatisfy { $0 >= 0 && $0 < 1e-37 })
    #expect(logistic[6] == 0.5 && logistic[8].isNaN)
    let exponential = apply({ kernels.exponential($0, into: $1, count: $2) }, x)
    #expect(exponential[0..<6] == [.infinity, .infinity, .infinity, 0, 0, 0])
    #expect(exponential[6] == 1 && exponential[8].isNaN)
  }
}
