// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// Recomputes, during a backward pass, what the forward pass did not keep. It recomputes a few
/// steps at a time, from the states that were kept (Chen et al., "Training deep nets with sublinear
/// memory cost", 2016).
///
/// A row's forward pass has the same bits regardless of the rows and steps computed with it, and
/// the order of the backward pass's sums does not change. So the gradients have the same bits as
/// without recomputation.
struct Recomputation {
  let call: ForwardCall<Float>
  let buffers: ForwardBuffers
  /// The kept states: [segment - 1][block][N] of c, v and q.
  let states: UnsafePointer<Float>
  /// h_1 … h_T
  let y: UnsafePointer<Float>

  init(
    _ call: BackwardCall<Float>, panelLimit: Int, savedWidth: Int, groupRows: Int,
    arena: inout Arena
  ) {
    let shape = call.geometry
    let blocks = Units(shape.hidden, gates: 1).blocks
    let saved = arena.take(shape.recomputeEvery * groupRows * blocks * savedWidth)
    self.call = ForwardCall(
      geometry: shape, weights: call.weights, x: call.x, initial: call.initial, y: nil,
      final: MutableStatePointers(), saved: saved)
    buffers = ForwardBuffers(
      self.call, panelLimit: panelLimit, savedCount: 0, groupRows: groupRows, arena: &arena)
    states = call.saved
    y = call.y
  }
}

extension Sequence {
  /// Whether the forward pass keeps only the state of every k-th step.
  @inline(__always)
  static func recomputes(_ shape: LayerGeometry) -> Bool {
    shape.recomputeEvery > 0 && shape.steps > shape.recomputeEvery
  }

  /// The floats of one row of one block of a kept state.
  @inline(__always)
  static func stateWidth(_ shape: LayerGeometry) -> Int {
    ((B.hasCell ? 1 : 0) + (shape.drive.hasVelocity ? B.gates : 0)
      + (shape.drive.hasSecondMoment ? B.gates : 0)) * Vector.width
  }

  /// The floats of all kept states.
  static func statesCount(_ shape: LayerGeometry) -> Int {
    let kept = (shape.steps - 1) / shape.recomputeEvery
    return kept * shape.rows * Units(shape.hidden, gates: 1).blocks * stateWidth(shape)
  }

  /// Calls `body` for each row of each block, with its place in the kept state before step t and
  /// its index in the buffers of a group.
  @inline(__always)
  private static func forEachState(
    _ shape: LayerGeometry, before t: Int, firstRow: Int, rows: Int,
    _ body: (_ place: Int, _ row: Int) -> Void
  ) {
    let blocks = Units(shape.hidden, gates: 1).blocks
    let segment = t / shape.recomputeEvery - 1
    for block in 0..<blocks {
      let start = (segment * blocks + block) * shape.rows + firstRow
      for row in 0..<rows { body((start + row) * stateWidth(shape), block * rows + row) }
    }
  }

  /// Keeps the state of a group before step t.
  static func keepState(
    _ call: ForwardCall<Float>, _ buffers: ForwardBuffers, before t: Int, firstRow: Int, rows: Int
  ) {
    guard let states = call.saved else { return }
    let shape = call.geometry
    let (width, gates) = (Vector.width, B.gates * Vector.width)
    forEachState(shape, before: t, firstRow: firstRow, rows: rows) { place, row in
      var to = states + place
      if B.hasCell {
        to.update(from: buffers.c + row * width, count: width)
        to += width
      }
      if shape.drive.hasVelocity {
        to.update(from: buffers.v + row * gates, count: gates)
        to += gates
      }
      if shape.drive.hasSecondMoment { to.update(from: buffers.q + row * gates, count: gates) }
    }
  }

  /// Recomputes what the backward pass needs from the segment that ends with step t.
  ///
  /// - Returns: the first step of the segment
  static func recompute(
    _ again: Recomputation, endingWith t: Int, firstRow: Int, rows: Int
  ) -> Int {
    let (call, buffers) = (again.call, again.buffers)
    let shape = call.geometry
    let first = t / shape.recomputeEvery * shape.recomputeEvery
    loadState(again, before: first, firstRow: firstRow, rows: rows)
    var (h, hNext) = (buffers.h, buffers.hNext)
    for step in first...t {
      run(
        ForwardStep(
          call: call, buffers: buffers, t: step, firstRow: firstRow, rows: rows, h: h,
          hNext: hNext,
          saved: SavedPlace(
            start: call.saved, step: step - first, rows: rows, firstRow: 0,
            blocks: buffers.units.blocks)))
      swap(&h, &hNext)
    }
    return first
  }

  private static func loadState(
    _ again: Recomputation, before t: Int, firstRow: Int, rows: Int
  ) {
    let (buffers, shape) = (again.buffers, again.call.geometry)
    guard t > 0 else {
      return buffers.load(again.call.initial, shape, firstRow: firstRow, rows: rows)
    }
    let hidden = again.y + (t - 1) * shape.rows * shape.hidden
    buffers.load(StatePointers(hidden: hidden), shape, firstRow: firstRow, rows: rows)
    let (width, gates) = (Vector.width, B.gates * Vector.width)
    forEachState(shape, before: t, firstRow: firstRow, rows: rows) { place, row in
      var from = again.states + place
      if B.hasCell {
        (buffers.c + row * width).update(from: from, count: width)
        from += width
      }
      if shape.drive.hasVelocity {
        (buffers.v + row * gates).update(from: from, count: gates)
        from += gates
      }
      if shape.drive.hasSecondMoment {
        (buffers.q + row * gates).update(from: from, count: gates)
      }
    }
  }
}
