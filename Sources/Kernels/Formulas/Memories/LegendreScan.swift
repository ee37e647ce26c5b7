// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// A step of the scaled Legendre memory (HiPPO-LegS; Gu et al., NeurIPS 2020) in O(N), one
/// coefficient after the other.
///
///     dm/dt = (A m + B u) / t,   A = -(diag(n + 1) + strictly lower part of q qᵀ),   B = q
///     (I - b A) m' = (I + a A) m + D q u,   q_n = √(2n + 1)
///
/// with D = Δt / t, a = oldShare D and b = newShare D. The forward method has a = D and b = 0, the
/// backward method a = 0 and b = D, the bilinear method a = b = D/2. A is a diagonal matrix plus,
/// below the diagonal, a product of two vectors. So a row needs only one sum over the rows before
/// it:
///
///     s_n  = D u - Σ_{k<n} q_k (a m_k + b m'_k)
///     m'_n = m_n + (q_n s_n - D (n + 1) m_n) / (1 + b (n + 1))
struct LegendreScan<V: Lanes> {
  private let size: V
  private let negativeSize: V
  private let negativeOld: V
  private let new: V
  private let negativeNew: V
  /// s_n on the way up, Σ_{k>n} q_k w_k on the way down.
  private var sum: V

  /// - Parameter size: D
  @inline(__always)
  private init(size: V, oldShare: V, newShare: V, sum: V) {
    self.size = size
    negativeSize = V(0) - size
    negativeOld = negativeSize * oldShare
    new = size * newShare
    negativeNew = negativeSize * newShare
    self.sum = sum
  }

  /// A scan with `next`, from n = 0 up.
  @inline(__always)
  init(size: V, oldShare: V, newShare: V, input: V) {
    self.init(size: size, oldShare: oldShare, newShare: newShare, sum: size * input)
  }

  /// A scan with `previous`, from n = N - 1 down.
  @inline(__always)
  init(size: V, oldShare: V, newShare: V) {
    self.init(size: size, oldShare: oldShare, newShare: newShare, sum: V(0))
  }

  /// m'_n
  ///
  /// - Parameters:
  ///   - m: m_n
  ///   - root: q_n
  ///   - place: n + 1
  @inline(__always)
  mutating func next(_ m: V, root: V, place: V) -> V {
    let inverse = V(1) / V(1).adding(new, times: place)
    let change = (root * sum).adding(negativeSize, times: place * m)
    let result = m.adding(change, times: inverse)
    sum = sum.adding(root, times: (negativeOld * m).adding(negativeNew, times: result))
    return result
  }

  /// dL/dm_n. The adjoint solves (I - b Aᵀ) w = dL/dm' from the last row up:
  ///
  ///     w_n = (dm'_n - b q_n Σ_{k>n} q_k w_k) / (1 + b (n + 1))
  ///     dm_n = dm'_n - D ((n + 1) w_n + q_n Σ_{k>n} q_k w_k)
  @inline(__always)
  mutating func previous(_ gradient: V, root: V, place: V) -> V {
    let inverse = V(1) / V(1).adding(new, times: place)
    let below = root * sum
    let w = gradient.adding(negativeNew, times: below) * inverse
    let result = gradient.adding(negativeSize, times: below.adding(place, times: w))
    sum = sum.adding(root, times: w)
    return result
  }

  /// dL/du = D Σ q_n w_n, once all rows are done.
  @inline(__always)
  var inputGradient: V { size * sum }
}

/// The clock of a row over one step.
struct LegendreClock<Scalar: BinaryFloatingPoint> {
  /// Whether this is the first step of a sequence, which sets the memory to m' = (u, 0 ... 0).
  let isFirst: Bool
  /// The time of this step, counted from the first one.
  let now: Scalar
  /// D = (now - before) / now; zero if no time has passed.
  let size: Scalar

  @inline(__always)
  init(_ call: LegendreMemoryCall<Scalar>, row: Int) {
    let before = call.clock[2 * row + 1]
    isFirst = call.clock[2 * row] == 0
    if let times = call.times {
      now = Scalar(times[row])
      size = !isFirst && now > before && now > 0 ? (now - before) / now : 0
    } else {
      now = isFirst ? 0 : before + 1
      let limit = call.maximumSteps
      size = isFirst ? 0 : 1 / (limit > 0 && now > limit ? limit : now)
    }
  }
}
