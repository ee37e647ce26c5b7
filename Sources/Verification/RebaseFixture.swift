// SPDX-License-Identifier: Apache-2.0

import Layers
import Kernels
import Optimizers
import Tensors

/// A case of `dtriv_rebase`: an orthogonal matrix over several optimizer steps, through rebases and
/// projections, with the exact gradient or that of the authors' code.
enum RebaseFixture<Scalar: KernelScalar> {
  static func compare(
    _ fixture: FixtureCase, strict: Bool
  ) throws(FixtureError) -> [TensorComparison]? {
    guard fixture.system == "dtriv_rebase" else { return nil }
    let n = try fixture.size("n")
    let compat = try fixture.number("compat") != 0
    let kernel = OrthogonalKernel<Scalar>(
      hidden: n,
      settings: OrthogonalSettings(
        isDynamic: true, rebaseEvery: Int(try fixture.number("K")),
        projectEvery: try fixture.size("M"), rebaseGradient: compat ? .compat : .exact))
    kernel.base.copy(from: try fixture.array("base0", shape: [n, n]).values(as: Scalar.self))
    var layout = ParameterLayout()
    layout.add("A", shape: [n, n])
    let parameters = ParameterBuffer<Scalar>(layout)
    let A = parameters["A"]
    A.copy(from: try fixture.array("A0", shape: [n, n]).values(as: Scalar.self))
    let optimizer = Optimizer<Scalar>(
      RMSProp(alpha: try fixture.number("alpha"), epsilon: try fixture.number("eps")),
      learningRate: try fixture.number("lr"), layout: layout)

    var comparisons: [TensorComparison] = []
    func check(_ name: String, _ step: Int, _ values: [Scalar]) throws(FixtureError) {
      let expected = try fixture.array(name).values
      comparisons.append(
        TensorComparison(
          "\(name)[\(step)]", computed: values.map { Double($0) },
          expected: Array(expected[step * n * n..<(step + 1) * n * n]),
          tolerance: strict ? .elementwise(absolute: 1e-10, relative: 1e-9) : .normwise(1e-5)))
    }
    let upstream = try fixture.array("upstream").values(as: Scalar.self)
    for step in 0..<(try fixture.size("steps")) {
      try check("A_before", step, A.array)
      let G = upstream[step * n * n..<(step + 1) * n * n]
      let gradient = Tensor<Scalar>(shape: [n, n])
      do {
        try kernel.prepare(A, advancing: true)
        // The kernel uses Pᵀ, the file P.
        gradient.copy(from: transposed(Array(G), n))
        try kernel.finishGradient(gradient)
      } catch {
        throw FixtureError(
          "\(fixture.path):/\(fixture.name)", "\(error)", cure: "fix the file")
      }
      try check("B", step, transposed(kernel.recurrentWeight.array, n))
      try check("base_after", step, kernel.base.array)
      try check("A_at_grad", step, A.array)
      try check("grad_A", step, gradient.array)
      optimizer.update(parameters, gradients: gradient.elements(0..<n * n))
      try check("A_after", step, A.array)
    }
    return comparisons
  }

  private static func transposed(_ values: [Scalar], _ n: Int) -> [Scalar] {
    (0..<n * n).map { values[$0 % n * n + $0 / n] }
  }
}
