// SPDX-License-Identifier: Apache-2.0

// The accumulators of a matrix tile. `Columns` is a row of one to four vectors, `Rows` is one to
// eight such rows. Both are composed of pairs, so that every size is a type of its own and the
// compiler keeps the accumulators in registers.

/// Neighbouring vectors of one row.
protocol Columns {
  /// The number of vectors.
  static var count: Int { get }
  init(_ p: UnsafePointer<Float>)
  init(zeros: Void)
  func store(_ p: UnsafeMutablePointer<Float>)
  /// Adds `w * a`, vector by vector.
  mutating func add(_ w: Self, times a: Vector)
  /// Adds the numbers at `p` to the vectors and writes the sums there.
  func accumulate(_ p: UnsafeMutablePointer<Float>)
}

struct OneColumn: Columns {
  var value: Vector

  static var count: Int { 1 }
  @inline(__always)
  init(_ p: UnsafePointer<Float>) { value = Vector(p) }
  @inline(__always)
  init(zeros: Void) { value = Vector(repeating: 0) }
  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>) { value.store(p) }
  @inline(__always)
  mutating func add(_ w: OneColumn, times a: Vector) { value = value.adding(w.value, times: a) }
  @inline(__always)
  func accumulate(_ p: UnsafeMutablePointer<Float>) { (Vector(p) + value).store(p) }
}

struct ColumnPair<First: Columns, Second: Columns>: Columns {
  var first: First
  var second: Second

  static var count: Int { First.count + Second.count }
  @inline(__always)
  init(_ p: UnsafePointer<Float>) {
    first = First(p)
    second = Second(p + First.count * Vector.width)
  }
  @inline(__always)
  init(zeros: Void) {
    first = First(zeros: ())
    second = Second(zeros: ())
  }
  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>) {
    first.store(p)
    second.store(p + First.count * Vector.width)
  }
  @inline(__always)
  mutating func add(_ w: Self, times a: Vector) {
    first.add(w.first, times: a)
    second.add(w.second, times: a)
  }
  @inline(__always)
  func accumulate(_ p: UnsafeMutablePointer<Float>) {
    first.accumulate(p)
    second.accumulate(p + First.count * Vector.width)
  }
}

typealias TwoColumns = ColumnPair<OneColumn, OneColumn>
typealias ThreeColumns = ColumnPair<TwoColumns, OneColumn>
typealias FourColumns = ColumnPair<TwoColumns, TwoColumns>

extension Rows {
  @inline(__always)
  init(zeros: Void) { self.init(Column(zeros: ())) }
}

/// Rows of a tile, `stride` floats apart in memory.
protocol Rows {
  associatedtype Column: Columns
  static var count: Int { get }
  /// Starts every row with the same vectors.
  init(_ start: Column)
  init(_ p: UnsafePointer<Float>, stride: Int)
  func store(_ p: UnsafeMutablePointer<Float>, stride: Int)
  func accumulate(_ p: UnsafeMutablePointer<Float>, stride: Int)
  /// Adds `w` times one number per row; the numbers are `stride` floats apart.
  mutating func add(_ w: Column, times a: UnsafePointer<Float>, stride: Int)
}

struct OneRow<Column: Columns>: Rows {
  var columns: Column

  static var count: Int { 1 }
  @inline(__always)
  init(_ start: Column) { columns = start }
  @inline(__always)
  init(_ p: UnsafePointer<Float>, stride: Int) { columns = Column(p) }
  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>, stride: Int) { columns.store(p) }
  @inline(__always)
  func accumulate(_ p: UnsafeMutablePointer<Float>, stride: Int) { columns.accumulate(p) }
  @inline(__always)
  mutating func add(_ w: Column, times a: UnsafePointer<Float>, stride: Int) {
    columns.add(w, times: Vector(repeating: a.pointee))
  }
}

struct RowPair<First: Rows, Second: Rows>: Rows where First.Column == Second.Column {
  typealias Column = First.Column
  var first: First
  var second: Second

  static var count: Int { First.count + Second.count }
  @inline(__always)
  init(_ start: Column) {
    first = First(start)
    second = Second(start)
  }
  @inline(__always)
  init(_ p: UnsafePointer<Float>, stride: Int) {
    first = First(p, stride: stride)
    second = Second(p + First.count * stride, stride: stride)
  }
  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>, stride: Int) {
    first.store(p, stride: stride)
    second.store(p + First.count * stride, stride: stride)
  }
  @inline(__always)
  func accumulate(_ p: UnsafeMutablePointer<Float>, stride: Int) {
    first.accumulate(p, stride: stride)
    second.accumulate(p + First.count * stride, stride: stride)
  }
  @inline(__always)
  mutating func add(_ w: Column, times a: UnsafePointer<Float>, stride: Int) {
    first.add(w, times: a, stride: stride)
    second.add(w, times: a + First.count * stride, stride: stride)
  }
}

typealias TwoRows<C: Columns> = RowPair<OneRow<C>, OneRow<C>>
typealias ThreeRows<C: Columns> = RowPair<TwoRows<C>, OneRow<C>>
typealias FourRows<C: Columns> = RowPair<TwoRows<C>, TwoRows<C>>
typealias FiveRows<C: Columns> = RowPair<FourRows<C>, OneRow<C>>
typealias SixRows<C: Columns> = RowPair<FourRows<C>, TwoRows<C>>
typealias SevenRows<C: Columns> = RowPair<FourRows<C>, ThreeRows<C>>
typealias EightRows<C: Columns> = RowPair<FourRows<C>, FourRows<C>>
