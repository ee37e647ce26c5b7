// SPDX-License-Identifier: Apache-2.0

internal import CVec
import KernelInterface

/// The gradients of the weights for one group of stripes.
///
///     dW_hh = Σ da_tᵀ h_{t-1},   dW_ih = Σ dg_tᵀ x_t,   db_ih = Σ dg_t,   db_hh = Σ da_t
///
/// They are summed over a whole block of time, once the gate gradients of all its steps are known.
/// In each stripe, the steps from last to first and the rows in order are one chain.
struct WeightGradients {
  let call: BackwardCall<Float>
  let buffers: BackwardBuffers
  let stripes: Stripes
  let first: Int
  let end: Int

  var firstRow: Int { stripes[first].first }
  var rows: Int { stripes.rows(first, end) }
  private var room: WeightGradientBuffers { buffers.weightGradients }
  private var units: Units { buffers.units }
  private var order: GateOrder { buffers.order }
  private var shares: Bool { buffers.da == buffers.dg }

  /// Clears the sums over all time steps.
  func begin() {
    let count = (end - first) * order.paddedWidth
    room.narrow.update(repeating: 0, count: count * room.features)
    room.recurrentBias.update(repeating: 0, count: count)
  }

  /// Adds the blocks that are complete after step t.
  func add(after t: Int) {
    let T = call.geometry.steps
    for index in first..<end {
      guard stripes[index].shard != nil else { continue }
      let block = Blocking.timeBlock(rows: stripes[index].count)
      // The number of steps in the current block.
      let steps = (T - 1 - t) % block + 1
      if steps == block || t == 0 { add(index, TimeBlock(first: t, count: steps)) }
    }
  }

  /// Consecutive steps, whose gate gradients are in consecutive slots, the last step first.
  private struct TimeBlock {
    let first: Int
    let count: Int

    /// The step in the n-th slot of the block.
    func step(_ n: Int) -> Int { first + count - 1 - n }
  }

  private func add(_ index: Int, _ time: TimeBlock) {
    let stripe = stripes[index]
    let offset = (stripe.shard ?? 0) * call.gradients.stride
    packHidden(stripe, time)
    if !room.isNarrow { packInputs(stripe, time) }
    packNarrow(stripe, time)
    // One block of gates after the other, so that all sums find its gates in a near cache.
    for block in 0..<order.blocks {
      let gates = operand(buffers.da, stripe, time, block: block)
      addWide(
        stripe, time, block: block, gates: gates, packed: room.h, split: room.hiddenSplit,
        columns: units.count, into: call.gradients.recurrent + offset)
      if !shares {
        // The last feature is the constant 1.
        addNarrow(
          stripe, time, block: block, gates: buffers.da, features: 1,
          into: room.recurrentBias + (index - first) * order.paddedWidth)
      }
      if !room.isNarrow {
        addWide(
          stripe, time, block: block,
          gates: shares ? gates : operand(buffers.dg, stripe, time, block: block),
          packed: room.x, split: room.inputSplit, columns: call.geometry.inputs,
          into: call.gradients.input + offset)
      }
      addNarrow(
        stripe, time, block: block, gates: buffers.dg, features: room.features,
        into: room.narrow + (index - first) * room.features * order.paddedWidth)
    }
  }

  /// Adds the sums over all time steps to the gradients of the shards.
  func finish() {
    for index in first..<end {
      guard let shard = stripes[index].shard else { continue }
      let target = call.gradients
      let offset = shard * target.stride
      let narrow = room.narrow + (index - first) * room.features * order.paddedWidth
      let bias = room.features - 1
      if room.isNarrow {
        for feature in 0..<bias {
          scatter(
            narrow, feature: feature, of: room.features, to: target.input + offset + feature,
            stride: call.geometry.inputs)
        }
      }
      if let inputBias = target.inputBias {
        scatter(narrow, feature: bias, of: room.features, to: inputBias + offset, stride: 1)
      }
      if let recurrentBias = target.recurrentBias {
        if shares {
          scatter(narrow, feature: bias, of: room.features, to: recurrentBias + offset, stride: 1)
        } else {
          scatter(
            room.recurrentBias + (index - first) * order.paddedWidth, feature: 0, of: 1,
            to: recurrentBias + offset, stride: 1)
        }
      }
      if let unitBias = target.unitBias, call.geometry.body.hasUnitBias {
        addUnitBias(stripes[index], to: unitBias + offset)
      }
    }
  }

