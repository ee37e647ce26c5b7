// SPDX-License-Identifier: Apache-2.0

internal import CVec

/// One register tile of a weight gradient, out += Aᵀ W, where k runs over the rows and steps of a
/// block of time.
struct GradientTile: RegisterTile {
  /// The k run over `segments` time steps of `segment` rows each.
  var segments: Int
  var segment: Int
  /// Neighbouring floats are the rows of the tile. The next k is `aStep` floats further, the next
  /// time step `aSegment` floats.
  var a: UnsafePointer<Float>
  var aStep: Int
  var aSegment: Int
  /// Neighbouring floats are the columns of the tile.
  var w: UnsafePointer<Float>
  var wStep: Int
  var wSegment: Int
  var out: UnsafeMutablePointer<Float>
  var outRow: Int
  /// The floats from the sums of this tile to the sums that it prefetches: its own, or those of a
  /// later tile in the same rows.
  var ahead = 0
  /// The columns of the tile that `out` has; the others are padding of W.
  var columns: Int
  /// Memory for one tile.
  var spill: UnsafeMutablePointer<Float>

  /// The floats of the largest tile.
  static var spillCount: Int { Registers.mostRows * Registers.mostVectors * Vector.width }

  @inline(never)
  func run<R: Rows>(_: R.Type, column: Int, vectors: Int) {
    let (segment, aStep, wStep) = (segment, aStep, wStep)
    let (aSkip, wSkip) = (aSegment - segment * aStep, wSegment - segment * wStep)
    var (a, w) = (a, w + column)
    for row in 0..<R.count {
      let sums = out + row * outRow + column + ahead
      for vector in 0..<R.Column.count { cvec_prefetch_write(sums + vector * Vector.width) }
      // The sums seldom start at the beginning of a cache line, so they may end in one more line.
      cvec_prefetch_write(sums + R.Column.count * Vector.width - 1)
    }
    var sums = R(zeros: ())
    // Both counts are at least one. In a loop that may be empty, the compiler would keep the sums
    // on the stack.
    var segmentsLeft = segments
    repeat {
      var left = segment
      repeat {
        sums.add(R.Column(w), times: a, stride: 1)
        a += aStep
        w += wStep
        left &-= 1
      } while left > 0
      a += aSkip
      w += wSkip
      segmentsLeft &-= 1
    } while segmentsLeft > 0
    let width = R.Column.count * Vector.width
    if column + width <= columns {
      sums.accumulate(out + column, stride: outRow)
      return
    }
    // Only some of the columns exist: add them one by one.
    sums.store(spill, stride: width)
    for row in 0..<R.count {
      for index in 0..<max(min(width, columns - column), 0) {
        out[row * outRow + column + index] += spill[row * width + index]
      }
    }
  }
}
