internal import CVec
public import KernelInterface

// Every sum over a row runs in one order: over the vectors of the row, lane by lane, then over the
// lanes. It depends on nothing but the number of columns.

extension SIMDKernels {
  /// Normalises each row.
  public static func normalize(_ call: NormalizationCall<Float>) {
    let span = RowSpan(call.columns)
    for row in 0..<call.rows {
      let z = call.z.start + row * call.z.stride
      let mean = span.sum { span.vector(z, $0, $1) } / Float(call.columns)
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
        n.storing(lanes, normalised + offset)
        Vector.loading(call.shift + offset, lanes).adding(gain, times: n)
          .storing(lanes, y + offset)
      }
    }
  }

  /// The adjoint of `normalize`.
  public static func normalizeBackward(_ call: NormalizationBackwardCall<Float>) {
    let span = RowSpan(call.columns)
    for row in 0..<call.rows {
      let dy = call.dy.start + row * call.dy.stride
      let normalised = call.normalised.start + row * call.normalised.stride
      let (dz, dGain, dShift) = (
        call.dz.start + row * call.dz.stride, call.dGain.start + row * call.dGain.stride,
        call.dShift.start + row * call.dShift.stride
      )
      let share = 1 / Float(call.columns)
      var mean = span.sum { span.vector(dy, $0, $1) * Vector.loading(call.gain + $0, $1) } * share
      var slope =
        span.sum { offset, lanes in
          span.vector(dy, offset, lanes) * Vector.loading(call.gain + offset, lanes)
            * span.vector(normalised, offset, lanes)
        } * share
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
  let whole: Int
  let rest: Int
  /// One in the lanes of the last vector that hold a column.
  private let mask: Vector

  @inline(__always)
  init(_ columns: Int) {
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

  @inline(__always)
  func sum(_ term: (Int, Int) -> Vector) -> Float {
    var sum = Vector(0)
    forEach { sum = sum + term($0, $1) }
    return cvec_sum(sum.lanes)
  }

  /// Σ (z - mean)²
  @inline(__always)
  func sumOfSquares(_ z: UnsafeMutablePointer<Float>, from mean: Float) -> Float {
    sum { offset, lanes in
      let deviation = deviation(z, from: mean, offset, lanes)
      return deviation * deviation
    }
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
    return lanes == Vector.width ? difference : difference * mask
  }
}
