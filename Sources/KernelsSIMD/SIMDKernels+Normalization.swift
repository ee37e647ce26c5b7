// SPDX-License-Identifier: Apache-2.0

internal import CVec
public import KernelInterface

// Every sum over a row has the same order. Each of four sums adds every fourth block of `SumLanes`,
// lane by lane; then the four sums are added, and then the lanes. The order depends only on the
// number of columns.

extension SIMDKernels {
  /// Normalises each row.
  public static func normalize(_ call: NormalizationCall<Float>) {
    let span = RowSpan(call.columns)
    let streams = call.isStreaming && call.normalised.isAligned(columns: call.columns)
    for row in 0..<call.rows {
      let z = call.z.start + row * call.z.stride
      let mean = span.sum(z) / Float(call.columns)
      let squares = span.sumOfSquares(z, from: mean)
      var (center, variance) = (mean, squares / Float(call.columns))
      if let window = call.window {
        let pool = WindowPool(window, row: row)
        (center, variance) = pool.statistics(mean, squares, columns: call.columns)
        pool.push(mean, squares)
      }
      let inverse = 1 / (variance + call.epsilon).squareRoot()
      call.inverseDeviation.start[row * call.inverseDeviation.stride] = inverse
      let normalised = call.normalised.start + row * call.normalised.stride
      let y = call.y.start + row * call.y.stride
      span.forEach { offset, lanes in
        let deviation = span.vector(z, offset, lanes) - Vector(repeating: center)
        let n = deviation * Vector(repeating: inverse)
        let gain = Vector.loading(call.gain + offset, lanes)
        if streams { n.stream(normalised + offset) } else { n.storing(lanes, normalised + offset) }
        let result = Vector.loading(call.shift + offset, lanes).adding(gain, times: n)
        (call.isAdding ? span.vector(y, offset, lanes) + result : result)
          .storing(lanes, y + offset)
      }
    }
    if streams { cvec_stream_fence() }
  }

  /// The adjoint of `normalize`.
  public static func normalizeBackward(_ call: NormalizationBackwardCall<Float>) {
    let span = RowSpan(call.columns)
    var group = 0
    for row in 0..<call.rows {
      group = call.group(of: row, after: group)
      let dy = call.dy.start + row * call.dy.stride
      let normalised = call.normalised.start + row * call.normalised.stride
      let (dz, dGain, dShift) = (
        call.dz.start + row * call.dz.stride, call.dGain.start + group * call.dGain.stride,
        call.dShift.start + group * call.dShift.stride
      )
      let share = 1 / Float(call.columns)
      var (mean, slope) = span.products(dy, call.gain, normalised)
      mean *= share
      slope *= share
      let deviation = call.inverseDeviation.start[row * call.inverseDeviation.stride]
      if let window = call.window {
        (mean, slope) = WindowPool(window.values, row: row).adjoint(
          mean, slope, deviation, columns: call.columns, window.gradient, row: row)
      }
      let inverse = Vector(repeating: deviation)
      span.forEach { offset, lanes in
        let (gradient, n) = (
          span.vector(dy, offset, lanes), span.vector(normalised, offset, lanes)
        )
        span.vector(dGain, offset, lanes).adding(gradient, times: n)
          .storing(lanes, dGain + offset)
        (span.vector(dShift, offset, lanes) + gradient).storing(lanes, dShift + offset)
        let g = gradient * Vector.loading(call.gain + offset, lanes)
        (inverse * (g - Vector(repeating: mean)).adding(n, times: Vector(repeating: -slope)))
          .storing(lanes, dz + offset)
      }
    }
  }
}

/// The vectors of a row of columns, the last one with fewer lanes.
struct RowSpan {
  private let columns: Int
  private let whole: Int
  private let rest: Int

  @inline(__always)
  init(_ columns: Int) {
    self.columns = columns
    rest = columns % Vector.width
    whole = columns - rest
  }

  /// Calls `body` with the first column of each vector and its lanes.
  @inline(__always)
  func forEach(_ body: (Int, Int) -> Void) {
    var offset = 0
    while offset < whole {
      body(offset, Vector.width)
      offset += Vector.width
    }
    if rest > 0 { body(whole, rest) }
  }

  /// Σ z
  @inline(__always)
  func sum(_ z: UnsafeMutablePointer<Float>) -> Float {
    var sums = FourSums()
    forEachBlock { sums.add(SumLanes(columns: z + $0, count: $1)) }
    return sums.total
  }

  /// Σ (z - mean)²
  @inline(__always)
  func sumOfSquares(_ z: UnsafeMutablePointer<Float>, from mean: Float) -> Float {
    var sums = FourSums()
    let center = SumLanes(everywhere: mean)
    forEachBlock { offset, count in
      let difference = SumLanes(columns: z + offset, count: count) - center
      sums.addSquare(count >= SumLanes.lanes ? difference : difference * SumLanes(ones: count))
    }
    return sums.total
  }

  /// Σ dy gain and Σ dy gain n
  @inline(__always)
  func products(
    _ dy: UnsafeMutablePointer<Float>, _ gain: UnsafePointer<Float>,
    _ n: UnsafeMutablePointer<Float>
  ) -> (mean: Float, slope: Float) {
    var (mean, slope) = (FourSums(), FourSums())
    forEachBlock { offset, count in
      let g =
        SumLanes(columns: dy + offset, count: count)
        * SumLanes(columns: gain + offset, count: count)
      mean.add(g)
      slope.add(g * SumLanes(columns: n + offset, count: count))
    }
    return (mean.total, slope.total)
  }

  /// Calls `body` with the first column of each block of `SumLanes` and its number of columns.
  /// Whole blocks are processed four at a time.
  @inline(__always)
  func forEachBlock(_ body: (Int, Int) -> Void) {
    let lanes = SumLanes.lanes
    var offset = 0
    while offset + 4 * lanes <= columns {
      body(offset, lanes)
      body(offset + lanes, lanes)
      body(offset + 2 * lanes, lanes)
      body(offset + 3 * lanes, lanes)
      offset += 4 * lanes
    }
    while offset < columns {
      body(offset, min(lanes, columns - offset))
      offset += lanes
    }
  }

  @inline(__always)
  func vector(_ p: UnsafeMutablePointer<Float>, _ offset: Int, _ lanes: Int) -> Vector {
    Vector.loading(p + offset, lanes)
  }
}

extension ColumnPointer<Float> {
  /// Whether each row consists of whole, aligned vectors.
  @inline(__always)
  fileprivate func isAligned(columns: Int) -> Bool {
    columns % Vector.width == 0 && stride % Vector.width == 0
      && Int(bitPattern: start) % (4 * Vector.width) == 0
  }
}
