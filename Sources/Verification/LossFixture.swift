import Kernels
import Models
import Tensors

/// A case of `losses`: the mean of a loss and its gradient.
enum LossFixture<Scalar: KernelScalar> {
  static func compare(
    _ fixture: FixtureCase, strict: Bool
  ) throws(FixtureError) -> [TensorComparison]? {
    guard fixture.system == "losses" else { return nil }
    switch fixture.name {
    case "cross_entropy":
      let logits = try fixture.array("logits")
      let z = Tensor(logits.values(as: Scalar.self), shape: logits.shape)
      let classes = try fixture.array("target").values.map { Int32($0) }
      let gradient = Tensor<Scalar>(shape: z.shape)
      let totals = Loss.crossEntropy(z, classes: classes[...], gradient: gradient)
      return try comparisons(fixture, totals, gradient.array.map { Double($0) }, strict: strict)
    case "masked_mse":
      return try compareMasked(fixture, strict: strict)
    case "poisson_nll_masked":
      return try comparePoisson(fixture, strict: strict)
    default:
      return []  // a loss of a later system
    }
  }

  /// The valid elements of ragged rows are what `Loss.squaredError` is given.
  private static func compareMasked(
    _ fixture: FixtureCase, strict: Bool
  ) throws(FixtureError) -> [TensorComparison] {
    let prediction = try fixture.array("pred")  // [N, T, K]
    let target = try fixture.array("target", shape: prediction.shape)
    let lengths = try fixture.array("lens").values.map { Int($0) }
    let (T, K) = (prediction.shape[1], prediction.shape[2])
    let valid = prediction.values.indices.filter { $0 / K % T < lengths[$0 / (T * K)] }
    let y = Tensor(
      valid.map { Scalar(prediction.values[$0]) }, shape: [valid.count / K, K])
    let gradient = Tensor<Scalar>(shape: y.shape)
    let totals = Loss.squaredError(
      y, targets: valid.map { Float(target.values[$0]) }[...], gradient: gradient)
    var all = [Double](repeating: 0, count: prediction.values.count)
    for (place, value) in zip(valid, gradient.array) { all[place] = Double(value) }
    // Targets of data sets are Float, so this case is checked to Float's precision.
    return try comparisons(fixture, totals, all, strict: false)
  }

  /// Counts of which the negative ones are unknown.
  private static func comparePoisson(
    _ fixture: FixtureCase, strict: Bool
  ) throws(FixtureError) -> [TensorComparison] {
    let rates = try fixture.array("lograte")
    let counts = try fixture.array("labels", shape: rates.shape).values.map { Int32($0) }
    let r = Tensor(rates.values.map { Scalar($0) }, shape: rates.shape)
    let gradient = Tensor<Scalar>(shape: r.shape)
    let totals = Loss.poisson(r, counts: counts[...], gradient: gradient)
    return try comparisons(fixture, totals, gradient.array.map { Double($0) }, strict: strict)
  }

  private static func comparisons(
    _ fixture: FixtureCase, _ totals: Totals, _ gradient: [Double], strict: Bool
  ) throws(FixtureError) -> [TensorComparison] {
    let tolerance: TensorComparison.Tolerance =
      strict ? .elementwise(absolute: 1e-10, relative: 1e-9) : .normwise(1e-5)
    return [
      TensorComparison(
        "loss", computed: [totals.meanLoss], expected: try fixture.array("loss").values,
        tolerance: tolerance),
      TensorComparison(
        "grad", computed: gradient.map { $0 / totals.elements },
        expected: try fixture.array("grad").values, tolerance: tolerance),
    ]
  }
}
