// SPDX-License-Identifier: Apache-2.0

internal import CVec

/// Memory for the duration of one call, allocated from front to back in lines of 64 bytes.
///
/// The same code lays out a set of buffers twice: first without memory, to measure its size, and
/// then in memory.
struct Arena {
  private var next: UnsafeMutablePointer<Float>
  private var used = 0

  private init(_ base: UnsafeMutablePointer<Float>) { next = base }

  mutating func take(_ count: Int) -> UnsafeMutablePointer<Float> {
    let start = next
    let rounded = (count + 15) / 16 * 16
    next += rounded
    used += rounded
    return start
  }

  /// Lays out buffers with `make`, borrows memory for them, and calls `body`. Their content is
  /// unspecified.
  @inline(__always)
  static func with<Buffers>(
    _ make: (inout Arena) -> Buffers, _ body: (Buffers) -> Void
  ) {
    var ruler = Arena(UnsafeMutablePointer(bitPattern: 64)!)
    _ = make(&ruler)
    var capacity = 0
    guard let memory = cvec_borrow_memory(max(ruler.used, 16) * 4, &capacity) else {
      fatalError("out of memory for the work space of a kernel")
    }
    var arena = Arena(memory.assumingMemoryBound(to: Float.self))
    body(make(&arena))
    cvec_return_memory(memory, capacity)
  }
}
