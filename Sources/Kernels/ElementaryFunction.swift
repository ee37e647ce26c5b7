// SPDX-License-Identifier: Apache-2.0

import KernelInterface

#if canImport(Glibc)
  import Glibc
#endif

/// A function that the kernels approximate in Float.
public enum ElementaryFunction: String, Sendable, CaseIterable {
  /// e^x
  case exponential = "exp"
  /// tanh(x)
  case hyperbolicTangent = "tanh"
  /// 1 / (1 + e^-x)
  case logistic

  /// The value in Double.
  public func exact(_ x: Double) -> Double {
    switch self {
    case .exponential: exp(x)
    case .hyperbolicTangent: tanh(x)
    case .logistic: 1 / (1 + exp(-x))
    }
  }

  /// The range in which the error is at most a few units in the last place. Below it, the absolute
  /// error is less than 1e-37; above it, the value may be infinite.
  public var range: ClosedRange<Float> {
    switch self {
    case .exponential: -87.3...88.3
    case .hyperbolicTangent: -.greatestFiniteMagnitude ... .greatestFiniteMagnitude
    case .logistic: -87 ... .greatestFiniteMagnitude
    }
  }

  /// The values that a backend's kernels compute.
  public func values(at x: [Float], on backend: KernelBackend) -> [Float] {
    [Float](unsafeUninitializedCapacity: x.count) { y, count in
      x.withUnsafeBufferPointer { x in
        if let from = x.baseAddress, let to = y.baseAddress {
          apply(from, to, x.count, on: backend.kernels)
        }
      }
      count = x.count
    }
  }

  private func apply(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int,
    on kernels: any LayerKernels<Float>.Type
  ) {
    switch self {
    case .exponential: kernels.exponential(x, into: y, count: count)
    case .hyperbolicTangent: kernels.hyperbolicTangent(x, into: y, count: count)
    case .logistic: kernels.logistic(x, into: y, count: count)
    }
  }
}
