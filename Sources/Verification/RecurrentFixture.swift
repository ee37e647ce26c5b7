import Cells
import KernelInterface
import Kernels
import Tensors

/// A case of a recurrent system: our layer on its weights, input, initial state and upstream
/// gradients, against its outputs, final state and every gradient.
enum RecurrentFixture<Scalar: KernelScalar> {
  /// - Returns: nil if the case is of no recurrent system that we have
  static func compare(
    _ fixture: FixtureCase, strict: Bool
  ) throws(FixtureError) -> [TensorComparison]? {
    guard let system = RecurrentSystem(named: fixture.system) else { return nil }
    let (T, N) = (try fixture.size("T"), try fixture.size("B"))
    let (C, H) = (try fixture.size("I"), try fixture.size("H"))
    let geometry = LayerGeometry(
      steps: T, rows: N, inputs: C, hidden: H,
      drive: DriveParameters(
        system.drive, mu: try fixture.optionalNumber("mu") ?? 0,
        epsilon: try fixture.optionalNumber("epsilon") ?? 1,
        beta: try fixture.optionalNumber("beta") ?? 0,
        restart: Int(try fixture.optionalNumber("restart") ?? 0)),
      body: system.body)

    let problem =
      try system.orthogonal == nil
      ? free(geometry, fixture) : orthogonal(geometry, fixture)
    let (layout, weights) = (problem.layout, problem.weights)

    let x = Tensor(
      try fixture.array("input/x", shape: [T, N, C]).values(as: Scalar.self), shape: [T, N, C])
    let initial = try state(geometry, fixture, prefix: "initial/")
    let y = Tensor<Scalar>(shape: [T, N, H])
    let saved = Tensor<Scalar>(shape: [RecurrentLayerKernels<Scalar>.savedCount(geometry)])
    let final = RecurrentState<Scalar>(zerosFor: geometry)
    RecurrentLayerKernels.forward(
      geometry, weights: weights, x: x, initial: initial, y: y, saved: saved, final: final)

    let upstream = try fixture.array("upstream/y", shape: [T, N, H])
    let dy = Tensor(upstream.values(as: Scalar.self), shape: [T, N, H])
    let finalGradient = try state(geometry, fixture, prefix: "upstream/final_")
    // The file has the gradient of all rows together: they are one shard.
    let gradients = ShardedBuffer<Scalar>(layout, shards: 1)
    let dx = Tensor<Scalar>(shape: [T, N, C])
    let initialGradient = RecurrentState<Scalar>(zerosFor: geometry)
    RecurrentLayerKernels.backward(
      geometry, weights: weights, x: x, initial: initial, y: y, saved: saved, dy: dy,
      finalGradient: finalGradient,
      entries: problem.entries, gradients: gradients, rowStarts: [0, N], dx: dx,
      initialGradient: initialGradient)
    do {
      try problem.kernel?.finishGradient(gradients[0]["A"])
    } catch {
      throw FixtureError("\(fixture.path):/\(fixture.name)", "\(error)", cure: "mend the file")
    }

    var terms = products(y, dy)
    for (mine, up) in zip(final.named, finalGradient.named) {
      terms += products(mine.tensor, up.tensor)
    }

    let tolerance = tolerance(geometry, initial: initial, strict: strict)
    var comparisons: [TensorComparison] = []
    func check(_ name: String, _ tensor: Tensor<Scalar>) throws(FixtureError) {
      let expected = try fixture.array("expected/\(name)", shape: tensor.shape)
      comparisons.append(
        TensorComparison(
          name, computed: tensor.array.map { Double($0) }, expected: expected.values,
          tolerance: tolerance))
    }
    // The loss is a sum of either sign: in Float its error is judged by what was summed.
    let summed = terms.reduce(0) { $0 + abs($1) }
    comparisons.append(
      TensorComparison(
        "loss", computed: [terms.reduce(0, +)],
        expected: try fixture.array("expected/loss").values,
        tolerance: strict ? tolerance : .elementwise(absolute: 1e-5 * summed, relative: 0)))
    try check("y", y)
    for (name, tensor) in final.named { try check("final_\(name)", tensor) }
    try check("grad_x", dx)
    for entry in layout.entries { try check("grad_params/\(entry.name)", gradients[0][entry]) }
    for (name, tensor) in initialGradient.named { try check("grad_initial/\(name)", tensor) }
    return comparisons
  }

