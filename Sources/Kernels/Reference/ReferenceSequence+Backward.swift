// SPDX-License-Identifier: Apache-2.0

import KernelInterface

extension ReferenceSequence {
  static func backward(_ call: BackwardCall<Scalar>) {
    let shape = call.geometry
    let (T, N, H) = (shape.steps, shape.rows, shape.hidden)
    let initialHidden = copy(call.initial.hidden, count: N * H)
    var flow = BackwardFlow(call)
    for t in (0..<T).reversed() {
      let drive = D(shape.drive, step: t)
      for n in 0..<N {
        for j in 0..<H {
          backward(call, drive, t: t, row: n, unit: j, initialHidden: initialHidden, &flow)
        }
      }
      addWeightGradients(call, step: t, dg: flow.dg, da: flow.da, initialHidden: initialHidden)
      throughWeights(call, step: t, &flow)
    }
    write(flow.dh, to: call.initialGradient.hidden)
    write(flow.dc, to: call.initialGradient.cell)
    write(flow.dv, to: call.initialGradient.velocity)
    write(flow.dq, to: call.initialGradient.secondMoment)
  }

  /// The gradients that flow back through time.
  private struct BackwardFlow {
    // What flows from step t+1 to step t.
    var dh: [Scalar]
    var dc: [Scalar]
    var dv: [Scalar]
    var dq: [Scalar]
    // Gradients of the current step.
    var dg: [Scalar]
    var da: [Scalar]
    var dhBefore: [Scalar]

    init(_ call: BackwardCall<Scalar>) {
      let shape = call.geometry
      let (NH, NGH) = (shape.rows * shape.hidden, shape.rows * shape.gateWidth)
      dh = copy(call.finalGradient.hidden, count: NH)
      dc = copy(call.finalGradient.cell, count: NH)
      dv = copy(call.finalGradient.velocity, count: NGH)
      dq = copy(call.finalGradient.secondMoment, count: NGH)
      dg = [Scalar](repeating: 0, count: NGH)
      da = dg
      dhBefore = [Scalar](repeating: 0, count: NH)
    }
  }

  /// The adjoints of body and drive for unit j of row n in step t.
  private static func backward(
    _ call: BackwardCall<Scalar>, _ drive: D, t: Int, row n: Int, unit j: Int,
    initialHidden: [Scalar], _ flow: inout BackwardFlow
  ) {
    let shape = call.geometry
    let (N, H, GH) = (shape.rows, shape.hidden, shape.gateWidth)
    let (layout, saved) = (SavedLayout(shape), call.saved)
    let unit = n * H + j
    let hBefore = t > 0 ? call.y[(t - 1) * N * H + unit] : initialHidden[unit]
    var gates = GatePack<Scalar>(first: 0)
    for index in 0..<B.saved {
      gates[index] = saved[layout.gates + (t * N * H + unit) * B.saved + index]
    }
    let gradient = B.backward(
      dh: flow.dh[unit] + (call.dy?[t * N * H + unit] ?? 0), dc: &flow.dc[unit], saved: gates,
      h: call.y[t * N * H + unit], hBefore: hBefore,
      tanhC: B.hasCell ? saved[layout.cells + (t + 1) * N * H + unit].hyperbolicTangent : 0,
      cBefore: B.hasCell ? saved[layout.cells + t * N * H + unit] : 0)
    flow.dhBefore[unit] = gradient.dhBefore
    if B.hasUnitBias { addUnitBias(gradient.dUnitBias, row: n, unit: j, to: call.gradients) }
    for gate in 0..<B.gates {
      let row = n * GH + gate * H + j
      let place = t * N * GH + row
      let needs = D.needsActivations
      (flow.dg[row], flow.da[row]) = drive.backward(
        gradient.dd[gate], gradient.da[gate],
        g: needs ? saved[layout.g + place] : 0, v: needs ? saved[layout.v + place] : 0,
        q: needs ? saved[layout.q + place] : 0, dv: &flow.dv[row], dq: &flow.dq[row])
    }
  }

  /// dh_{t-1} = da W_hh + the body's direct part;  dx_t = dg W_ih
  private static func throughWeights(
    _ call: BackwardCall<Scalar>, step t: Int, _ flow: inout BackwardFlow
  ) {
    let shape = call.geometry
    let (N, C, H, GH) = (shape.rows, shape.inputs, shape.hidden, shape.gateWidth)
    for n in 0..<N {
      for j in 0..<H {
        var sum: Scalar = 0
        for row in 0..<GH { sum += flow.da[n * GH + row] * call.weights.recurrent[row * H + j] }
        flow.dh[n * H + j] = flow.dhBefore[n * H + j] + sum
      }
      guard let dx = call.dx else { continue }
      for i in 0..<C {
        var sum: Scalar = 0
        for row in 0..<GH { sum += flow.dg[n * GH + row] * call.weights.input[row * C + i] }
        dx[(t * N + n) * C + i] = sum
      }
    }
  }

  /// Adds dg_tᵀ x_t, da_tᵀ h_{t-1} and the bias gradients of one step to each shard.
  private static func addWeightGradients(
    _ call: BackwardCall<Scalar>, step t: Int, dg: [Scalar], da: [Scalar], initialHidden: [Scalar]
  ) {
    let shape = call.geometry
    let (N, C, H, GH) = (shape.rows, shape.inputs, shape.hidden, shape.gateWidth)
    let target = call.gradients
    for shard in 0..<target.shards {
      let base = shard * target.stride
      for n in target.rowStarts[shard]..<target.rowStarts[shard + 1] {
        for row in 0..<GH {
          let (dgNow, daNow) = (dg[n * GH + row], da[n * GH + row])
          for i in 0..<C {
            target.input[base + row * C + i] += dgNow * call.x[(t * N + n) * C + i]
          }
          for j in 0..<H {
            let hBefore = t > 0 ? call.y[((t - 1) * N + n) * H + j] : initialHidden[n * H + j]
            target.recurrent[base + row * H + j] += daNow * hBefore
          }
          target.inputBias?[base + row] += dgNow
          target.recurrentBias?[base + row] += daNow
        }
      }
    }
  }

  private static func addUnitBias(
    _ value: Scalar, row: Int, unit: Int, to target: ShardGradients<Scalar>
  ) {
    guard let bias = target.unitBias else { return }
    for shard in 0..<target.shards
    where row >= target.rowStarts[shard] && row < target.rowStarts[shard + 1] {
      bias[shard * target.stride + unit] += value
    }
  }
}
