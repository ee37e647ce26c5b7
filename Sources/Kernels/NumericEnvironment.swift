// SPDX-License-Identifier: Apache-2.0

import BLAS

/// The floating-point settings of this program, the same for all threads and commands.
///
/// Each thread treats denormal numbers as zero. OpenBLAS uses one thread in the whole process: the
/// threads are ours, and a product's bits must not depend on their number.
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
