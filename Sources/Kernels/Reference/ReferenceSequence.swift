// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// Backpropagation through time, written like the equations, one number after the other.
///
/// The SIMD kernels are tested against it. `Double` uses it, and so do processors without a SIMD
/// module. It is written for readability, not for speed.
///
/// `forward` saves these blocks, one after the other:
///
///     c [T+1, N, H]          if the body has a cell
///     gates [T, N, H, saved] what the body saves, unit by unit
///     g, v, q [T, N, G·H]    if the drive needs its activations
enum ReferenceSequence<D: DriveFormula, B: BodyFormula>
where D.V == B.V, D.V: BinaryFloatingPoint {
  typealias Scalar = D.V

  /// The places of the blocks in `saved`.
  struct SavedLayout {
    let cells: Int
    let gates: Int
    let g: Int
    let v: Int
    let q: Int
    let count: Int

    init(_ shape: LayerGeometry) {
      let (T, N, H) = (shape.steps, shape.rows, shape.hidden)
      let drive = D.needsActivations ? T * N * shape.gateWidth : 0
      cells = 0
      gates = cells + (B.hasCell ? (T + 1) * N * H : 0)
      g = gates + T * N * H * B.saved
      v = g + drive
      q = v + drive
      count = q + drive
    }
  }

  // MARK: Forward

  static func forward(_ call: ForwardCall<Scalar>) {
    let (T, N, H) = (call.geometry.steps, call.geometry.rows, call.geometry.hidden)
    var state = ForwardState(call)
    if let saved = call.saved, B.hasCell {
      let cells = SavedLayout(call.geometry).cells
      for index in 0..<N * H { saved[cells + index] = state.c[index] }
    }
    for t in 0..<T {
      let drive = D(call.geometry.drive, step: t)
      for n in 0..<N {
        for j in 0..<H { forward(call, drive, t: t, row: n, unit: j, &state) }
      }
      swap(&state.h, &state.hNext)
      if let y = call.y {
        for index in 0..<N * H { y[t * N * H + index] = state.h[index] }
      }
    }
    write(state.h, to: call.final.hidden)
    write(state.c, to: call.final.cell)
    write(state.v, to: call.final.velocity)
    write(state.q, to: call.final.secondMoment)
  }

  /// The state between two steps; members that the system does not have are empty.
  private struct ForwardState {
    var h: [Scalar]
    var hNext: [Scalar]
    var c: [Scalar]
    var v: [Scalar]
    var q: [Scalar]

    init(_ call: ForwardCall<Scalar>) {
      let shape = call.geometry
      let (NH, NGH) = (shape.rows * shape.hidden, shape.rows * shape.gateWidth)
      h = copy(call.initial.hidden, count: NH)
      hNext = h
      c = copy(call.initial.cell, count: B.hasCell ? NH : 0)
      v = copy(call.initial.velocity, count: shape.drive.hasVelocity ? NGH : 0)
      q = copy(call.initial.secondMoment, count: shape.drive.hasSecondMoment ? NGH : 0)
    }
  }

  /// Computes unit j of row n in step t.
  private static func forward(
    _ call: ForwardCall<Scalar>, _ drive: D, t: Int, row n: Int, unit j: Int,
    _ state: inout ForwardState
  ) {
    let shape = call.geometry
    let (N, H, layout) = (shape.rows, shape.hidden, SavedLayout(shape))
    var d = GatePack<Scalar>(first: 0)
    var a = GatePack<Scalar>(first: 0)
    for gate in 0..<B.gates {
      (d[gate], a[gate]) = preActivation(call, drive, t: t, row: n, gateUnit: gate * H + j, &state)
    }
    let unit = n * H + j
    var cell: Scalar = B.hasCell ? state.c[unit] : 0
    var gates = GatePack<Scalar>(first: 0)
    state.hNext[unit] = B.forward(
      d: d, a: a, h: state.h[unit], c: &cell, unitBias: call.weights.unitBias?[j] ?? 0,
      saved: &gates)
    if B.hasCell { state.c[unit] = cell }
    guard let saved = call.saved else { return }
    if B.hasCell { saved[layout.cells + (t + 1) * N * H + unit] = cell }
    for index in 0..<B.saved {
      saved[layout.gates + (t * N * H + unit) * B.saved + index] = gates[index]
    }
  }

  /// The drive's output for g = W_ih x + b_ih, and a = W_hh h + b_hh.
  private static func preActivation(
    _ call: ForwardCall<Scalar>, _ drive: D, t: Int, row n: Int, gateUnit row: Int,
    _ state: inout ForwardState
  ) -> (d: Scalar, a: Scalar) {
    let shape = call.geometry
    let (N, C, H, GH) = (shape.rows, shape.inputs, shape.hidden, shape.gateWidth)
    let x_tn = call.x + (t * N + n) * C
    let g = dot(call.weights.input + row * C, x_tn, C) + (call.weights.inputBias?[row] ?? 0)
    let recurrent = state.h.withUnsafeBufferPointer {
      dot(call.weights.recurrent + row * H, $0.baseAddress! + n * H, H)
    }
    let place = n * GH + row
    var vNow: Scalar = state.v.isEmpty ? 0 : state.v[place]
    var qNow: Scalar = state.q.isEmpty ? 0 : state.q[place]
    let seen = drive.forward(
      g, recurrent + (call.weights.recurrentBias?[row] ?? 0), v: &vNow, q: &qNow)
    if !state.v.isEmpty { state.v[place] = vNow }
    if !state.q.isEmpty { state.q[place] = qNow }
    if D.needsActivations, let saved = call.saved {
      let layout = SavedLayout(shape)
      saved[layout.g + t * N * GH + place] = g
      saved[layout.v + t * N * GH + place] = vNow
      saved[layout.q + t * N * GH + place] = qNow
    }
    return (seen.d, seen.a)
  }
}

extension GatePack {
  subscript(gate: Int) -> V {
    get {
      switch gate {
      case 0: g0
      case 1: g1
      case 2: g2
      default: g3
      }
    }
    set {
      switch gate {
      case 0: g0 = newValue
      case 1: g1 = newValue
      case 2: g2 = newValue
      default: g3 = newValue
      }
    }
  }
}

/// Σ_k a_k b_k, in the order of k.
@inline(__always)
func dot<Scalar: BinaryFloatingPoint>(
  _ a: UnsafePointer<Scalar>, _ b: UnsafePointer<Scalar>, _ count: Int
) -> Scalar {
  var sum: Scalar = 0
  for k in 0..<count { sum += a[k] * b[k] }
  return sum
}

/// The numbers at `pointer`, or zeros.
func copy<Scalar: BinaryFloatingPoint>(_ pointer: UnsafePointer<Scalar>?, count: Int) -> [Scalar] {
  if let pointer { return Array(UnsafeBufferPointer(start: pointer, count: count)) }
  return [Scalar](repeating: 0, count: count)
}

func write<Scalar: BinaryFloatingPoint>(
  _ values: [Scalar], to pointer: UnsafeMutablePointer<Scalar>?
) {
  guard let pointer else { return }
  for (index, value) in values.enumerated() { pointer[index] = value }
}
