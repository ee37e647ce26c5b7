// SPDX-License-Identifier: Apache-2.0

internal import CVec

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
  /// Floats from the sums of this tile to those that it prefetches: its own, or those of a later
  /// tile in the same rows.
  var ahead = 0
  /// The existing columns of `out`; the others are padding of W.
  var columns: Int
  /// Memory for a tile.
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
      // They seldom start with a line, so they may end in one more.
      cvec_prefetch_write(sums + R.Column.count * Vector.width - 1)
    }
    var sums = R(zeros: ())
    // Both counts are at least one. With a loop that may be empty, the compiler would keep the sums
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
