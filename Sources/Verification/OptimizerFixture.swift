// SPDX-License-Identifier: Apache-2.0

import Kernels
import Optimizers
import Tensors

/// A case of `optimizers`: five steps of an update rule on given gradients, or a clipping.
enum OptimizerFixture<Scalar: KernelScalar> {
  static func compare(
    _ fixture: FixtureCase, strict: Bool
  ) throws(FixtureError) -> [TensorComparison]? {
    guard fixture.system == "optimizers" else { return nil }
    let tolerance: TensorComparison.Tolerance =
      strict ? .elementwise(absolute: 1e-12, relative: 1e-11) : .normwise(1e-5)
    return fixture.name.hasPrefix("clip")
      ? try compareClipping(fixture, tolerance) : try compareSteps(fixture, tolerance)
  }

  private static func compareSteps(
    _ fixture: FixtureCase, _ tolerance: TensorComparison.Tolerance
  ) throws(FixtureError) -> [TensorComparison] {
    var layout = ParameterLayout()
    let start = [try fixture.array("W0"), try fixture.array("b0")]
    layout.add("W", shape: start[0].shape)
    layout.add("b", shape: start[1].shape)
    let parameters = ParameterBuffer<Scalar>(layout)
    for (entry, array) in zip(layout.entries, start) {
      parameters[entry].copy(from: array.values(as: Scalar.self))
    }
    let gradients = [try fixture.array("grads_W"), try fixture.array("grads_b")]
    let after = [try fixture.array("after_W"), try fixture.array("after_b")]
    let averaged = [
      try fixture.optionalArray("averaged_W"), try fixture.optionalArray("averaged_b"),
    ]
    let optimizer = Optimizer<Scalar>(
      try rule(fixture), learningRate: try fixture.number("lr"), layout: layout)
    let gradient = ParameterBuffer<Scalar>(layout)
    var comparisons: [TensorComparison] = []
    for step in 0..<gradients[0].shape[0] {
      for (entry, array) in zip(layout.entries, gradients) {
        gradient[entry].copy(from: slice(array, step).map { Scalar($0) })
      }
      optimizer.update(parameters, gradients: gradient.flat)
      for (index, entry) in layout.entries.enumerated() {
        comparisons.append(
          TensorComparison(
            "after_\(entry.name)[\(step)]", computed: parameters[entry].array.map { Double($0) },
            expected: slice(after[index], step), tolerance: tolerance))
        if let averaged = averaged[index] {
          comparisons.append(
            TensorComparison(
              "averaged_\(entry.name)[\(step)]",
              computed: optimizer.slots[0].buffer[entry].array.map { Double($0) },
              expected: slice(averaged, step), tolerance: tolerance))
        }
      }
    }
    return comparisons
  }

  private static func slice(_ array: FixtureCase.NamedArray, _ step: Int) -> [Double] {
    let width = array.values.count / array.shape[0]
    return Array(array.values[step * width..<(step + 1) * width])
  }

  private static func rule(_ fixture: FixtureCase) throws(FixtureError) -> any UpdateRule {
    func number(_ name: String) throws(FixtureError) -> Double {
      try fixture.optionalNumber(name) ?? 0
    }
    let decay = try number("weight_decay")
    let name = try fixture.text("class_name") ?? ""
    switch name {
    case "SGD":
      return SGD(
        momentum: try number("momentum"), dampening: try number("dampening"),
        nesterov: try number("nesterov") != 0, weightDecay: decay)
    case "RMSprop":
      return RMSProp(
        alpha: try number("alpha"), epsilon: try number("eps"), momentum: try number("momentum"),
        centered: try number("centered") != 0, weightDecay: decay)
    case "Adam", "AdamW":
      return Adam(
        beta1: try number("beta1"), beta2: try number("beta2"), epsilon: try number("eps"),
        weightDecay: decay, amsgrad: try number("amsgrad") != 0, decoupled: name == "AdamW")
    case "ASGD":
      return ASGD(
        lambda: try number("lambd"), alpha: try number("alpha"), start: try number("t0"),
        weightDecay: decay)
    default:
      throw FixtureError(
        "\(fixture.path):/\(fixture.name)",
        "needs the optimizer \"\(name)\", which this program does not have", cure: "leave it out")
    }
  }

  private static func compareClipping(
    _ fixture: FixtureCase, _ tolerance: TensorComparison.Tolerance
  ) throws(FixtureError) -> [TensorComparison] {
    let (W, b) = (try fixture.array("grad_W"), try fixture.array("grad_b"))
    let gradient = Tensor((W.values + b.values).map { Scalar($0) })
    let norm = clipNorm(of: gradient, to: try fixture.number("max_norm"))
    let expected = try fixture.array("clipped_W").values + fixture.array("clipped_b").values
    return [
      TensorComparison(
        "total_norm", computed: [norm], expected: try fixture.array("total_norm").values,
        tolerance: tolerance),
      TensorComparison(
        "clipped", computed: gradient.array.map { Double($0) }, expected: expected,
        tolerance: tolerance),
    ]
  }
}
