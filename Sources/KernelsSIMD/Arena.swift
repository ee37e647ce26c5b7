#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Memory for the length of one call, handed out front to back in 64-byte lines.
///
/// A set of buffers is laid out twice by the same code: once without memory, to measure, and once
/// for good.
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

  /// Lays out with `make`, allocates, and calls `body` with the buffers; their content is
  /// unspecified.
  @inline(__always)
  static func with<Buffers>(
    _ make: (inout Arena) -> Buffers, _ body: (Buffers) -> Void
  ) {
    var ruler = Arena(UnsafeMutablePointer(bitPattern: 64)!)
    _ = make(&ruler)
    let bytes = max(ruler.used, 16) * 4
    // Huge pages: weights and gate gradients are read with strides that exhaust small ones.
    let large = bytes >= 1 << 21
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, large ? 1 << 21 : 64, bytes) == 0, let memory else {
      fatalError("out of memory for the work space of a kernel")
    }
    #if os(Linux)
      if large { madvise(memory, bytes, MADV_HUGEPAGE) }
    #endif
    defer { free(memory) }
    var arena = Arena(memory.assumingMemoryBound(to: Float.self))
    body(make(&arena))
  }
}
