// SPDX-License-Identifier: Apache-2.0

internal import CVec
public import KernelInterface

// The queries of a head are computed separately. Sums run over the vectors of a head's columns in
// an order that depends only on the number of columns.

extension SIMDKernels {
  /// Computes the attention of every query.
  public static func attend(
    _ call: AttentionCall<Float>, into output: UnsafeMutablePointer<Float>
  ) {
    let (d, D) = (call.width, call.heads * call.width)
    let (span, scale) = (RowSpan(d), 1 / Float(d).squareRoot())
    forEachQuery(of: call) { sequence, head, i, keys in
      let base = call.projected + sequence * call.steps * 3 * D + head * d
      let (q, o) = (base + i * 3 * D, output + (sequence * call.steps + i) * D + head * d)
      guard !keys.isEmpty else {
        o.update(repeating: 0, count: d)
        return
      }
      let (count, k) = (keys.count, base + keys.lowerBound * 3 * D + D)
      let place = call.place(sequence, head, i)
      let p = call.weights + place
      var largest = -Float.infinity
      for j in 0..<count {
        p[j] = scale * span.dot(q, k + j * 3 * D)
        largest = max(largest, p[j])
      }
      softmax(p, count, largest: largest)
      let v = k + D
      span.forEach { offset, lanes in
        var mixed = Vector(0)
        for j in 0..<count {
          let weight = call.factors.map { p[j] * $0[place + j] } ?? p[j]
          mixed = mixed.adding(
            Vector(repeating: weight), times: Vector.loading(v + j * 3 * D + offset, lanes))
        }
        mixed.storing(lanes, o + offset)
      }
    }
  }

  /// p ← exp(p - largest) / Σ exp(p - largest)
  @inline(__always)
  private static func softmax(
    _ p: UnsafeMutablePointer<Float>, _ count: Int, largest: Float
  ) {
    let row = RowSpan(count)
    row.forEach { offset, lanes in
      (row.vector(p, offset, lanes) - Vector(repeating: largest)).exponential
        .storing(lanes, p + offset)
    }
    let inverse = Vector(repeating: 1 / row.sum(p))
    row.forEach { offset, lanes in
      (row.vector(p, offset, lanes) * inverse).storing(lanes, p + offset)
    }
  }

  /// The adjoint of `attend`.
  public static func attendBackward(
    _ call: AttentionCall<Float>, of dOutput: UnsafePointer<Float>,
    into dProjected: UnsafeMutablePointer<Float>
  ) {
    let (d, D) = (call.width, call.heads * call.width)
    let (span, scale) = (RowSpan(d), 1 / Float(d).squareRoot())
    dProjected.update(repeating: 0, count: call.sequences * call.steps * 3 * D)
    Arena.with({ $0.take(call.band) }) { (slopes: UnsafeMutablePointer<Float>) in
      forEachQuery(of: call) { sequence, head, i, keys in
        let start = sequence * call.steps * 3 * D + head * d
        let first = keys.lowerBound * 3 * D
        let (k, dK) = (call.projected + start + first + D, dProjected + start + first + D)
        let dO = dOutput + (sequence * call.steps + i) * D + head * d
        let place = call.place(sequence, head, i)
        let p = call.weights + place
        var mean: Float = 0
        for j in 0..<keys.count {
          slopes[j] = span.dot(dO, k + j * 3 * D + D) * (call.factors?[place + j] ?? 1)
          mean += p[j] * slopes[j]
        }
        for j in 0..<keys.count { slopes[j] = scale * p[j] * (slopes[j] - mean) }
        let (q, dQ) = (
          call.projected + start + i * 3 * D, dProjected + start + i * 3 * D
        )
        span.forEach { offset, lanes in
          let (query, gradient) = (
            Vector.loading(q + offset, lanes), Vector.loading(dO + offset, lanes)
          )
          var sum = span.vector(dQ, offset, lanes)
          for j in 0..<keys.count {
            let row = j * 3 * D + offset
            let slope = Vector(repeating: slopes[j])
            let weight = Vector(repeating: p[j] * (call.factors?[place + j] ?? 1))
            sum = sum.adding(slope, times: Vector.loading(k + row, lanes))
            span.vector(dK, row, lanes).adding(slope, times: query).storing(lanes, dK + row)
            span.vector(dK, D + row, lanes).adding(weight, times: gradient)
              .storing(lanes, dK + D + row)
          }
          sum.storing(lanes, dQ + offset)
        }
      }
    }
  }

  /// Calls `body` with each sequence, head and query, and the keys that it sees.
  @inline(__always)
  private static func forEachQuery(
    of call: AttentionCall<Float>, _ body: (Int, Int, Int, Range<Int>) -> Void
  ) {
    for sequence in 0..<call.sequences {
      for head in 0..<call.heads {
        for i in 0..<call.steps { body(sequence, head, i, call.keys(of: i, in: sequence)) }
      }
    }
  }
}

extension RowSpan {
  /// The inner product of two rows.
  @inline(__always)
  fileprivate func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Float {
    var sum = SumLanes(0)
    forEachBlock {
      sum = sum.adding(
        SumLanes(columns: a + $0, count: $1), times: SumLanes(columns: b + $0, count: $1))
    }
    return sum.total
  }
}