  /// The weights of a case under the names of its file.
  private struct Problem {
    var layout: ParameterLayout
    var weights: RecurrentLayerWeights<Scalar>
    var entries: RecurrentLayerEntries
    var kernel: OrthogonalKernel<Scalar>?
  }

  private static func read(
    _ layout: ParameterLayout, _ fixture: FixtureCase
  ) throws(FixtureError) -> ParameterBuffer<Scalar> {
    let parameters = ParameterBuffer<Scalar>(layout)
    for entry in layout.entries {
      let array = try fixture.array("params/\(entry.name)", shape: entry.shape)
      parameters[entry].copy(from: array.values(as: Scalar.self))
    }
    return parameters
  }

  private static func free(
    _ geometry: LayerGeometry, _ fixture: FixtureCase
  ) throws(FixtureError) -> Problem {
    let (C, H, GH) = (geometry.inputs, geometry.hidden, geometry.gateWidth)
    var layout = ParameterLayout()
    layout.add("W_ih", shape: [GH, C])
    layout.add("W_hh", shape: [GH, H])
    layout.add("b_ih", shape: [GH])
    layout.add("b_hh", shape: [GH])
    let parameters = try read(layout, fixture)
    return Problem(
      layout: layout,
      weights: RecurrentLayerWeights(
        input: parameters["W_ih"], recurrent: parameters["W_hh"], inputBias: parameters["b_ih"],
        recurrentBias: parameters["b_hh"]),
      entries: RecurrentLayerEntries(
        input: layout["W_ih"]!, recurrent: layout["W_hh"]!, inputBias: layout["b_ih"],
        recurrentBias: layout["b_hh"]))
  }

  private static func orthogonal(
    _ geometry: LayerGeometry, _ fixture: FixtureCase
  ) throws(FixtureError) -> Problem {
    let (C, H) = (geometry.inputs, geometry.hidden)
    var layout = ParameterLayout()
    layout.add("W_in", shape: [H, C])
    layout.add("A", shape: [H, H])
    layout.add("b", shape: [H])
    let parameters = try read(layout, fixture)
    let map: OrthogonalSettings.Map =
      try fixture.text("param") == "cayley" ? .cayley : .exponential
    let kernel = OrthogonalKernel<Scalar>(
      hidden: H, settings: OrthogonalSettings(map: map, isDynamic: false))
    kernel.base.copy(
      from: try fixture.array("constants/base", shape: [H, H]).values(as: Scalar.self))
    do {
      try kernel.prepare(parameters["A"], advancing: false)
    } catch {
      throw FixtureError("\(fixture.path):/\(fixture.name)", "\(error)", cure: "mend the file")
    }
    return Problem(
      layout: layout,
      weights: RecurrentLayerWeights(
        input: parameters["W_in"], recurrent: kernel.recurrentWeight, unitBias: parameters["b"]),
      entries: RecurrentLayerEntries(
        input: layout["W_in"]!, recurrent: layout["A"]!, unitBias: layout["b"]),
      kernel: kernel)
  }

  private static func state(
    _ geometry: LayerGeometry, _ fixture: FixtureCase, prefix: String
  ) throws(FixtureError) -> RecurrentState<Scalar> {
    let state = RecurrentState<Scalar>(zerosFor: geometry)
    for (name, tensor) in state.named {
      let array = try fixture.array("\(prefix)\(name)", shape: tensor.shape)
      tensor.copy(from: array.values(as: Scalar.self))
    }
    return state
  }

  /// Double: 1e-10 + 1e-9 |b|, but 1e-8 relative for an Adam drive from a zero state, where digits
  /// cancel. Float: 1e-5 in norm.
  private static func tolerance(
    _ geometry: LayerGeometry, initial: RecurrentState<Scalar>, strict: Bool
  ) -> TensorComparison.Tolerance {
    guard strict else { return .normwise(1e-5) }
    let startsAtZero = initial.secondMoment?.array.allSatisfy { $0 == 0 } ?? false
    return .elementwise(absolute: 1e-10, relative: startsAtZero ? 1e-8 : 1e-9)
  }

  private static func products(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> [Double] {
    zip(a.array, b.array).map { Double($0) * Double($1) }
  }
}
