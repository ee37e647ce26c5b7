internal import CVec
public import KernelInterface

// Every sum over a row runs in one order: over every fourth vector of the row, lane by lane, then
// over the four sums and the lanes. It depends on nothing but the number of columns.

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
        let n = span.deviation(z, from: center, offset, lanes) * Vector(repeating: inverse)
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
  /// One in the lanes of the last vector that hold a column.
  private let mask: Vector

  @inline(__always)
  init(_ columns: Int) {
    self.columns = columns
    rest = columns % Vector.width
    whole = columns - rest
    var mask = Vector(0)
    for lane in 0..<rest { mask.lanes[lane] = 1 }
    self.mask = mask
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
    var offset = 0
    while offset + 4 * Vector.width <= whole {
      let p = z + offset
      sums.add(Vector(p))
      sums.add(Vector(p + Vector.width))
      sums.add(Vector(p + 2 * Vector.width))
      sums.add(Vector(p + 3 * Vector.width))
      offset += 4 * Vector.width
    }
    while offset < columns {
      sums.add(vector(z, offset, columns - offset))
      offset += Vector.width
    }
    return sums.total
  }

  /// Σ (z - mean)²
  @inline(__always)
  func sumOfSquares(_ z: UnsafeMutablePointer<Float>, from mean: Float) -> Float {
    var sums = FourSums()
    var offset = 0
    let center = Vector(repeating: mean)
    while offset + 4 * Vector.width <= whole {
      let p = z + offset
      sums.addSquare(Vector(p) - center)
      sums.addSquare(Vector(p + Vector.width) - center)
      sums.addSquare(Vector(p + 2 * Vector.width) - center)
      sums.addSquare(Vector(p + 3 * Vector.width) - center)
      offset += 4 * Vector.width
    }
    while offset < columns {
      sums.addSquare(deviation(z, from: mean, offset, columns - offset))
      offset += Vector.width
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
    var offset = 0
    while offset + 4 * Vector.width <= whole {
      for vector in 0..<4 {
        let place = offset + vector * Vector.width
        let g = Vector(dy + place) * Vector(gain + place)
        mean.add(g)
        slope.add(g * Vector(n + place))
      }
      offset += 4 * Vector.width
    }
    while offset < columns {
      let lanes = columns - offset
      let g = vector(dy, offset, lanes) * Vector.loading(gain + offset, lanes)
      mean.add(g)
      slope.add(g * vector(n, offset, lanes))
      offset += Vector.width
    }
    return (mean.total, slope.total)
  }

  @inline(__always)
  func vector(_ p: UnsafeMutablePointer<Float>, _ offset: Int, _ lanes: Int) -> Vector {
    Vector.loading(p + offset, lanes)
  }

  /// z - mean, zero in the lanes without a column.
  @inline(__always)
  func deviation(
    _ z: UnsafeMutablePointer<Float>, from mean: Float, _ offset: Int, _ lanes: Int
  ) -> Vector {
    let difference = vector(z, offset, lanes) - Vector(repeating: mean)
    return lanes >= Vector.width ? difference : difference * mask
  }
}

extension ColumnPointer<Float> {
  /// Whether each row is made of whole vectors at multiples of their width.
  @inline(__always)
  fileprivate func isAligned(columns: Int) -> Bool {
    columns % Vector.width == 0 && stride % Vector.width == 0
      && Int(bitPattern: start) % (4 * Vector.width) == 0
  }
}

/// Four sums that take turns, so that none waits for the one before.
private struct FourSums {
  private var next = Vector(0)
  private var second = Vector(0)
  private var third = Vector(0)
  private var last = Vector(0)

  @inline(__always)
  init() {}

  @inline(__always)
  mutating func add(_ x: Vector) { turn(next + x) }

  @inline(__always)
  mutating func addSquare(_ x: Vector) { turn(next.adding(x, times: x)) }

  @inline(__always)
  private mutating func turn(_ sum: Vector) {
    (next, second, third, last) = (second, third, last, sum)
  }

  @inline(__always)
  var total: Float { cvec_sum(((next + second) + (third + last)).lanes) }
}
