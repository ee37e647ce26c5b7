// SPDX-License-Identifier: Apache-2.0

internal import CVec

/// One register tile of a product out = start + A W over some k.
///
/// The sum over k is one chain of fused products per output element, in the order of k, for any
/// number of rows in the tile: this makes a row's result independent of its neighbours. A chain
/// that is split into several calls continues from memory without extra rounding.
struct Tile: RegisterTile {
  /// Row r of A starts `r * aRow` floats after `a`; its k run over `segments` runs of `segment`
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
  /// Prefetched into the second-level cache, for each k of each pass the line that is `prefetchStep`
  /// floats on.
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
