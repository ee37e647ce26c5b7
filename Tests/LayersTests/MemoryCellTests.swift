// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import TestSupport
import Tensors
import Testing

@testable import Layers

/// HiPPO memories against their definition: A and B, made a step by LAPACK.
@Suite struct MemoryCellTests {
  private func random<Scalar: KernelScalar>(_ shape: [Int], seed: UInt64) -> Tensor<Scalar> {
    let tensor = Tensor<Scalar>(shape: shape)
    var stream = RandomStream(seed: seed, purpose: .testing)
    for index in 0..<tensor.count { tensor[index] = Scalar(Float(stream.normal())) }
    return tensor
  }

  /// The result of a scan over inputs [T, rows, M], in the memory's own precision.
  private func scan<Scalar: KernelScalar>(
    _ inputs: Tensor<Scalar>, order: Int, _ method: Discretization, times: Tensor<Double>? = nil,
    maximumSteps: Int = 0
  ) throws -> Tensor<Scalar> {
    let (T, rows, M) = (inputs.shape[0], inputs.shape[1], inputs.shape[2])
    let memory = LegendreMemory<Scalar>(
      channels: M, order: order, newShare: try #require(method.newShare),
      maximumSteps: maximumSteps)
    var (m, after) = (
      Tensor<Scalar>(shape: [rows, M, order]), Tensor<Scalar>(shape: [rows, M, order])
    )
    var (clock, clockAfter) = (Tensor<Scalar>(shape: [rows, 2]), Tensor<Scalar>(shape: [rows, 2]))
    for t in 0..<T {
      memory.advance(
        m, clock: clock, input: inputs.row(t), times: times?.row(t), into: after,
        clockAfter: clockAfter)
      swap(&m, &after)
      swap(&clock, &clockAfter)
    }
    return m
  }

  /// The same by definition: m' = Ā m + B̄ u with the step sizes of each row.
  private func defined(
    _ inputs: Tensor<Double>, order: Int, _ method: Discretization, row: Int, channel: Int,
    size: (Int) -> Double
  ) throws -> [Double] {
    let (a, b) = MemoryMeasure.scaledLegendre.system(order: order)
    let (rows, M) = (inputs.shape[1], inputs.shape[2])
    func input(_ t: Int) -> Double { inputs[(t * rows + row) * M + channel] }
    var m = (0..<order).map { $0 == 0 ? input(0) : 0 }
    for t in 1..<inputs.shape[0] {
      let step = try method.discretize(a, b, step: size(t))
      m = (0..<order).map { n in
        (0..<order).reduce(step.b[n] * input(t)) { $0 + step.a[n, $1] * m[$1] }
      }
    }
    return m
  }

  @Test(arguments: [Discretization.forward, .backward, .bilinear])
  func theScanIsTheDefinition(method: Discretization) throws {
    // The forward method is unstable where a step times the order is large: few coefficients.
    let order = method == .forward ? 4 : 33
    let inputs: Tensor<Double> = random([9, 3, 2], seed: 1)
    let scanned = try scan(inputs, order: order, method, maximumSteps: 5)
    for row in 0..<3 {
      for channel in 0..<2 {
        let expected = try defined(inputs, order: order, method, row: row, channel: channel) {
          1 / Double(min($0, 5))
        }
        expectClose(
          scanned.row(row).row(channel).array, expected, absolute: 1e-11, relative: 1e-10)
      }
    }
  }

  /// Seventy memories fill more than two groups of lanes.
  @Test(arguments: [1, 15, 16, 17, 64])
  func everyBackendDoesWhatDoubleDoes(order: Int) throws {
    let exact: Tensor<Double> = random([12, 35, 2], seed: 2)
    let inputs = Tensor(exact.array.map { Float($0) }, shape: exact.shape)
    let expected = try scan(exact, order: order, .bilinear)
    for backend in KernelBackend.supported {
      try backend.run {
        let computed = try scan(inputs, order: order, .bilinear)
        expectClose(
          computed.array.map { Double($0) }, expected.array, absolute: 1e-5, relative: 1e-5)
      }
    }
  }

  /// Times that stand three units apart are steps; others are what their sizes say.
  @Test func timesAreStepSizes() throws {
    let inputs: Tensor<Double> = random([8, 2, 1], seed: 3)
    let regular = Tensor<Double>((0..<8).flatMap { [3 * Double($0), 0.5 * Double($0)] })
    let timed = try scan(inputs, order: 9, .bilinear, times: regular.reshaped([8, 2]))
    expectClose(
      timed.array, try scan(inputs, order: 9, .bilinear).array, absolute: 1e-13, relative: 1e-12)

    let irregular: [Double] = [0, 0.5, 0.75, 3, 3, 3.25, 8, 8.5]
    let times = Tensor<Double>(irregular.flatMap { [$0, $0 * $0] }, shape: [8, 2])
    let memories = try scan(inputs, order: 9, .bilinear, times: times)
    for row in 0..<2 {
      let expected = try defined(inputs, order: 9, .bilinear, row: row, channel: 0) { t in
        let (now, before) = (times[2 * t + row], times[2 * (t - 1) + row])
        return (now - before) / now
      }
      expectClose(memories.row(row).array, expected, absolute: 1e-11, relative: 1e-10)
    }
  }

