// SPDX-License-Identifier: Apache-2.0

internal import CVec
public import KernelInterface

// A scan runs along the coefficients of a memory, so the lanes of a vector hold different memories.
// Blocks of coefficients are transposed when they are loaded and stored.

extension SIMDKernels {
  /// Advances Legendre memories by one time step.
  public static func advance(
    _ call: LegendreMemoryCall<Float>, _ memory: LegendreMemoryForward<Float>
  ) {
    for row in 0..<call.rows {
      memory.clockAfter[2 * row] = 1
      memory.clockAfter[2 * row + 1] = LegendreClock(call, row: row).now
    }
    Arena.with({ MemoryGroup(call, arena: &$0) }) { group in
      group.forEachGroup { first, count in
        let (input, before, after) = (
          memory.input + first, memory.before + first * call.order,
          memory.after + first * call.order
        )
        var scan = LegendreScan(
          size: group.load(group.sizes), oldShare: MemoryGroup.lanes(call.oldShare),
          newShare: MemoryGroup.lanes(call.newShare), input: group.loading(input, count))
        for start in stride(from: 0, to: call.order, by: MemoryGroup.depth) {
          let depth = min(MemoryGroup.depth, call.order - start)
          group.gather(before + start, count: count, depth: depth)
          // At the start of a sequence, the step size is 0 and the memory is (u, 0 ... 0).
          for lane in 0..<count where group.isFirst(first + lane) {
            for k in 0..<depth { group.block[k * MemoryGroup.width + lane] = 0 }
            if start == 0 { group.block[lane] = input[lane] }
          }
          for k in 0..<depth {
            let place = group.block + k * MemoryGroup.width
            group.store(
              scan.next(
                group.load(place), root: MemoryGroup.lanes(call.roots[start + k]),
                place: MemoryGroup.lanes(Float(start + k + 1))), place)
          }
          group.scatter(after + start, count: count, depth: depth)
        }
      }
    }
  }

  /// The adjoint of `advance`.
  public static func advanceBackward(
    _ call: LegendreMemoryCall<Float>, _ memory: LegendreMemoryBackward<Float>
  ) {
    Arena.with({ MemoryGroup(call, arena: &$0) }) { group in
      group.forEachGroup { first, count in
        let (dInput, dAfter, dBefore) = (
          memory.dInput + first, memory.dAfter + first * call.order,
          memory.dBefore + first * call.order
        )
        var scan = LegendreScan(
          size: group.load(group.sizes), oldShare: MemoryGroup.lanes(call.oldShare),
          newShare: MemoryGroup.lanes(call.newShare))
        // A reversed stride would allocate an array.
        for block in (0..<(call.order + MemoryGroup.depth - 1) / MemoryGroup.depth).reversed() {
          let start = block * MemoryGroup.depth
          let depth = min(MemoryGroup.depth, call.order - start)
          group.gather(dAfter + start, count: count, depth: depth)
          for k in (0..<depth).reversed() {
            let place = group.block + k * MemoryGroup.width
            group.store(
              scan.previous(
                group.load(place), root: MemoryGroup.lanes(call.roots[start + k]),
                place: MemoryGroup.lanes(Float(start + k + 1))), place)
          }
          group.scatter(dBefore + start, count: count, depth: depth)
        }
        group.store(scan.inputGradient, group.block)
        for lane in 0..<count {
          if group.isFirst(first + lane) {
            dInput[lane] = dAfter[lane * call.order]
            (dBefore + lane * call.order).update(repeating: 0, count: call.order)
          } else {
            dInput[lane] = group.block[lane]
          }
        }
      }
    }
  }
}

/// Several memories in the lanes of two vectors.
private struct MemoryGroup {
  typealias Lanes = Twin<Vector>
  static var width: Int { 2 * Vector.width }
  /// The number of coefficients that are transposed together.
  static var depth: Int { 16 }

  /// [depth][width]
  let block: UnsafeMutablePointer<Float>
  /// The step size of each memory of the group.
  let sizes: UnsafeMutablePointer<Float>
  private let call: LegendreMemoryCall<Float>

  init(_ call: LegendreMemoryCall<Float>, arena: inout Arena) {
    self.call = call
    block = arena.take(MemoryGroup.depth * MemoryGroup.width)
    sizes = arena.take(MemoryGroup.width)
  }

  /// Calls `body` with the first memory of each group and the number of its memories.
  @inline(__always)
  func forEachGroup(_ body: (Int, Int) -> Void) {
    // Lanes without a memory compute with zeros.
    block.update(repeating: 0, count: MemoryGroup.depth * MemoryGroup.width)
    let memories = call.rows * call.channels
    for first in stride(from: 0, to: memories, by: MemoryGroup.width) {
      let count = min(MemoryGroup.width, memories - first)
      sizes.update(repeating: 0, count: MemoryGroup.width)
      for lane in 0..<count {
        sizes[lane] = LegendreClock(call, row: (first + lane) / call.channels).size
      }
      body(first, count)
    }
  }

  @inline(__always)
  func isFirst(_ memory: Int) -> Bool { call.clock[2 * (memory / call.channels)] == 0 }

  /// Loads coefficients of some memories into the block, one memory per lane.
  func gather(_ p: UnsafePointer<Float>, count: Int, depth: Int) {
    let (wholeLanes, wholeDepth) = (count - count % 4, depth - depth % 4)
    var lane = 0
    while lane < wholeLanes {
      var k = 0
      while k < wholeDepth {
        cvec_transpose_four(
          p + lane * call.order + k, call.order, block + k * MemoryGroup.width + lane,
          MemoryGroup.width)
        k += 4
      }
      lane += 4
    }
    for lane in 0..<count {
      let row = p + lane * call.order
      for k in (lane < wholeLanes ? wholeDepth : 0)..<depth {
        block[k * MemoryGroup.width + lane] = row[k]
      }
    }
  }

  /// The inverse of `gather`.
  func scatter(_ p: UnsafeMutablePointer<Float>, count: Int, depth: Int) {
    let (wholeLanes, wholeDepth) = (count - count % 4, depth - depth % 4)
    var lane = 0
    while lane < wholeLanes {
      var k = 0
      while k < wholeDepth {
        cvec_transpose_four(
          block + k * MemoryGroup.width + lane, MemoryGroup.width, p + lane * call.order + k,
          call.order)
        k += 4
      }
      lane += 4
    }
    for lane in 0..<count {
      let row = p + lane * call.order
      for k in (lane < wholeLanes ? wholeDepth : 0)..<depth {
        row[k] = block[k * MemoryGroup.width + lane]
      }
    }
  }

  @inline(__always)
  static func lanes(_ value: Float) -> Lanes {
    Lanes(Vector(repeating: value), Vector(repeating: value))
  }

  @inline(__always)
  func load(_ p: UnsafePointer<Float>) -> Lanes { Lanes(Vector(p), Vector(p + Vector.width)) }

  @inline(__always)
  func loading(_ p: UnsafePointer<Float>, _ count: Int) -> Lanes {
    let rest = count - Vector.width
    return Lanes(
      Vector.loading(p, count), rest > 0 ? Vector.loading(p + Vector.width, rest) : Vector(0))
  }

  @inline(__always)
  func store(_ value: Lanes, _ p: UnsafeMutablePointer<Float>) {
    value.first.store(p)
    value.second.store(p + Vector.width)
  }
}
