import Kernels
import Tensors

extension Loss {
  /// exp(r) - k r, the negative log-likelihood of a count k whose rate is exp(r), summed over the
  /// elements that are known; log k!, which no parameter has a part in, is left out.
  ///
  /// - Parameters:
  ///   - logRates: r, of any shape
  ///   - counts: k of each element; a negative one is unknown and takes no part
  ///   - gradient: receives exp(r) - k, and 0 where k is unknown; nil if not wanted
  @specialized(where Scalar == Float)
  public static func poisson<Scalar: KernelScalar>(
    _ logRates: Tensor<Scalar>, counts: ArraySlice<Int32>, gradient: Tensor<Scalar>?
  ) -> Totals {
    precondition(
      counts.count == logRates.count, "\(counts.count) counts for log-rates \(logRates.shape)")
    var totals = Totals(sequences: Double(logRates.shape[0]))
    for (index, count) in counts.enumerated() {
      guard count >= 0 else {
        gradient?[index] = 0
        continue
      }
      let (r, k) = (logRates[index], Scalar(count))
      let rate = Scalar.exponential(r)
      totals.loss += Double(rate) - Double(k) * Double(r)
      totals.elements += 1
      gradient?[index] = rate - k
    }
    return totals
  }
}
