import BLAS

/// How the numbers of this program are computed, whichever thread and command computes them.
///
/// Denormal numbers are taken for zero, by thread. OpenBLAS uses one thread, by process: the
/// threads are ours, and a product's bits may not depend on how many there are.
public enum NumericEnvironment {
  /// Makes the calling thread one that computes. Every thread that does calls this once.
  public static func enter() {
    _ = oneBLASThread
    KernelBackend.flushDenormals()
  }

  private static let oneBLASThread: Void = OpenBLAS.setThreads(1)

  /// Whether the calling thread has entered: found by a product that is denormal.
  @inline(never)
  public static func isEntered(_ smallest: Float = .leastNormalMagnitude) -> Bool {
    smallest * 0.5 == 0 && OpenBLAS.threads == 1
  }
}
