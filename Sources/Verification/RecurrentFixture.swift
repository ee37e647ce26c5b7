// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Layers
import Tensors

/// A case of a recurrent system: our layer on its weights, input, initial state and upstream
/// gradients, against its outputs, final state and every gradient.
enum RecurrentFixture<Scalar: KernelScalar> {
  /// - Returns: nil if the case is not of one of our recurrent systems
  static func compare(
    _ fixture: FixtureCase, strict: Bool
  ) throws(FixtureError) -> [TensorComparison]? {
    guard let system = RecurrentSystem(named: fixture.system), !system.isEncoder else {
      return nil
    }
    let (T, N) = (try fixture.size("T"), try fixture.size("B"))
    let map =
      system.readsMaps ? [try fixture.size("Y"), try fixture.size("X")] : []
    let C = try fixture.size(system.readsMaps ? "C_in" : "I")
    let H = try fixture.size(system.readsMaps ? "C" : "H")
    let layer: any SequenceLayer<Scalar> = LayerSpecification(
      try factory(system, fixture), hidden: H
    ).layer(inputs: map.reduce(C, *), named: LayerName(prefix: "", suffix: ""))
    let parameters = try read(layer, fixture)
    do {
      try layer.prepare(parameters, advancing: false)
    } catch {
      throw FixtureError("\(fixture.path):/\(fixture.name)", "\(error)", cure: "fix the file")
    }

    let x = Tensor(
      try fixture.array("input/x", shape: [T, N] + map + [C]).values(as: Scalar.self),
      shape: [T, N, map.reduce(C, *)])
    let initial = try state(layer, rows: N, fixture, prefix: "initial/")
    let pass = layer.forward(
      SequenceInput(x), from: initial, parameters, keeping: [.activations, .finalState],
      in: Workspace())
    let dy = Tensor(
      try fixture.array("upstream/y", shape: [T, N] + layer.features).values(as: Scalar.self),
      shape: [T, N] + layer.features)
    let upstream = OutputGradient(
      steps: dy, final: try state(layer, rows: N, fixture, prefix: "upstream/final_"))

    // The file has the gradient of all rows together: they are one shard.
    let gradients = ShardedBuffer<Scalar>(parameters.layout, shards: 1)
    let initialGradient = layer.startState(rows: N)
    // The loss before the gradients, which may be overwritten.
    let terms = terms(pass, upstream)
    let dx = pass.backward(upstream, into: gradients, wantsInput: true, initial: initialGradient)!
    do {
      try layer.finishGradients(gradients[0])
    } catch {
      throw FixtureError("\(fixture.path):/\(fixture.name)", "\(error)", cure: "fix the file")
    }

    var check = Comparisons(
      fixture: fixture, tolerance: tolerance(initial, strict: strict), strict: strict)
    try check.loss(terms)
    try check.add("y", pass.output)
    for (name, tensor) in pass.final!.named where fixture.has("initial/\(name)") {
      try check.add("final_\(name)", tensor)
    }
    try check.add("grad_x", dx.reshaped([T, N] + map + [C]))
    for entry in parameters.layout.entries {
      for theirs in StoredParameter.parts(of: entry.name, entry.shape, fixture) {
        try check.add(theirs, gradients[0][entry])
      }
    }
    for (name, tensor) in initialGradient.named where fixture.has("initial/\(name)") {
      try check.add("grad_initial/\(name)", tensor)
    }
    return check.done
  }

  private static func factory(
    _ system: RecurrentSystem, _ fixture: FixtureCase
  ) throws(FixtureError) -> any LayerFactory {
    // The file defines its drive, regardless of the configuration of that name.
    guard case .fused(let drive, let body, var orthogonal) = system.design else {
      return system.layers(try constants(fixture))
    }
    if orthogonal != nil {
      orthogonal = OrthogonalSettings(
        map: try fixture.text("param") == "cayley" ? .cayley : .exponential, isDynamic: false)
    }
    return FusedLayerFactory(
      drive: DriveParameters(
        drive, mu: try fixture.optionalNumber("mu") ?? 0,
        epsilon: try fixture.optionalNumber("epsilon") ?? 1,
        beta: try fixture.optionalNumber("beta") ?? 0,
        restart: Int(try fixture.optionalNumber("restart") ?? 0)),
      body: body, orthogonal: orthogonal)
  }