  /// A constant is the polynomial of degree 0, whose other coefficients are zero.
  @Test func aConstantIsRememberedAsItIs() throws {
    let inputs = Tensor<Double>(shape: [200, 1, 1])
    inputs.fill(0.7)
    let memory = try scan(inputs, order: 32, .bilinear).array
    expectClose(memory, [0.7] + Array(repeating: 0, count: 31), absolute: 1e-12, relative: 0)
  }

  private func layer<Scalar: KernelScalar>(
    _ name: String, as _: Scalar.Type, _ change: (inout MemoryConstants) -> Void
  ) throws -> LayerProblem<Scalar> {
    var constants = CellConstants()
    change(&constants.memory)
    return try LayerProblem(
      try #require(RecurrentSystem(named: name)), steps: 6, rows: 3, inputs: 2, hidden: 4,
      constants: constants)
  }

  /// Several channels, an order that is not the number of units, every discretisation and form.
  @Test(
    arguments: ["hippo_legs", "hippo_legt", "hippo_lagt", "lmu", "lmu_gated"],
    Discretization.allCases)
  func gradientsAreThoseOfCentralDifferences(name: String, method: Discretization) throws {
    for form in name == "hippo_legs" ? MemoryConstants.Form.allCases : [.scan] {
      let problem = try layer(name, as: Double.self) {
        ($0.order, $0.channels, $0.discretization, $0.form) = (5, 2, method, form)
        $0.step = 0.05
      }
      try problem.expectGradientsOfCentralDifferences("\(name) \(method) \(form)")
    }
  }

  @Test func bothFormsOfALayerGiveTheSame() throws {
    func run(_ form: MemoryConstants.Form) throws -> LayerProblem<Double>.Passed {
      try layer("hippo_legs", as: Double.self) {
        ($0.order, $0.channels, $0.form, $0.maximumSteps) = (7, 3, form, 4)
      }.run()
    }
    let (scanned, dense) = (try run(.scan), try run(.dense))
    for (a, b) in [
      (scanned.pass.output, dense.pass.output), (scanned.dx, dense.dx),
      (scanned.gradients.flat, dense.gradients.flat),
    ] {
      expectClose(a.array, b.array, absolute: 1e-12, relative: 1e-10)
    }
  }

  /// The estimated memory of a run counts the matrices of the dense form: one for each step of a
  /// scaled memory, up to the longest sequence.
  @Test func theMatricesOfTheDenseFormAreCounted() throws {
    func numbers(_ form: MemoryConstants.Form, steps: Int) throws -> Double {
      try layer("hippo_legs", as: Float.self) {
        ($0.order, $0.form, $0.maximumSteps) = (7, form, 9)
      }.layer.workingNumbers(steps: steps, rows: 2, threads: 1, isTraining: true)
    }
    for (steps, matrices) in [(4, 4), (10, 10), (30, 10)] {
      let difference = try numbers(.dense, steps: steps) - numbers(.scan, steps: steps)
      #expect(difference == Double(2 * matrices * 7 * 7), "\(steps) steps")
    }
  }

  @Test func aGroupedProductMapsEachPartByItself() {
    let product = CellProduct("w", bias: nil, of: .state(1), width: 4, groups: 2)
    let weight = Tensor<Double>([1, 2, 3, 4, 5, 6, 7, 8], shape: [4, 2])
    let whole = GroupedWeight(product).blockDiagonal(weight)
    #expect(whole.array == [1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 5, 6, 0, 0, 7, 8])
    let back = Tensor<Double>(shape: [4, 2])
    whole[2] = 100  // the numbers between the groups are left out
    GroupedWeight(product).addBlocks(of: whole, to: back)
    #expect(back.array == weight.array)
  }

  /// Times go from the input to the memory, pieces go on where they were, and what stands in the
  /// place of a time beyond a row's end does no harm.
  @Test func aLayerReadsTimes() throws {
    let problem = try layer("hippo_legs", as: Float.self) { $0.order = 5 }
    let rows: [[Double]] = (0..<6).map { t in
      let now = Double(t)
      return [now, now * now, t < 3 ? now : 0]
    }
    let times = Tensor<Double>(rows.flatMap { $0 }, shape: [6, 3])
    func run(
      _ steps: Range<Int>, from state: LayerState<Float>?, times: Tensor<Double>?
    ) -> any LayerPass<Float> {
      var input = SequenceInput(
        problem.x.rows(steps), lengths: [6, 6, 3], firstStep: steps.lowerBound)
      input.times = times?.rows(steps)
      return problem.layer.forward(
        input, from: state, problem.parameters, keeping: [.activations, .finalState],
        in: Workspace())
    }
    let whole = run(0..<6, from: nil, times: times)
    let plain = run(0..<6, from: nil, times: nil)
    #expect(problem.cut(whole.output, 0..<1).array == problem.cut(plain.output, 0..<1).array)
    #expect(problem.cut(whole.output, 1..<2).array != problem.cut(plain.output, 1..<2).array)
    let first = run(0..<2, from: nil, times: times)
    let second = run(2..<6, from: try #require(first.final), times: times)
    #expect(second.output.array == whole.output.rows(2..<6).array)

    let gradients = ShardedBuffer<Float>(problem.layout, shards: 1)
    let dy = Tensor<Float>(shape: whole.output.shape)
    dy.row(2).fill(1)
    let dx = whole.backward(
      OutputGradient(steps: dy), into: gradients, wantsInput: true, initial: nil)
    #expect(try #require(dx).array.allSatisfy { $0.isFinite })
    #expect(gradients.flat.array.allSatisfy { $0.isFinite })
  }
}
