// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import KernelsBaseline

// The program that launch/check-arm64 runs under an emulator: the baseline kernels and the scalar
// reference. It is built in embedded mode, because the compiler for another processor has no
// standard library for Linux on arm64. The reference finds the C library's functions here.

@_extern(c, "exp") func exp(_ x: Double) -> Double
@_extern(c, "tanh") func tanh(_ x: Double) -> Double
@_extern(c, "expf") func expf(_ x: Float) -> Float
@_extern(c, "tanhf") func tanhf(_ x: Float) -> Float
@_extern(c, "flush_denormals") func flushDenormals()

@main struct Arm64Check {
  nonisolated(unsafe) static var failures = 0

  static func main() {
    checkDenormals()
    checkFunctions()
    checkLayers()
    print(failures == 0 ? "arm64: all is well" : "arm64: \(failures) failure(s)")
    if failures > 0 { fatalError() }
  }

  static func expect(_ isGood: Bool, _ what: String) {
    print(isGood ? "ok     \(what)" : "WRONG  \(what)")
    if !isGood { failures += 1 }
  }

  /// The flushing that every computing thread turns on.
  static func checkDenormals() {
    // Not known to the compiler.
    var small = Pool<Float>().fill([1e-30])[0]
    if small != 1e-30 { small = 1e-30 }
    let before = small * small * 1e20
    flushDenormals()
    let after = half(Pool<Float>().fill([Float.leastNormalMagnitude])[0])
    expect(before >= 0 && after == 0, "denormal results are flushed to zero")
  }

  @inline(never) static func half(_ x: Float) -> Float { x * 0.5 }

  static func checkFunctions() {
    func check(
      _ name: String, _ bounds: ClosedRange<Float>, limit: Double,
      _ function: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void,
      _ exact: (Double) -> Double
    ) {
      let count = 1 << 16
      let pool = Pool<Float>()
      let step = (bounds.upperBound - bounds.lowerBound) / Float(count)
      let x = pool.fill((0..<count).map { bounds.lowerBound + step * Float($0) })
      let y = pool.fill([Float](repeating: 77, count: count))
      function(x, y, count)
      var worst = 0.0
      for index in 0..<count {
        let expected = exact(Double(x[index]))
        // Not the Float's own unit in the last place, which may be denormal.
        let exponent = max(Int(Double(Float(expected)).exponent), -126) - 23
        let error =
          abs(Double(y[index]) - expected) / Double(sign: .plus, exponent: exponent, significand: 1)
        if !(error <= worst) { worst = error }
      }
      expect(
        worst <= limit, "\(name): \(scaled(worst, 1000)) thousandths of a unit in the last place")
    }
    check("exp", -87.3...88.3, limit: 1.5, { SIMDKernels.exponential($0, into: $1, count: $2) }) {
      exp($0)
    }
    check("tanh", -12...12, limit: 3, { SIMDKernels.hyperbolicTangent($0, into: $1, count: $2) }) {
      tanh($0)
    }
    check("logistic", -87...87, limit: 3, { SIMDKernels.logistic($0, into: $1, count: $2) }) {
      1 / (1 + exp(-$0))
    }
  }

  /// A whole number for print, which takes no other numbers here.
  static func scaled(_ x: Double, _ factor: Double) -> Int {
    x * factor < 1e15 ? Int(x * factor) : .max
  }

  static func checkLayers() {
    for golden in GoldenLayer.all {
      let numbers = golden.layer.numbers()
      let exact = golden.layer.run(numbers, with: ReferenceKernels<Double>.self)
      let computed = golden.layer.run(numbers, with: SIMDKernels.self)
      var worst = 0.0
      for index in 0..<computed.tensors.count {
        worst = max(
          worst, relativeError(computed.tensors[index].values, exact.tensors[index].values))
      }
      expect(
        worst <= 1e-5, "\(golden.name): \(scaled(worst, 1e9)) parts in 10^9 of the norm")
      let digest = GoldenLayer.digest(computed)
      expect(
        digest == GoldenLayer.digests[golden.name],
        "\(golden.name): the bits of every processor with fused products")
    }
  }
}
