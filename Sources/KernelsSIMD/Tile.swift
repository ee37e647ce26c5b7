// SPDX-License-Identifier: Apache-2.0

internal import CVec

/// One register tile of a product out = start + A W over some k.
///
/// Each output element is one chain of fused multiply-adds in the order of k, for any number of
/// rows in the tile. A row's result is therefore independent of its neighbours. A chain that is
/// split into several calls continues from memory without extra rounding.
struct Tile: RegisterTile {
  /// Row r of A starts `r * aRow` floats after `a`. Its elements are `segments` runs of `segment`
  /// floats, `segmentStride` apart.
  var a: UnsafePointer<Float>
  var aRow: Int
  var segments: Int
  var segment: Int
  var segmentStride: Int
  /// [k][vectors · width]
  var w: UnsafePointer<Float>
  /// The vectors that every row starts from; nil continues from `out`.
  var start: UnsafePointer<Float>?
  var out: UnsafeMutablePointer<Float>
  var outRow: Int
  /// What is prefetched into the second-level cache. Each k of each pass prefetches the next line,
  /// `prefetchStep` floats further.
  var prefetch: UnsafePointer<Float>
  var prefetchStep: Int

  @inline(never)
  func run<R: Rows>(_: R.Type, column: Int, vectors: Int) {
    let wRow = vectors * Vector.width
    let (aRow, segment, skip) = (aRow, segment, segmentStride - segment)
    let prefetchStep = prefetchStep
    var (a, w, prefetch) = (a, w + column, prefetch)
    if column > 0 { prefetch += segments * segment * prefetchStep }
    var sums: R
    if let start {
      sums = R(R.Column(start + column))
    } else {
      sums = R(out + column, stride: outRow)
    }
    // Both counts are at least one; see `GradientTile`.
    var segmentsLeft = segments
    repeat {
      var left = segment
      repeat {
        cvec_prefetch(prefetch)
        sums.add(R.Column(w), times: a, stride: aRow)
        a += 1
        w += wRow
        prefetch += prefetchStep
        left &-= 1
      } while left > 0
      a += skip
      segmentsLeft &-= 1
    } while segmentsLeft > 0
    sums.store(out + column, stride: outRow)
  }
}
