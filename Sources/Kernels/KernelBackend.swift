// SPDX-License-Identifier: Apache-2.0

import CVec
import KernelInterface

#if canImport(Glibc)
  import Glibc
#endif

/// A set of kernels for `Float`. `Double` always uses the scalar reference.
///
/// To add one, write a file in the folder `Backends` that creates a value, and add a line to `all`.
public struct KernelBackend: Sendable {
  /// The name of the backend in `MOMENTUM_DIST_KERNELS`, in metrics and in checkpoints.
  public let name: String
  /// Why this processor cannot run it; nil if it can.
  public let obstacle: String?
  /// The kernels for Float.
  public let kernels: any LayerKernels<Float>.Type
  /// The arithmetic of the kernels. Backends with the same arithmetic compute the same bits from
  /// the same numbers.
  public let arithmetic: Arithmetic
  /// The name of OpenBLAS's kernels for this backend, so that every processor that runs the backend
  /// gives the same bits; nil for kernels that every processor can run.
  public let openBLASCore: String?
  private let peak: @Sendable (_ seconds: Double) -> Double

  /// How sums of products are rounded, and in which order they are added.
  public enum Arithmetic: String, Sendable {
    /// A product and its addition are rounded once: AVX2, AVX-512 and NEON.
    case fused
    /// A product and its addition are rounded separately: SSE2.
    case separate
    /// One number at a time, in the order of the formulas.
    case scalar
  }

  init(
    name: String, obstacle: String?, kernels: any LayerKernels<Float>.Type,
    arithmetic: Arithmetic, openBLASCore: String? = nil,
    peak: @escaping @Sendable (_ seconds: Double) -> Double
  ) {
    self.name = name
    self.obstacle = obstacle
    self.kernels = kernels
    self.arithmetic = arithmetic
    self.openBLASCore = openBLASCore
    self.peak = peak
  }

  /// Every backend of this program, slowest first.
  public static let all: [KernelBackend] = [
    .reference,
    .baseline,
    .avx2,
    .avx512,
  ]

  /// The backends that this processor can run, slowest first.
  public static let supported = all.filter { $0.obstacle == nil }

  /// The speed of the backend's multiply-adds on registers alone, in GFLOP/s: the best of many
  /// samples taken during `seconds`. The reference has the peak of the fastest backend.
  public func peakGFLOPS(seconds: Double) -> Double { peak(seconds) }

  // MARK: The choice

  /// The environment variable that chooses a backend, for tests and comparisons.
  public static let variable = "MOMENTUM_DIST_KERNELS"

  /// The backend that layers run on: that of an enclosing `run`, or else that of the process.
  public static var current: KernelBackend { override ?? own }

  /// Runs `body` on this backend, for tests and comparisons. Threads that `body` starts are not
  /// affected.
  public func run<Result>(_ body: () throws -> Result) rethrows -> Result {
    try Self.$override.withValue(self, operation: body)
  }

  @TaskLocal private static var override: KernelBackend?

  /// The backend of this process: the one that the environment asks for, or the fastest.
  private static let own: KernelBackend = {
    let name = requested
    return supported.first { $0.name == name } ?? supported.last ?? .reference
  }()

  /// Why the backend that the environment asks for cannot be used; nil if it can.
  public static var requestProblem: String? {
    guard let requested, !supported.contains(where: { $0.name == requested }) else { return nil }
    return "\(variable) is \"\(requested)\"; this processor runs "
      + supported.map(\.name).joined(separator: ", ")
  }

  private static var requested: String? {
    getenv(variable).map { String(cString: $0) }
  }

  // MARK: Threads

  /// Makes the calling thread treat denormal numbers as zero. Gradients that vanish over hundreds
  /// of time steps become denormal, and on most processors each operation on one costs a hundred
  /// cycles. Every thread that computes must call this once.
  public static func flushDenormals() {
    cvec_flush_denormals()
  }
}

/// Backends are equal if their names are.
extension KernelBackend: Hashable, CustomStringConvertible {
  public static func == (a: KernelBackend, b: KernelBackend) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
  public var description: String { name }
}