  // MARK: Sums of one block of time

  /// [GH, columns] += gatesᵀ · packed, for the rows of one block of gates.
  private func addWide(
    _ stripe: Stripe, _ time: TimeBlock, block: Int, gates: Operand,
    packed: UnsafeMutablePointer<Float>, split: PanelSplit, columns: Int,
    into target: UnsafeMutablePointer<Float>
  ) {
    let depth = time.count * stripe.count
    let tileRows = WeightGradientBuffers.tileRows
    let lanes = order.lanes(block)
    prefetch(target, block: block, columns: columns)
    // A panel of columns stays in the first-level cache while all gates of the block are multiplied
    // with it, if the stripe has up to 16 rows.
    for panel in 0..<split.panels {
      let (start, vectors) = (split.start(panel), split.width(panel))
      let column = start * Vector.width
      for gate in 0..<units.gates {
        var lane = 0
        while lane < lanes {
          let unit = block * GateOrder.width + lane
          GradientTile(
            segments: gates.segments, segment: depth / gates.segments,
            a: gates.start + gate * GateOrder.width + lane, aStep: order.blockWidth,
            aSegment: gates.segmentStep, w: packed + column * depth,
            wStep: vectors * Vector.width,
            wSegment: depth / gates.segments * vectors * Vector.width,
            out: target + (gate * units.count + unit) * columns + column, outRow: columns,
            ahead: vectors * Vector.width, columns: columns - column, spill: room.spill
          ).run(rows: min(tileRows, lanes - lane), vectors: vectors)
          lane += tileRows
        }
      }
    }
  }

  /// Prefetches the first sums of a block of gates; each panel of columns prefetches the next.
  private func prefetch(_ target: UnsafeMutablePointer<Float>, block: Int, columns: Int) {
    for gate in 0..<units.gates {
      for lane in 0..<order.lanes(block) {
        let row = target + (gate * units.count + block * GateOrder.width + lane) * columns
        for line in 0..<2 { cvec_prefetch_write(row + line * Prefetch.line) }
      }
    }
  }

  /// A block of gates over a block of time, for `GradientTile`.
  private struct Operand {
    var segments: Int
    var start: UnsafeMutablePointer<Float>
    /// The floats from one segment to the next.
    var segmentStep: Int
  }

  /// A block of gates. If a stripe has so few rows that loops over them would take longer than their
  /// products, the gates are one segment, to which they are copied unless the steps adjoin.
  private func operand(
    _ gates: UnsafeMutablePointer<Float>, _ stripe: Stripe, _ time: TimeBlock, block: Int
  ) -> Operand {
    let from = place(gates, stripe, time, block: block)
    let slotStride = buffers.slotStride(rows: rows)
    guard time.count > 1, stripe.count < WeightGradientBuffers.longRows else {
      return Operand(segments: time.count, start: from, segmentStep: slotStride)
    }
    if stripe.count == rows { return Operand(segments: 1, start: from, segmentStep: 0) }
    let count = stripe.count * order.blockWidth
    for slot in 0..<time.count {
      (room.gates + slot * count).update(from: from + slot * slotStride, count: count)
    }
    return Operand(segments: 1, start: room.gates, segmentStep: 0)
  }

  /// [block][feature][gate][unit] += xNarrowᵀ · gates, for one block and the last `features`
  /// features.
  private func addNarrow(
    _ stripe: Stripe, _ time: TimeBlock, block: Int, gates: UnsafeMutablePointer<Float>,
    features: Int, into target: UnsafeMutablePointer<Float>
  ) {
    // A block of the order is one or several panels, each with one vector per gate.
    let (vectors, width) = (order.gates, order.gates * Vector.width)
    let tileRows = Registers.rows(forVectors: vectors)
    let skipped = room.features - features
    let rowsOfBlock = place(gates, stripe, time, block: block)
    for column in stride(from: 0, to: order.blockWidth, by: width) {
      var feature = 0
      while feature < features {
        let count = min(tileRows, features - feature)
        GradientTile(
          segments: time.count, segment: stripe.count, a: room.xNarrow + skipped + feature,
          aStep: room.features, aSegment: stripe.count * room.features,
          w: rowsOfBlock + column, wStep: order.blockWidth,
          wSegment: buffers.slotStride(rows: rows),
          out: target + (block * features + feature) * order.blockWidth + column,
          outRow: order.blockWidth, columns: width, spill: room.spill
        ).run(rows: count, vectors: vectors)
        feature += count
      }
    }
  }

