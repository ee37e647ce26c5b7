// SPDX-License-Identifier: Apache-2.0

/// The pack of the pointwise part.
///
/// With wide vectors, one row has enough independent chains, one per gate, and more rows would not
/// fit in the registers. Narrower vectors need several rows to hide the latency.
#if AVX512
  typealias RowPack = Vector
#elseif arch(arm64)
  typealias RowPack = Twin<Twin<Vector>>
#else
  typealias RowPack = Twin<Vector>
#endif

/// The rows that a pack reads and writes, counted from its first row. If fewer rows are left than a
/// pack holds, the last row is computed and written several times.
struct PackRows {
  private let second: Int
  private let third: Int
  private let fourth: Int

  @inline(__always)
  init(left: Int) {
    second = min(1, left - 1)
    third = min(2, left - 1)
    fourth = min(3, left - 1)
  }

  @inline(__always)
  subscript(row: Int) -> Int {
    switch row {
    case 0: 0
    case 1: second
    case 2: third
    default: fourth
    }
  }
}

extension Pack {
  /// - Parameter stride: floats from one row to the next
  @inline(__always)
  init(_ p: UnsafePointer<Float>, _ rows: PackRows, stride: Int) {
    self.init(firstRow: 0) { Vector(p + rows[$0] * stride) }
  }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>, _ rows: PackRows, stride: Int) {
    forEachRow(from: 0) { $1.store(p + rows[$0] * stride) }
  }

  /// Stores, bypassing the caches if `streaming`; `p` and `stride` must then be aligned.
  @inline(__always)
  func store(
    _ p: UnsafeMutablePointer<Float>, _ rows: PackRows, stride: Int, streaming: Bool
  ) {
    if streaming {
      forEachRow(from: 0) { $1.stream(p + rows[$0] * stride) }
    } else {
      store(p, rows, stride: stride)
    }
  }

  /// Reads only `count` numbers of each row.
  @inline(__always)
  init(first count: Int, of p: UnsafePointer<Float>, _ rows: PackRows, stride: Int) {
    self.init(firstRow: 0) { Vector.loading(p + rows[$0] * stride, count) }
  }

  /// Writes only `count` numbers of each row.
  @inline(__always)
  func store(
    first count: Int, to p: UnsafeMutablePointer<Float>, _ rows: PackRows, stride: Int
  ) {
    forEachRow(from: 0) { $1.storing(count, p + rows[$0] * stride) }
  }

  /// Loads one number per row into all lanes of that row.
  @inline(__always)
  init(spreading p: UnsafePointer<Float>, _ rows: PackRows, stride: Int) {
    self.init(firstRow: 0) { Vector(repeating: p[rows[$0] * stride]) }
  }

  /// The same vector for every row.
  @inline(__always)
  init(everyRow vector: Vector) { self.init(firstRow: 0) { _ in vector } }
}
