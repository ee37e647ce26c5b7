// SPDX-License-Identifier: Apache-2.0

import BLAS

/// The floating-point settings of this program, the same for all threads and commands.
///
/// Each thread treats denormal numbers as zero. OpenBLAS uses one thread per call, because this
/// program has its own threads, and the bits of a product must not depend on their number.
public enum NumericEnvironment {
  /// Prepares the calling thread to compute. Every thread that computes calls this once.
  public static func enter() {
    _ = oneBLASThread
    KernelBackend.flushDenormals()
  }

  private static let oneBLASThread: Void = OpenBLAS.setThreads(1)

  /// Whether the calling thread has called `enter()`, tested with a denormal product.
  @inline(never)
  public static func isEntered(_ smallest: Float = .leastNormalMagnitude) -> Bool {
    smallest * 0.5 == 0 && OpenBLAS.threads == 1
  }
}
