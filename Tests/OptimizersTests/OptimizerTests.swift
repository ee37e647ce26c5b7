import Optimizers
import Tensors
import TestSupport
import Testing

@Suite struct OptimizerTests {
  /// f(w) = ½ Σ a_i (w_i - 1)², whose minimum every rule must find.
  @Test(arguments: [
    (SGD(momentum: 0.9) as any UpdateRule, 0.02), (SGD(momentum: 0.9, nesterov: true), 0.02),
    (RMSProp(), 0.01), (RMSProp(alpha: 0.9, momentum: 0.5, centered: true), 0.002),
    (Adam(), 0.05), (Adam(amsgrad: true), 0.05), (Adam(decoupled: true), 0.05),
    (ASGD(), 0.2),
  ])
  func rulesFindTheMinimumOfABowl(rule: any UpdateRule, rate: Double) {
    var layout = ParameterLayout()
    layout.add("w", shape: [3])
    let w = ParameterBuffer<Double>(layout)
    let optimizer = Optimizer<Double>(rule, layout: layout)
    let curvature = [0.5, 1, 3]
    for step in 0..<2000 {
      let gradient = Tensor((0..<3).map { curvature[$0] * (w.flat[$0] - 1) })
      optimizer.update(w, gradients: gradient, learningRate: step < 1500 ? rate : rate / 10)
    }
    expectClose(w.flat.array, [1, 1, 1], absolute: 2e-2, rule.name)
  }

  @Test func clippingLimitsTheNormAndKeepsTheDirection() {
    let gradient = Tensor<Float>([3, 4])
    #expect(clipNorm(of: gradient, to: 1) == 5)
    #expect(abs(norm(of: gradient) - 1) < 1e-5)
    #expect(abs(gradient[0] / gradient[1] - 0.75) < 1e-6)
    let small = Tensor<Float>([0.3, 0.4])
    clipNorm(of: small, to: 1)
    #expect(small.array == [0.3, 0.4])
  }
}
