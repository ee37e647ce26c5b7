import KernelInterface
import Kernels
import Layers
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
    let layer: any SequenceLayer<Scalar> = LayerSpecification(
      try factory(system, fixture), hidden: H
    ).layer(inputs: C, named: LayerName(prefix: "", suffix: ""))
    let parameters = try read(layer, fixture)
    do {
      try layer.prepare(parameters, advancing: false)
    } catch {
      throw FixtureError("\(fixture.path):/\(fixture.name)", "\(error)", cure: "mend the file")
    }

    let x = Tensor(
      try fixture.array("input/x", shape: [T, N, C]).values(as: Scalar.self), shape: [T, N, C])
    let initial = try state(layer, rows: N, fixture, prefix: "initial/")
    let pass = layer.forward(
      SequenceInput(x), from: initial, parameters, keeping: [.activations, .finalState],
      in: Workspace())
    let dy = Tensor(
      try fixture.array("upstream/y", shape: [T, N, H]).values(as: Scalar.self), shape: [T, N, H])
    let upstream = OutputGradient(
      steps: dy, final: try state(layer, rows: N, fixture, prefix: "upstream/final_"))

    // The file has the gradient of all rows together: they are one shard.
    let gradients = ShardedBuffer<Scalar>(parameters.layout, shards: 1)
    let initialGradient = layer.startState(rows: N)
    // The loss before the gradients, which may be written over.
    let terms = terms(pass, upstream)
    let dx = pass.backward(upstream, into: gradients, wantsInput: true, initial: initialGradient)!
    do {
      try layer.finishGradients(gradients[0])
    } catch {
      throw FixtureError("\(fixture.path):/\(fixture.name)", "\(error)", cure: "mend the file")
    }

    var check = Comparisons(
      fixture: fixture, tolerance: tolerance(initial, strict: strict), strict: strict)
    try check.loss(terms)
    try check.add("y", pass.output)
    for (name, tensor) in pass.final!.named { try check.add("final_\(name)", tensor) }
    try check.add("grad_x", dx)
    for entry in parameters.layout.entries {
      let theirs = Stored(entry.name, fixture)
      try check.add("grad_params/\(theirs.name)", theirs.turned(gradients[0][entry]))
    }
    for (name, tensor) in initialGradient.named { try check.add("grad_initial/\(name)", tensor) }
    return check.done
  }

  private static func factory(
    _ system: RecurrentSystem, _ fixture: FixtureCase
  ) throws(FixtureError) -> any LayerFactory {
    // A file says what its drive does, whatever a configuration may set for the name.
    guard case .fused(let drive, let body, var orthogonal) = system.design else {
      return system.layers(
        CellConstants(window: Int(try fixture.optionalNumber("k") ?? 1)))
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

  /// The layer's parameters from the file, and the base of an orthogonal matrix.
  private static func read(
    _ layer: any SequenceLayer<Scalar>, _ fixture: FixtureCase
  ) throws(FixtureError) -> ParameterBuffer<Scalar> {
    var layout = ParameterLayout()
    layer.declare(in: &layout)
    let parameters = ParameterBuffer<Scalar>(layout)
    for entry in layout.entries {
      let theirs = Stored(entry.name, fixture)
      let shape = theirs.isTurned(entry.shape) ? entry.shape.reversed() : entry.shape
      let array = try fixture.array("params/\(theirs.name)", shape: shape)
      parameters[entry].copy(
        from: theirs.turned(Tensor(array.values(as: Scalar.self), shape: shape)))
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
    for (name, tensor) in state.named {
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

  /// What the loss is the sum of: the products of what came out with its upstream gradients.
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

  /// How the file keeps a parameter of ours.
  private struct Stored {
    let name: String
    private let keepsColumns: Bool

    init(_ own: String, _ fixture: FixtureCase) {
      let names = [
        "weight_ih": fixture.has("params/W_in") ? "W_in" : "W_ih", "weight_hh": "W_hh",
        "skew": "A", "bias_ih": "b_ih", "bias_hh": "b_hh", "bias": "b",
      ]
      name = names[own] ?? own
      // The authors of the normalised LSTM have a column for each gate's unit.
      keepsColumns = fixture.keepsColumns
    }

    func isTurned(_ shape: [Int]) -> Bool { keepsColumns && shape.count == 2 }

    /// A matrix turned about its diagonal, where the file has it so; it is its own inverse.
    func turned(_ tensor: Tensor<Scalar>) -> Tensor<Scalar> {
      guard isTurned(tensor.shape) else { return tensor }
      let (rows, columns) = (tensor.shape[0], tensor.shape[1])
      let result = Tensor<Scalar>(shape: [columns, rows])
      for row in 0..<rows {
        for column in 0..<columns { result[column * rows + row] = tensor[row * columns + column] }
      }
      return result
    }
  }

  /// What has been compared so far.
  private struct Comparisons {
    let fixture: FixtureCase
    let tolerance: TensorComparison.Tolerance
    let strict: Bool
    var done: [TensorComparison] = []

    /// The loss is a sum of either sign: in Float its error is judged by what was summed.
    mutating func loss(_ terms: [Double]) throws(FixtureError) {
      let summed = terms.reduce(0) { $0 + abs($1) }
      done.append(
        TensorComparison(
          "loss", computed: [terms.reduce(0, +)],
          expected: try fixture.array("expected/loss").values,
          tolerance: strict ? tolerance : .elementwise(absolute: 1e-5 * summed, relative: 0)))
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