  /// The start of a block of gates of a stripe in the first slot.
  private func place(
    _ gates: UnsafeMutablePointer<Float>, _ stripe: Stripe, _ time: TimeBlock, block: Int
  ) -> UnsafeMutablePointer<Float> {
    let slot = (call.geometry.steps - 1 - time.step(0)) % buffers.slots
    return gates + block * buffers.blockStride(rows: rows)
      + slot * buffers.slotStride(rows: rows) + (stripe.first - firstRow) * order.blockWidth
  }

  // MARK: Operands

  private func packHidden(_ stripe: Stripe, _ time: TimeBlock) {
    let H = units.count
    for slot in 0..<time.count {
      let step = time.step(slot)
      let source =
        step > 0
        ? call.y + ((step - 1) * call.geometry.rows + stripe.first) * H
        : call.initial.hidden.map { $0 + stripe.first * H }
      pack(
        source, columns: H, stripe: stripe, slot: slot, depth: time.count * stripe.count,
        split: room.hiddenSplit, into: room.h)
    }
  }

  private func packInputs(_ stripe: Stripe, _ time: TimeBlock) {
    let C = call.geometry.inputs
    for slot in 0..<time.count {
      let step = time.step(slot)
      pack(
        call.x + (step * call.geometry.rows + stripe.first) * C, columns: C, stripe: stripe,
        slot: slot, depth: time.count * stripe.count, split: room.inputSplit, into: room.x)
    }
  }

  /// Packs the rows of one step as [panel][k][column]; nil is zero.
  private func pack(
    _ source: UnsafePointer<Float>?, columns: Int, stripe: Stripe, slot: Int, depth: Int,
    split: PanelSplit, into target: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<stripe.count {
      let from = source.map { $0 + row * columns }
      for panel in 0..<split.panels {
        let (start, vectors) = (split.start(panel), split.width(panel))
        let to = target + (start * depth + (slot * stripe.count + row) * vectors) * Vector.width
        for vector in 0..<vectors {
          let column = (start + vector) * Vector.width
          let value =
            from.map { Vector.loading($0 + column, columns - column) } ?? Vector(repeating: 0)
          value.store(to + vector * Vector.width)
        }
      }
    }
  }

  /// Packs the inputs, if they are few, and a 1 for the bias.
  private func packNarrow(_ stripe: Stripe, _ time: TimeBlock) {
    let C = call.geometry.inputs
    var to = room.xNarrow
    for slot in 0..<time.count {
      let step = time.step(slot)
      var x = call.x + (step * call.geometry.rows + stripe.first) * C
      for _ in 0..<stripe.count {
        for feature in 0..<room.features - 1 { to[feature] = x[feature] }
        to[room.features - 1] = 1
        to += room.features
        x += C
      }
    }
  }

  // MARK: To the gradients of the shards

  /// Adds one feature of [block][feature][gate][unit] to a column of a [GH, …] gradient.
  private func scatter(
    _ source: UnsafeMutablePointer<Float>, feature: Int, of features: Int,
    to target: UnsafeMutablePointer<Float>, stride: Int
  ) {
    for block in 0..<order.blocks {
      for gate in 0..<order.gates {
        let from = source + ((block * features + feature) * order.gates + gate) * GateOrder.width
        let to = target + (gate * order.count + block * GateOrder.width) * stride
        for lane in 0..<order.lanes(block) { to[lane * stride] += from[lane] }
      }
    }
  }

  private func addUnitBias(_ stripe: Stripe, to target: UnsafeMutablePointer<Float>) {
    for block in 0..<units.blocks {
      var sum = Vector(repeating: 0)
      let start = block * rows + stripe.first - firstRow
      for row in start..<start + stripe.count {
        sum = sum + Vector(buffers.dUnitBias + row * Vector.width)
      }
      let to = target + block * Vector.width
      let lanes = units.lanes(block)
      (Vector.loading(to, lanes) + sum).storing(lanes, to)
    }
  }
}
