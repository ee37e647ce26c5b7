// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

/// The memory that tensors view: aligned for vector loads, zeroed, and freed with its last view.
/// Padding follows the elements, so that a kernel can read whole vectors at the end.
@usableFromInline
final class TensorStorage<Scalar: BitwiseCopyable> {
  @usableFromInline let base: UnsafeMutablePointer<Scalar>
  @usableFromInline let count: Int

  /// A cache line, and the width of an AVX-512 register.
  private static var alignment: Int { 64 }
  /// Bytes after the numbers: four of the widest registers.
  private static var slack: Int { 256 }
  /// From this size on, memory is allocated in huge pages: activations of long sequences span
  /// gigabytes, and with 4 KiB pages every time step would miss the TLB.
  private static var hugePage: Int { 2 << 20 }

  init(count: Int) {
    precondition(count >= 0, "a tensor cannot hold \(count) elements")
    self.count = count
    let (numbers, overflow) = max(count, 1).multipliedReportingOverflow(
      by: MemoryLayout<Scalar>.stride)
    let bytes = numbers &+ Self.slack
    let isHuge = bytes >= 2 * Self.hugePage
    var memory: UnsafeMutableRawPointer?
    // `UnsafeMutableRawPointer.allocate` traps if there is no memory.
    guard !overflow, bytes > 0,
      posix_memalign(&memory, isHuge ? Self.hugePage : Self.alignment, bytes) == 0,
      let raw = memory
    else { OutOfMemory.handler(overflow ? Int.max : numbers) }
    #if os(Linux)
      if isHuge { _ = madvise(raw, bytes, Int32(MADV_HUGEPAGE)) }
    #endif
    raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    base = raw.bindMemory(to: Scalar.self, capacity: max(count, 1))
  }

  deinit {
    free(base)
  }
}