  /// The constants of a cell in a file.
  private static func constants(_ fixture: FixtureCase) throws(FixtureError) -> CellConstants {
    var constants = CellConstants(window: Int(try fixture.optionalNumber("k") ?? 1))
    var memory = MemoryConstants()
    memory.order = Int(try fixture.optionalNumber("N") ?? 0)
    memory.channels = Int(try fixture.optionalNumber("M") ?? 1)
    memory.discretization = try fixture.text("method").flatMap { Discretization(rawValue: $0) }
    memory.step = try fixture.optionalNumber("dt") ?? memory.step
    memory.maximumSteps = Int(try fixture.optionalNumber("max_length") ?? 1024)
    constants.memory = memory
    constants.map.height = Int(try fixture.optionalNumber("Y") ?? 1)
    constants.map.width = Int(try fixture.optionalNumber("X") ?? 1)
    constants.map.kernel = Int(try fixture.optionalNumber("kernel") ?? 3)
    return constants
  }

  /// The layer's parameters from the file, and the base of an orthogonal matrix.
  private static func read(
    _ layer: any SequenceLayer<Scalar>, _ fixture: FixtureCase
  ) throws(FixtureError) -> ParameterBuffer<Scalar> {
    var layout = ParameterLayout()
    layer.declare(in: &layout)
    let parameters = ParameterBuffer<Scalar>(layout)
    for entry in layout.entries {
      for theirs in StoredParameter.parts(of: entry.name, entry.shape, fixture) {
        let array = try fixture.array("params/\(theirs.name)")
        let values = try theirs.values(array)
        theirs.own(parameters[entry]).copy(from: values.map { Scalar($0 + theirs.offset) })
      }
      // It is a constant in the reference.
      if entry.name == "decay" {
        parameters[entry].fill(Scalar(try fixture.number("decay")))
      }
    }
    if let base = layer.buffers.first(where: { $0.name == "base" }) {
      base.tensor.copy(
        from: try fixture.array("constants/base", shape: base.tensor.shape).values(as: Scalar.self))
    }
    return parameters
  }

  private static func state(
    _ layer: any SequenceLayer<Scalar>, rows N: Int, _ fixture: FixtureCase, prefix: String
  ) throws(FixtureError) -> LayerState<Scalar> {
    let state = layer.startState(rows: N)
    // States that the reference does not have start at zero.
    for (name, tensor) in state.named where fixture.has("initial/\(name)") {
      let array = try fixture.array("\(prefix)\(name)", shape: tensor.shape)
      tensor.copy(from: array.values(as: Scalar.self))
    }
    return state
  }

  /// Double: 1e-10 + 1e-9 |b|, but 1e-8 relative for an Adam drive from a zero state, where digits
  /// cancel. Float: 1e-5 in norm.
  private static func tolerance(
    _ initial: LayerState<Scalar>, strict: Bool
  ) -> TensorComparison.Tolerance {
    guard strict else { return .normwise(1e-5) }
    let startsAtZero = initial["s"]?.array.allSatisfy { $0 == 0 } ?? false
    return .elementwise(absolute: 1e-10, relative: startsAtZero ? 1e-8 : 1e-9)
  }

  /// The terms of the loss: the products of the outputs with their upstream gradients.
  private static func terms(
    _ pass: any LayerPass<Scalar>, _ upstream: OutputGradient<Scalar>
  ) -> [Double] {
    func products(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> [Double] {
      zip(a.array, b.array).map { Double($0) * Double($1) }
    }
    return zip(pass.final!.named, upstream.final!.named).reduce(
      into: products(pass.output, upstream.steps!)
    ) { $0 += products($1.0.tensor, $1.1.tensor) }
  }

  /// The comparisons so far.
  private struct Comparisons {
    let fixture: FixtureCase
    let tolerance: TensorComparison.Tolerance
    let strict: Bool
    var done: [TensorComparison] = []

    /// The terms of the loss have either sign: in Float its error is relative to the terms.
    mutating func loss(_ terms: [Double]) throws(FixtureError) {
      let summed = terms.reduce(0) { $0 + abs($1) }
      done.append(
        TensorComparison(
          "loss", computed: [terms.reduce(0, +)],
          expected: try fixture.array("expected/loss").values,
          tolerance: strict ? tolerance : .elementwise(absolute: 1e-5 * summed, relative: 0)))
    }

    /// The gradient of a parameter, or of the part of it that the file has under a name.
    mutating func add(
      _ theirs: StoredParameter, _ gradient: Tensor<Scalar>
    ) throws(FixtureError) {
      let expected = try fixture.array("expected/grad_params/\(theirs.name)")
      done.append(
        TensorComparison(
          "grad_params/\(theirs.title)", computed: theirs.own(gradient).array.map { Double($0) },
          expected: try theirs.values(expected), tolerance: tolerance))
    }

    mutating func add(_ name: String, _ tensor: Tensor<Scalar>) throws(FixtureError) {
      let expected = try fixture.array("expected/\(name)", shape: tensor.shape)
      done.append(
        TensorComparison(
          name, computed: tensor.array.map { Double($0) }, expected: expected.values,
          tolerance: tolerance))
    }
  }
}
