import Foundation
import Kernels
import Tensors

/// The Poisson likelihood of spike counts, with what neuroscience judges rates by.
///
///     L = Σ (exp(r) - k r) / known
///     bits per spike = (Σ (k log λ - λ) - Σ (k log λ̄ - λ̄)) / (ln 2 Σ k),   λ = exp(r)
///     pooled R² = 1 - Σ_c E_c / Σ_c V_c,   median R² = median over c of 1 - E_c / V_c
///
/// with λ̄_c the mean count of neuron c in the training part, E_c = Σ (ρ - λ)² and V_c =
/// Σ (ρ - mean ρ_c)² over the known counts whose true rate ρ is known too. Both sums of the bits run over the
/// same known counts (Pillow et al., 2008; Pei et al., 2021). A mean of R² over neurons would say
/// nothing where some hardly vary.
public struct SpikeRates: Objective {
  /// λ̄ [K], in counts a step.
  public let meanRates: [Double]

  /// - Parameter meanRates: of each neuron, in counts a step; a silent one counts as a very slow one
  public init(meanRates: [Double]) {
    self.meanRates = meanRates.map { max($0, 1e-9) }
  }

  public var name: String { PoissonCounts().name }

  /// log λ̄ [K]
  public var logMeanRates: [Double] { meanRates.map { log($0) } }

  public func accepts(_ kind: TargetKind) -> Bool { kind.answer == .counts }

  /// Of each neuron the known counts, their spikes, the known true rates, and the sums of these, of
  /// their squares and of E.
  public var sums: [String] {
    ["known", "spikes", "rates", "rate_sum", "rate_square", "rate_error"].flatMap { part in
      meanRates.indices.map { "\(part)_\($0)" }
    }
  }

  @specialized(where Scalar == Float)
  public func totals<Scalar: KernelScalar>(
    of logRates: Tensor<Scalar>, _ targets: SequenceTargets, gradient: Tensor<Scalar>?
  ) -> Totals {
    let K = meanRates.count
    precondition(targets.kind.outputs == K, "\(targets.kind.name) for \(K) mean rates")
    var own = [Double](repeating: 0, count: 6 * K)
    for (index, count) in targets.whole.enumerated() where count >= 0 {
      own[index % K] += 1
      own[K + index % K] += Double(count)
    }
    // Before the loss, whose gradient may take the place of the log-rates.
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
    let ofMeans = zip(neurons, logMeanRates).reduce(0) {
      $0 + sum(0, $1.0) * meanRates[$1.0] - sum(1, $1.0) * $1.1
    }
    let spikes = neurons.reduce(0) { $0 + sum(1, $1) }
    let bits = Metric(
      "bits_per_spike", (ofMeans - totals.loss) / (spikes * log(2)), .unit("bits/spike"))
    guard neurons.contains(where: { sum(2, $0) > 0 }) else { return [bits] }
    let variations = neurons.map { sum(4, $0) - sum(3, $0) * sum(3, $0) / max(sum(2, $0), 1) }
    let errors = neurons.map { sum(5, $0) }
    let each = zip(errors, variations).map { 1 - $0 / $1 }.filter(\.isFinite).sorted()
    let pooled = 1 - errors.reduce(0, +) / variations.reduce(0, +)
    let median = each.isEmpty ? .nan : (each[(each.count - 1) / 2] + each[each.count / 2]) / 2
    return [
      bits, Metric("pooled_r2", pooled, .named("pooled R2")),
      Metric("median_r2", median, .named("median R2")),
    ]
  }

  /// The logarithm of each mean count.
  public func bestConstant(for targets: SequenceTargets) -> [Double] {
    PoissonCounts().bestConstant(for: targets)
  }
}
