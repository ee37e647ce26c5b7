// SPDX-License-Identifier: Apache-2.0

/// A loop over k around a block of accumulators, whose size is chosen at run time.
protocol RegisterTile {
  /// Runs with the rows and columns of R, whose columns start at `column` of `vectors` adjacent
  /// ones.
  func run<R: Rows>(_: R.Type, column: Int, vectors: Int)
}

/// The tile sizes that fit in the registers of an instruction set.
enum Registers {
  /// The largest number of rows of any tile.
  static var mostRows: Int { 8 }

  /// The largest number of columns, in vectors.
  static var mostVectors: Int { 4 }

  /// The rows of each tile of a product with `rows` rows; the last tile may have fewer. There are
  /// as few tiles as possible, as even as possible, because a tile with few rows waits for its own
  /// sums.
  @inline(__always)
  static func rows(forVectors vectors: Int, of rows: Int) -> Int {
    let most = Registers.rows(forVectors: vectors)
    let tiles = max((rows + most - 1) / most, 1)
    return max((rows + tiles - 1) / tiles, 1)
  }

  /// The largest number of columns, in vectors, of a tile that has the most rows and runs over k
  /// only once. A tile of three vectors also runs once, but has fewer rows.
  static var onePassVectors: Int {
    #if AVX512 || arch(arm64)
      4
    #else
      2
    #endif
  }

  /// How often a tile runs over k: twice if the registers hold only half of its columns.
  @inline(__always)
  static func passes(forVectors vectors: Int, rows: Int) -> Int {
    #if AVX512 || arch(arm64)
      1
    #else
      vectors > 3 && rows > fewRows ? 2 : 1
    #endif
  }

  /// The largest number of rows for which sixteen registers hold four vectors of columns.
  static var fewRows: Int { 2 }

  /// The largest number of rows with `vectors` columns.
  @inline(__always)
  static func rows(forVectors vectors: Int) -> Int {
    #if AVX512 || arch(arm64)
      vectors == 4 ? 6 : 8
    #elseif AVX2
      vectors == 3 ? 4 : 6
    #else
      vectors == 3 ? 3 : 4
    #endif
  }
}

extension RegisterTile {
  @inline(__always)
  func run(rows: Int, vectors: Int) {
    switch vectors {
    case 1: run(rows: rows, OneColumn.self, column: 0, vectors: 1)
    case 2: run(rows: rows, TwoColumns.self, column: 0, vectors: 2)
    case 3: run(rows: rows, ThreeColumns.self, column: 0, vectors: 3)
    default:
      #if AVX512 || arch(arm64)
        run(rows: rows, FourColumns.self, column: 0, vectors: 4)
      #else
        // Sixteen registers hold all columns of one or two rows. As two halves, so few rows would
        // wait for their own sums. Tiles of more rows run twice, over half of the columns each.
        switch rows {
        case 1: run(OneRow<FourColumns>.self, column: 0, vectors: 4)
        case Registers.fewRows: run(TwoRows<FourColumns>.self, column: 0, vectors: 4)
        default:
          run(rows: rows, TwoColumns.self, column: 0, vectors: 4)
          run(rows: rows, TwoColumns.self, column: 2 * Vector.width, vectors: 4)
        }
      #endif
    }
  }

  @inline(__always)
  private func run<C: Columns>(rows: Int, _: C.Type, column: Int, vectors: Int) {
    switch rows {
    case 1: run(OneRow<C>.self, column: column, vectors: vectors)
    case 2: run(TwoRows<C>.self, column: column, vectors: vectors)
    case 3: run(ThreeRows<C>.self, column: column, vectors: vectors)
    case 4: run(FourRows<C>.self, column: column, vectors: vectors)
    #if AVX512 || AVX2 || arch(arm64)
      case 5: run(FiveRows<C>.self, column: column, vectors: vectors)
      case 6: run(SixRows<C>.self, column: column, vectors: vectors)
    #endif
    #if AVX512 || arch(arm64)
      case 7: run(SevenRows<C>.self, column: column, vectors: vectors)
      case 8: run(EightRows<C>.self, column: column, vectors: vectors)
    #endif
    default: break
    }
  }
}
