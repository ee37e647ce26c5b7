// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernels
import Tensors

/// The Poisson likelihood of spike counts, with the usual metrics of inferred rates.
///
///     L = Σ (exp(r) - k r) / known
///     bits per spike = (Σ (k log λ - λ) - Σ (k log λ̄ - λ̄)) / (ln 2 Σ k),   λ = exp(r)
///     co-smoothing = bits per spike of held-out neurons; bits_per_spike is then of the others
///     pooled R² = 1 - Σ_c E_c / Σ_c V_c,   median R² = median over c of 1 - E_c / V_c
///
/// with λ̄_c the mean count of neuron c in the training part, E_c = Σ (ρ - λ)² and V_c =
/// Σ (ρ - mean ρ_c)² over the known counts whose true rate ρ is known too. Both sums of the bits run
/// over the same known counts (Pillow et al., 2008; Pei et al., 2021). A mean of R² over neurons would
/// be meaningless if some hardly vary.
public struct SpikeRates: Objective {
  /// λ̄ [K], in counts per step.
  public let meanRates: [Double]
  /// The number of held-out neurons, which are the last ones and never inputs.
  public let heldOut: Int

  /// - Parameters:
  ///   - meanRates: the rate of each neuron, in counts per step; a silent one counts as a very slow
  ///     one
  ///   - heldOut: how many neurons at the end are scored separately
  public init(meanRates: [Double], heldOut: Int = 0) {
    self.meanRates = meanRates.map { max($0, 1e-9) }
    self.heldOut = heldOut
  }

  public var name: String { PoissonCounts().name }

  /// log λ̄ [K]
  public var logMeanRates: [Double] { meanRates.map { log($0) } }

  public func accepts(_ kind: TargetKind) -> Bool { kind.answer == .counts }

  /// For each neuron: the known counts, their spikes, the known true rates, and the sums of these,
  /// of their squares and of E; then its loss, if some neurons are held out.
  public var sums: [String] {
    let parts = ["known", "spikes", "rates", "rate_sum", "rate_square", "rate_error"]
    return (heldOut > 0 ? parts + ["loss"] : parts).flatMap { part in
      meanRates.indices.map { "\(part)_\($0)" }
    }
  }

  /// The negative log-likelihood of counts, and its gradient by the log-rates; see `Objective`.
  @specialized(where Scalar == Float)
  public func totals<Scalar: KernelScalar>(
    of logRates: Tensor<Scalar>, _ targets: SequenceTargets, gradient: Tensor<Scalar>?
  ) -> Totals {
    let K = meanRates.count
    precondition(targets.kind.outputs == K, "\(targets.kind.name) for \(K) mean rates")
    var own = [Double](repeating: 0, count: sums.count)
    for (index, count) in targets.whole.enumerated() where count >= 0 {
      own[index % K] += 1
      own[K + index % K] += Double(count)
      guard heldOut > 0 else { continue }
      let r = logRates[index]
      own[6 * K + index % K] += Double(Scalar.exponential(r)) - Double(count) * Double(r)
    }
    // Before the loss, whose gradient may overwrite the log-rates.
    for (index, rate) in targets.numbers.enumerated() where targets.whole[index] >= 0 {
      let (rate, c) = (Double(rate), index % K)
      let error = rate - Double(Scalar.exponential(logRates[index]))
      own[2 * K + c] += 1
      own[3 * K + c] += rate
      own[4 * K + c] += rate * rate
      own[5 * K + c] += error * error
    }
    var totals = PoissonCounts().totals(of: logRates, targets, gradient: gradient)
    totals.own = own
    return totals
  }

  public func metrics(_ totals: Totals) -> [Metric] {
    guard totals.own.count == sums.count else { return [] }
    let K = meanRates.count
    func sum(_ part: Int, _ c: Int) -> Double { totals.own[part * K + c] }
    let neurons = 0..<K
    func bits(_ neurons: Range<Int>, _ loss: Double) -> Double {
      let ofMeans = neurons.reduce(0) {
        $0 + sum(0, $1) * meanRates[$1] - sum(1, $1) * logMeanRates[$1]
      }
      return (ofMeans - loss) / (neurons.reduce(0) { $0 + sum(1, $1) } * log(2))
    }
    func loss(_ neurons: Range<Int>) -> Double { neurons.reduce(0) { $0 + sum(6, $1) } }
    let (seen, hidden) = (0..<K - heldOut, K - heldOut..<K)
    var metrics = [
      Metric(
        "bits_per_spike", bits(seen, heldOut > 0 ? loss(seen) : totals.loss),
        .unit("bits/spike"))
    ]
    if heldOut > 0 {
      metrics.append(Metric("co_smoothing", bits(hidden, loss(hidden)), .named("co-smoothing")))
    }
    guard neurons.contains(where: { sum(2, $0) > 0 }) else { return metrics }
    let variations = neurons.map { sum(4, $0) - sum(3, $0) * sum(3, $0) / max(sum(2, $0), 1) }
    let errors = neurons.map { sum(5, $0) }
    let each = zip(errors, variations).map { 1 - $0 / $1 }.filter(\.isFinite).sorted()
    let pooled = 1 - errors.reduce(0, +) / variations.reduce(0, +)
    let median = each.isEmpty ? .nan : (each[(each.count - 1) / 2] + each[each.count / 2]) / 2
    return metrics + [
      Metric("pooled_r2", pooled, .named("pooled R2")),
      Metric("median_r2", median, .named("median R2")),
    ]
  }

  /// The logarithm of each mean count.
  public func bestConstant(for targets: SequenceTargets) -> [Double] {
    PoissonCounts().bestConstant(for: targets)
  }
}
