// SPDX-License-Identifier: Apache-2.0

import KernelInterface

// Attention, one number after the other.

extension ReferenceKernels {
  static func attend(_ call: AttentionCall<Scalar>, into output: UnsafeMutablePointer<Scalar>) {
    let (d, D) = (call.width, call.heads * call.width)
    let scale = 1 / Scalar(d).squareRoot()
    forEachQuery(of: call) { sequence, head, i, keys in
      let base = call.projected + sequence * call.steps * 3 * D + head * d
      let (q, o) = (base + i * 3 * D, output + (sequence * call.steps + i) * D + head * d)
      o.update(repeating: 0, count: d)
      guard let first = keys.first else { return }
      let place = call.place(sequence, head, i)
      let p = call.weights + place
      var largest = -Scalar.infinity
      for j in keys {
        p[j - first] = scale * dot(q, base + j * 3 * D + D, d)
        largest = max(largest, p[j - first])
      }
      var sum: Scalar = 0
      for index in keys {
        p[index - first] = (p[index - first] - largest).exponential
        sum += p[index - first]
      }
      for j in keys {
        p[j - first] /= sum
        let weight = p[j - first] * (call.factors?[place + j - first] ?? 1)
        let v = base + j * 3 * D + 2 * D
        for c in 0..<d { o[c] += weight * v[c] }
      }
    }
  }

  /// With g_ij = f_ij (do_i · v_j):
  ///
  ///     ds_ij = p_ij (g_ij - Σ_k p_ik g_ik),   dq_i = Σ_j ds_ij k_j / √d
  ///     dk_j = Σ_i ds_ij q_i / √d,   dv_j = Σ_i p_ij f_ij do_i
  static func attendBackward(
    _ call: AttentionCall<Scalar>, of dOutput: UnsafePointer<Scalar>,
    into dProjected: UnsafeMutablePointer<Scalar>
  ) {
    let (d, D) = (call.width, call.heads * call.width)
    let scale = 1 / Scalar(d).squareRoot()
    dProjected.update(repeating: 0, count: call.sequences * call.steps * 3 * D)
    forEachQuery(of: call) { sequence, head, i, keys in
      guard let first = keys.first else { return }
      let start = sequence * call.steps * 3 * D + head * d
      let (base, dBase) = (call.projected + start, dProjected + start)
      let dO = dOutput + (sequence * call.steps + i) * D + head * d
      let place = call.place(sequence, head, i)
      let p = call.weights + place
      func factor(_ j: Int) -> Scalar { call.factors?[place + j - first] ?? 1 }
      func slope(_ j: Int) -> Scalar { factor(j) * dot(dO, base + j * 3 * D + 2 * D, d) }
      var mean: Scalar = 0
      for j in keys { mean += p[j - first] * slope(j) }
      let (q, dQ) = (base + i * 3 * D, dBase + i * 3 * D)
      for j in keys {
        let dS = scale * p[j - first] * (slope(j) - mean)
        let weight = p[j - first] * factor(j)
        let (k, dK, dV) = (
          base + j * 3 * D + D, dBase + j * 3 * D + D, dBase + j * 3 * D + 2 * D
        )
        for c in 0..<d {
          dQ[c] += dS * k[c]
          dK[c] += dS * q[c]
          dV[c] += weight * dO[c]
        }
      }
    }
  }

  /// Calls `body` with each sequence, head and query, and the keys that it sees.
  private static func forEachQuery(
    of call: AttentionCall<Scalar>, _ body: (Int, Int, Int, Range<Int>) -> Void
  ) {
    for sequence in 0..<call.sequences {
      for head in 0..<call.heads {
        for i in 0..<call.steps { body(sequence, head, i, call.keys(of: i, in: sequence)) }
      }
    }
  }
}
