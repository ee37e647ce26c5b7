// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension SIMDKernels {
  /// The speed of multiply-adds on registers in GFLOP/s, which is the limit of this core.
  ///
  /// It is the best of many samples of about a millisecond, taken during `seconds`.
  public static func peak(seconds: Double) -> Double {
    let rounds = 100_000
    let start = now()
    var (best, sum) = (Double.infinity, Float(0))
    repeat {
      let before = now()
      // Each sample starts from the result of the one before, so the compiler cannot remove any.
      sum = multiplyAdds(rounds, from: sum)
      let elapsed = now() - before
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
  private static func multiplyAdds(_ rounds: Int, from start: Float) -> Float {
    let (factor, term) = (Vector(repeating: 0.5), Vector(repeating: 0.25))
    let first = Vector(repeating: start)
    // Twelve different values; otherwise the compiler would compute only one chain.
    var a = first, b = a + term, c = b + term, d = c + term, e = d + term, f = e + term
    var g = f + term, h = g + term, i = h + term, j = i + term, k = j + term, l = k + term
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
