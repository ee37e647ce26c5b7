/// One register tile of a weight gradient, out += Aᵀ W summed over the rows and steps k of a
/// block of time.
struct GradientTile: RegisterTile {
  /// The k run over `segments` time steps of `segment` rows each.
  var segments: Int
  var segment: Int
  /// Neighbouring floats are the rows of the tile; the next k is `aStep` floats on, the next
  /// time step `aSegment`.
  var a: UnsafePointer<Float>
  var aStep: Int
  var aSegment: Int
  /// Neighbouring floats are the columns of the tile.
  var w: UnsafePointer<Float>
  var wStep: Int
  var wSegment: Int
  var out: UnsafeMutablePointer<Float>
  var outRow: Int
  /// Columns of `out` that exist; the others are padding of W.
  var columns: Int
  /// Room for a tile.
  var spill: UnsafeMutablePointer<Float>

  @inline(never)
  func run<R: Rows>(_: R.Type, column: Int, vectors: Int) {
    let (segment, aStep, wStep) = (segment, aStep, wStep)
    let (aSkip, wSkip) = (aSegment - segment * aStep, wSegment - segment * wStep)
    var (a, w) = (a, w + column)
    var sums = R(zeros: ())
    for _ in 0..<segments {
      for _ in 0..<segment {
        sums.add(R.Column(w), times: a, stride: 1)
        a += aStep
        w += wStep
      }
      a += aSkip
      w += wSkip
    }
    let width = R.Column.count * Vector.width
    if column + width <= columns {
      sums.accumulate(out + column, stride: outRow)
      return
    }
    // Only part of the columns exists: add them one by one.
    sums.store(spill, stride: width)
    for row in 0..<R.count {
      for index in 0..<max(min(width, columns - column), 0) {
        out[row * outRow + column + index] += spill[row * width + index]
      }
    }
  }
}
