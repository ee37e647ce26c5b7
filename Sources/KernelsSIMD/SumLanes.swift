// SPDX-License-Identifier: Apache-2.0

internal import CVec

/// Sixteen adjacent columns in as many vectors as they need. A sum over the columns of a row first
/// adds up each lane and then the lanes, so it has the same bits for every vector width.
#if AVX512
  typealias SumLanes = Vector
#elseif AVX2
  typealias SumLanes = Twin<Vector>
#elseif arch(arm64)
  typealias SumLanes = Twin<Twin<Vector>>
#else
  // Without fused multiply-add the bits differ anyway.
  typealias SumLanes = Vector
#endif

/// Adjacent columns.
protocol ColumnLanes: Pack {
  static var lanes: Int { get }
  /// The first `count` columns at `p`, zeros in the other lanes.
  init(columns p: UnsafePointer<Float>, count: Int)
  /// One number in every lane.
  init(everywhere value: Float)
  /// Ones in the first `count` lanes, zeros in the others.
  init(ones count: Int)
  /// The sum of the two halves, folded repeatedly until one vector is left.
  var folded: Vector { get }
}

extension ColumnLanes {
  @inline(__always)
  var total: Float { cvec_sum(folded.lanes) }
}

extension Vector: ColumnLanes {
  static var lanes: Int { width }
  @inline(__always)
  init(columns p: UnsafePointer<Float>, count: Int) { self = .loading(p, count) }
  @inline(__always)
  init(everywhere value: Float) { self.init(repeating: value) }
  @inline(__always)
  init(ones count: Int) {
    self.init(0)
    for lane in 0..<max(min(count, Vector.width), 0) { lanes[lane] = 1 }
  }
  @inline(__always)
  var folded: Vector { self }
}

extension Twin: ColumnLanes where Half: ColumnLanes {
  static var lanes: Int { 2 * Half.lanes }
  @inline(__always)
  init(columns p: UnsafePointer<Float>, count: Int) {
    self.init(
      Half(columns: p, count: count), Half(columns: p + Half.lanes, count: count - Half.lanes))
  }
  @inline(__always)
  init(everywhere value: Float) {
    self.init(Half(everywhere: value), Half(everywhere: value))
  }
  @inline(__always)
  init(ones count: Int) { self.init(Half(ones: count), Half(ones: count - Half.lanes)) }
  @inline(__always)
  var folded: Vector { (first + second).folded }
}

/// Four sums used in rotation, so that no addition waits for the one before.
struct FourSums {
  private var next = SumLanes(0)
  private var second = SumLanes(0)
  private var third = SumLanes(0)
  private var last = SumLanes(0)

  @inline(__always)
  init() {}

  @inline(__always)
  mutating func add(_ x: SumLanes) { turn(next + x) }

  @inline(__always)
  mutating func addSquare(_ x: SumLanes) { turn(next.adding(x, times: x)) }

  @inline(__always)
  private mutating func turn(_ sum: SumLanes) {
    (next, second, third, last) = (second, third, last, sum)
  }

  @inline(__always)
  var total: Float { ((next + second) + (third + last)).total }
}
