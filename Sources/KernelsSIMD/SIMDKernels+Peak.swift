#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension SIMDKernels {
  /// The speed of multiply-adds on registers alone, in GFLOP/s: the limit of this core.
  ///
  /// The best of many samples of about a millisecond, taken during `seconds`.
  public static func peak(seconds: Double) -> Double {
    let rounds = 100_000
    let start = now()
    var best = Double.infinity
    repeat {
      let before = now()
      let sum = multiplyAdds(rounds)
      let elapsed = now() - before
      // The sum is never negative; the comparison keeps the loop alive.
      if sum >= 0, elapsed < best { best = elapsed }
    } while now() - start < seconds
    let operations = Double(rounds) * Double(chains * Vector.width * 2)
    return operations / best * 1e-9
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Enough independent chains for two units with a latency of four cycles.
  private static var chains: Int { 12 }

  @inline(never)
  private static func multiplyAdds(_ rounds: Int) -> Float {
    let (factor, term) = (Vector(repeating: 0.5), Vector(repeating: 0.25))
    var a = term, b = term, c = term, d = term, e = term, f = term
    var g = term, h = term, i = term, j = term, k = term, l = term
    for _ in 0..<rounds {
      a = term.adding(a, times: factor)
      b = term.adding(b, times: factor)
      c = term.adding(c, times: factor)
      d = term.adding(d, times: factor)
      e = term.adding(e, times: factor)
      f = term.adding(f, times: factor)
      g = term.adding(g, times: factor)
      h = term.adding(h, times: factor)
      i = term.adding(i, times: factor)
      j = term.adding(j, times: factor)
      k = term.adding(k, times: factor)
      l = term.adding(l, times: factor)
    }
    return (a + b + c + d + e + f + g + h + i + j + k + l).lanes[0]
  }
}
