// SPDX-License-Identifier: Apache-2.0

/// One column panel of a product, out [rows, vectors · width] = start + A W.
///
/// The sum over k is split into blocks. The part of W in a block stays in the first-level cache
/// while all rows are multiplied with it.
struct Product {
  /// As in `Tile`.
  let a: UnsafePointer<Float>
  let aRow: Int
  let segments: Int
  let segment: Int
  let segmentStride: Int
  let w: UnsafePointer<Float>
  let start: UnsafePointer<Float>?
  let vectors: Int
  /// All rows of A.
  let rows: Int
  /// The rows of a register tile, and the number of tiles.
  private let tileRows: Int
  private let tiles: Int
  /// How often a tile runs over k.
  private let passesOfTile: Int
  /// The number of blocks that k is split into.
  private let blocks: Int
  /// The floats of the next block that a pass of a tile prefetches for each k, at most a line. The
  /// passes share the block evenly, because loading it from memory takes about as long as
  /// multiplying all rows with a block.
  private let prefetchStep: Int
  /// What is prefetched in addition to W.
  private let prefetch: Prefetch?
  private let blockSegments: Int
  private let blockSegment: Int

  /// The bytes of W in one block.
  ///
  /// A panel of up to 32 KB is one block, because each further block reads and writes all sums once
  /// more. A larger panel is split. If its tiles run twice, the blocks have half the size: with
  /// AVX2, da W_hh then takes 2 to 4 % less time at H=512 and 1024.
  @inline(__always)
  private static func blockBytes(panel: Int, passes: Int) -> Int {
    let most = 1 << 15
    return panel <= most ? most : most / passes
  }

  @inline(__always)
  init(
    a: UnsafePointer<Float>, row: Int, segments: Int = 1, segment: Int, segmentStride: Int = 0,
    w: UnsafePointer<Float>, start: UnsafePointer<Float>?, vectors: Int, rows: Int,
    prefetching prefetch: Prefetch? = nil
  ) {
    self.a = a
    aRow = row
    self.segments = segments
    self.segment = segment
    self.segmentStride = segmentStride
    self.w = w
    self.start = start
    self.vectors = vectors
    self.rows = rows
    tileRows = Registers.rows(forVectors: vectors, of: rows)
    tiles = (rows + tileRows - 1) / tileRows
    passesOfTile = Registers.passes(forVectors: vectors, rows: tileRows)
    let passes = max(tiles, 1) * passesOfTile
    prefetchStep = min((vectors * Vector.width + passes - 1) / passes, Prefetch.line)
    self.prefetch = prefetch
    let kBytes = vectors * Vector.width * MemoryLayout<Float>.size
    let bytes = Product.blockBytes(panel: segments * segment * kBytes, passes: passesOfTile)
    let depth = max(bytes / kBytes, 1)
    if segments == 1 {
      blocks = (segment + depth - 1) / depth
      blockSegments = 1
      blockSegment = (segment + blocks - 1) / blocks
    } else {
      let fitting = max(depth / segment, 1)
      blocks = (segments + fitting - 1) / fitting
      blockSegments = (segments + blocks - 1) / blocks
      blockSegment = segment
    }
  }

  /// The number of rows after which the pointwise part runs: whole register tiles, few enough that
  /// the stores of the pointwise part are written while the next products run.
  @inline(__always)
  var chunkRows: Int { Product.chunkTiles * tileRows }

  /// The largest value of `chunkRows`.
  static var mostChunkRows: Int { chunkTiles * Registers.mostRows }

  /// The register tiles of a chunk. With AVX2, four take 1 to 2 % less time than two. With the
  /// other instruction sets, four were not measured.
  private static var chunkTiles: Int {
    #if AVX2
      4
    #else
      2
    #endif
  }

  /// Adds one block's part to `count` rows from `row` on, which are stored from `out` on.
  @inline(__always)
  private func add(
    block: Int, row: Int, count: Int, out: UnsafeMutablePointer<Float>, outRow: Int
  ) {
    let width = vectors * Vector.width
    let rowStart = a + row * aRow
    let (aStart, runs, run): (UnsafePointer<Float>, Int, Int)
    if segments == 1 {
      let first = block * blockSegment
      (aStart, runs, run) = (rowStart + first, 1, min(blockSegment, segment - first))
    } else {
      let first = block * blockSegments
      aStart = rowStart + first * segmentStride
      (runs, run) = (min(blockSegments, segments - first), segment)
    }
    let depth = runs * run
    let wStart = w + block * blockSegments * blockSegment * width
    // While the rows are multiplied with this block, each tile prefetches its part of the next one,
    // or of `prefetch`.
    let tile = row / tileRows
    let share = passesOfTile * depth * prefetchStep
    let next = wStart + depth * width + tile * share
    let other = prefetch.flatMap { other in
      other.part(block * tiles + tile, steps: depth)
    }
    Tile(
      a: aStart, aRow: aRow, segments: runs, segment: run, segmentStride: segmentStride,
      w: wStart, start: block == 0 ? start : nil, out: out, outRow: outRow,
      prefetch: other?.start ?? next, prefetchStep: other?.step ?? prefetchStep
    ).run(rows: count, vectors: vectors)
  }

  /// Adds all blocks but the last to every row; row r is at `out + r * vectors * width`.
  @inline(__always)
  func addLeadingBlocks(out: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks - 1 { add(block: block, rows: 0, rows, out: out, outRow: width) }
  }

  /// Adds the last block to the rows `first ..< end`.
  @inline(__always)
  func addLastBlock(rows first: Int, _ end: Int, out: UnsafeMutablePointer<Float>) {
    add(block: blocks - 1, rows: first, end, out: out, outRow: width)
  }

  /// Computes every row.
  ///
  /// - Parameter outRow: floats from one row of `out` to the next; nil if the panel is contiguous
  @inline(__always)
  func run(out: UnsafeMutablePointer<Float>, outRow: Int? = nil) {
    for block in 0..<blocks {
      add(block: block, rows: 0, rows, out: out, outRow: outRow ?? width)
    }
  }

  /// Floats of one row of the panel.
  @inline(__always)
  private var width: Int { vectors * Vector.width }

  @inline(never)
  private func add(
    block: Int, rows first: Int, _ end: Int, out: UnsafeMutablePointer<Float>, outRow: Int
  ) {
    var row = first
    while row < end {
      let count = min(tileRows, end - row)
      add(block: block, row: row, count: count, out: out + row * outRow, outRow: outRow)
      row += count
    }
  }
}
