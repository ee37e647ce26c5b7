import KernelInterface

/// Backpropagation through time as the equations say it, one number after the other.
///
/// It is the measure for the SIMD kernels, the way of `Double`, and the kernel of processors that
/// no SIMD module serves. It is written to be read; speed is the business of the others.
///
/// What `forward` saves, one block after the other:
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
    let shape = call.geometry
    let (T, N, C, H) = (shape.steps, shape.rows, shape.inputs, shape.hidden)
    let GH = shape.gateWidth
    let layout = SavedLayout(shape)

    var h = copy(call.initial.hidden, count: N * H)
    var c = copy(call.initial.cell, count: B.hasCell ? N * H : 0)
    var v = copy(call.initial.velocity, count: shape.drive.hasVelocity ? N * GH : 0)
    var q = copy(call.initial.secondMoment, count: shape.drive.hasSecondMoment ? N * GH : 0)
    var hNext = h
    if let saved = call.saved, B.hasCell {
      for index in 0..<N * H { saved[layout.cells + index] = c[index] }
    }

    for t in 0..<T {
      let drive = D(shape.drive, step: t)
      for n in 0..<N {
        let x_tn = call.x + (t * N + n) * C
        for j in 0..<H {
          var d = GatePack<Scalar>(first: 0)
          var a = GatePack<Scalar>(first: 0)
          for gate in 0..<B.gates {
            let row = gate * H + j
            let state = n * GH + row
            let g = dot(call.weights.input + row * C, x_tn, C) + (call.weights.inputBias?[row] ?? 0)
            let recurrent = h.withUnsafeBufferPointer {
              dot(call.weights.recurrent + row * H, $0.baseAddress! + n * H, H)
            }
            var vNow: Scalar = v.isEmpty ? 0 : v[state]
            var qNow: Scalar = q.isEmpty ? 0 : q[state]
            let seen = drive.forward(
              g, recurrent + (call.weights.recurrentBias?[row] ?? 0), v: &vNow, q: &qNow)
            if !v.isEmpty { v[state] = vNow }
            if !q.isEmpty { q[state] = qNow }
            if D.needsActivations, let saved = call.saved {
              let place = (t * N + n) * GH + row
              saved[layout.g + place] = g
              saved[layout.v + place] = vNow
              saved[layout.q + place] = qNow
            }
            d[gate] = seen.d
            a[gate] = seen.a
          }
          let unit = n * H + j
          var cell: Scalar = B.hasCell ? c[unit] : 0
          var gates = GatePack<Scalar>(first: 0)
          hNext[unit] = B.forward(
            d: d, a: a, h: h[unit], c: &cell, unitBias: call.weights.unitBias?[j] ?? 0,
            saved: &gates)
          if B.hasCell { c[unit] = cell }
          if let saved = call.saved {
            if B.hasCell { saved[layout.cells + (t + 1) * N * H + unit] = cell }
            for index in 0..<B.saved {
              saved[layout.gates + (t * N * H + unit) * B.saved + index] = gates[index]
            }
          }
        }
      }
      swap(&h, &hNext)
      if let y = call.y { for index in 0..<N * H { y[t * N * H + index] = h[index] } }
    }
    write(h, to: call.final.hidden)
    write(c, to: call.final.cell)
    write(v, to: call.final.velocity)
    write(q, to: call.final.secondMoment)
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
