import KernelInterface
import Kernels
import RandomNumbers
import Tensors
import TestSupport
import Testing

@testable import Cells

/// A layer with random weights, input and states, and a loss that uses every output.
struct LayerProblem {
  let geometry: LayerGeometry
  let layout: ParameterLayout
  let parameters: ParameterBuffer<Double>
  let x: Tensor<Double>
  let initial: RecurrentState<Double>
  let dy: Tensor<Double>
  let dFinal: RecurrentState<Double>

  init(_ system: RecurrentSystem, steps T: Int, rows N: Int, inputs C: Int, hidden H: Int) {
    geometry = LayerGeometry(
      steps: T, rows: N, inputs: C, hidden: H,
      drive: system.drive(mu: 0.6, epsilon: 0.7, beta: 0.9, restart: 3), body: system.body)
    var layout = ParameterLayout()
    let GH = geometry.gateWidth
    layout.add("W_ih", shape: [GH, C])
    layout.add("W_hh", shape: [GH, H])
    layout.add("b_ih", shape: [GH])
    layout.add("b_hh", shape: [GH])
    self.layout = layout
    var stream = RandomStream(seed: 11, purpose: .testing)
    func random(_ tensor: Tensor<Double>, positive: Bool = false) {
      for index in 0..<tensor.count {
        tensor[index] = positive ? stream.uniform(in: 0.1..<1) : 0.6 * stream.normal()
      }
    }
    parameters = ParameterBuffer(layout)
    random(parameters.flat)
    x = Tensor(shape: [T, N, C])
    random(x)
    dy = Tensor(shape: [T, N, H])
    random(dy)
    initial = RecurrentState(zerosFor: geometry)
    for (name, tensor) in initial.named { random(tensor, positive: name == "s") }
    dFinal = RecurrentState(zerosFor: geometry)
    for (_, tensor) in dFinal.named { random(tensor) }
  }

  var weights: RecurrentLayerWeights<Double> {
    RecurrentLayerWeights(
      input: parameters["W_ih"], recurrent: parameters["W_hh"], inputBias: parameters["b_ih"],
      recurrentBias: parameters["b_hh"])
  }

  var entries: RecurrentLayerEntries {
    RecurrentLayerEntries(
      input: layout["W_ih"]!, recurrent: layout["W_hh"]!, inputBias: layout["b_ih"],
      recurrentBias: layout["b_hh"])
  }

  func forward(
    saved: Tensor<Double>? = nil
  ) -> (y: Tensor<Double>, final: RecurrentState<Double>, loss: Double) {
    let y = Tensor<Double>(shape: dy.shape)
    let final = RecurrentState<Double>(zerosFor: geometry)
    RecurrentLayerKernels.forward(
      geometry, weights: weights, x: x, initial: initial, y: y, saved: saved, final: final)
    var loss = zip(y.array, dy.array).reduce(0) { $0 + $1.0 * $1.1 }
    for (a, b) in zip(final.named, dFinal.named) {
      loss += zip(a.tensor.array, b.tensor.array).reduce(0) { $0 + $1.0 * $1.1 }
    }
    return (y, final, loss)
  }

  func backward(
    rowStarts: [Int]
  ) -> (gradients: ShardedBuffer<Double>, dx: Tensor<Double>, initial: RecurrentState<Double>) {
    let saved = Tensor<Double>(shape: [RecurrentLayerKernels<Double>.savedCount(geometry)])
    let (y, _, _) = forward(saved: saved)
    // A shard for each run of rows.
    let gradients = ShardedBuffer<Double>(layout, shards: rowStarts.count - 1)
    let dx = Tensor<Double>(shape: x.shape)
    let dInitial = RecurrentState<Double>(zerosFor: geometry)
    RecurrentLayerKernels.backward(
      geometry, weights: weights, x: x, initial: initial, y: y, saved: saved, dy: dy,
      finalGradient: dFinal, entries: entries, gradients: gradients, rowStarts: rowStarts, dx: dx,
      initialGradient: dInitial)
    return (gradients, dx, dInitial)
  }
}

@Suite struct RecurrentSystemTests {
  static let systems = RecurrentSystem.all.filter { $0.orthogonal == nil }

  /// Central differences of every weight, the input and every initial state, for every system.
  @Test(arguments: systems.map(\.name)) func gradientsAreThoseOfCentralDifferences(
    name: String
  ) throws {
    let system = try #require(RecurrentSystem(named: name))
    let problem = LayerProblem(system, steps: 4, rows: 2, inputs: 2, hidden: 3)
    let (gradients, dx, dInitial) = problem.backward(rowStarts: [0, 2])
    let loss = { problem.forward().loss }
    for entry in problem.layout.entries {
      checkGradient(
        "\(name) \(entry.name)", of: problem.parameters[entry],
        gradient: gradients[0][entry].array, loss: loss)
    }
    checkGradient("\(name) x", of: problem.x, gradient: dx.array, loss: loss)
    for (state, gradient) in zip(problem.initial.named, dInitial.named) {
      checkGradient(
        "\(name) initial \(state.name)", of: state.tensor, gradient: gradient.tensor.array,
        loss: loss)
    }
  }

  /// A sequence in pieces, with the state carried and the step count going on, equals the whole
  /// bit for bit, for every system, in the scalar reference and in the SIMD kernels.
  @Test(arguments: RecurrentSystem.all.map(\.name), [[1, 1, 1, 1, 1, 1, 1], [3, 4], [1, 5, 1]])
  func aSequenceInPiecesEqualsTheWhole(name: String, pieces: [Int]) throws {
    let system = try #require(RecurrentSystem(named: name))
    try expectPiecesEqualWhole(system, pieces, as: Double.self)
    try expectPiecesEqualWhole(system, pieces, as: Float.self)
  }

  private func expectPiecesEqualWhole<Scalar: KernelScalar>(
    _ system: RecurrentSystem, _ pieces: [Int], as _: Scalar.Type
  ) throws {
    let (T, N, C, H) = (pieces.reduce(0, +), 3, 2, 5)
    let layer = RecurrentLayer<Scalar>(
      drive: system.drive(mu: 0.6, epsilon: 0.7, beta: 0.9, restart: 3), body: system.body,
      orthogonal: system.orthogonal, inputs: C, hidden: H, prefix: "", suffix: "")
    var layout = ParameterLayout()
    layer.declare(in: &layout)
    let parameters = ParameterBuffer<Scalar>(layout)
    var stream = RandomStream(seed: 5, purpose: .testing)
    layer.initialize(parameters, gateBias: 1, stream: &stream)
    try layer.prepare(parameters, advancing: false)
    let x = Tensor<Scalar>(shape: [T, N, C])
    for index in 0..<x.count { x[index] = Scalar(stream.normal()) }

    func run(_ steps: Range<Int>, from state: RecurrentState<Scalar>) -> (
      y: Tensor<Scalar>, final: RecurrentState<Scalar>
    ) {
      var geometry = layer.geometry(steps: steps.count, rows: N)
      geometry.drive.firstStep = steps.lowerBound
      let y = Tensor<Scalar>(shape: [steps.count, N, H])
      let final = RecurrentState<Scalar>(zerosFor: geometry)
      RecurrentLayerKernels.forward(
        geometry, weights: layer.weights(parameters), x: x.rows(steps), initial: state, y: y,
        saved: nil, final: final)
      return (y, final)
    }
    let zero = RecurrentState<Scalar>(zerosFor: layer.geometry(steps: T, rows: N))
    let whole = run(0..<T, from: zero)
    var (state, first) = (zero, 0)
    for count in pieces {
      let piece = run(first..<first + count, from: state)
      #expect(piece.y.array == whole.y.rows(first..<first + count).array, "from step \(first)")
      (state, first) = (piece.final, first + count)
    }
    for (a, b) in zip(state.named, whole.final.named) {
      #expect(a.tensor.array == b.tensor.array, "the final \(a.name)")
    }
  }

  /// What each name promises of its drive, whatever the other constants are set to.
  @Test func namesKeepTheirPromises() {
    for system in RecurrentSystem.all {
      let drive = system.drive(mu: 0.3, epsilon: 0.4, beta: 0.5, restart: 7)
      if system.name.hasPrefix("nag") { #expect(drive.restart == 0, "\(system.name)") }
      if system.name.hasPrefix("sr") { #expect(drive.restart == 7, "\(system.name)") }
      if system.name.hasPrefix("rmsprop") { #expect(drive.mu == 0 && drive.beta == 0.5) }
      if system.name.hasPrefix("adam") { #expect(drive.mu == 0.3 && drive.beta == 0.5) }
      #expect(drive.kind == .plain || drive.epsilon == 0.4, "\(system.name)")
    }
  }

  /// One step, one row, one unit; and a restart that never comes.
  @Test(arguments: systems.map(\.name)) func smallestSizes(name: String) throws {
    let system = try #require(RecurrentSystem(named: name))
    for (T, N, C, H) in [(1, 1, 1, 1), (2, 1, 3, 1), (1, 3, 1, 2)] {
      let problem = LayerProblem(system, steps: T, rows: N, inputs: C, hidden: H)
      let (gradients, dx, _) = problem.backward(rowStarts: [0, N])
      checkGradient(
        "\(name) x", of: problem.x, gradient: dx.array, loss: { problem.forward().loss })
      checkGradient(
        "\(name) weights", of: problem.parameters.flat, gradient: gradients[0].flat.array,
        loss: { problem.forward().loss })
    }
  }

  /// The gradients of shards, some without rows, add up to the gradient of all rows.
  @Test func shardGradientsAddUp() {
    let system = RecurrentSystem(named: "momentum_lstm")!
    let problem = LayerProblem(system, steps: 5, rows: 6, inputs: 2, hidden: 3)
    let whole = problem.backward(rowStarts: [0, 6]).gradients[0].flat.array
    let parts = problem.backward(rowStarts: [0, 2, 2, 5, 6]).gradients
    let sum = (0..<whole.count).map { index in
      (0..<4).reduce(0) { $0 + parts[$1].flat[index] }
    }
    expectClose(sum, whole, absolute: 1e-12, relative: 1e-12)
    #expect(parts[1].flat.array.allSatisfy { $0 == 0 }, "a shard without rows")
  }

  /// Carrying the state from one chunk to the next is the same as one long sequence.
  @Test func statesCarryOver() {
    // No Nesterov drive: its counter starts anew with every chunk.
    for name in ["lstm", "gru", "momentum_lstm", "adam_lstm", "rnn_tanh"] {
      let system = RecurrentSystem(named: name)!
      let whole = LayerProblem(system, steps: 6, rows: 2, inputs: 2, hidden: 3)
      var shorter = whole.geometry
      shorter.steps = 3
      let first = RecurrentState<Double>(zerosFor: shorter)
      let second = RecurrentState<Double>(zerosFor: shorter)
      for (rows, initial, final) in [(0..<3, whole.initial, first), (3..<6, first, second)] {
        RecurrentLayerKernels.forward(
          shorter, weights: whole.weights, x: whole.x.rows(rows), initial: initial, y: nil,
          saved: nil, final: final)
      }
      for (a, b) in zip(second.named, whole.forward().final.named) {
        expectClose(a.tensor.array, b.tensor.array, "\(name) \(a.name)")
      }
    }
  }

  /// AdamLSTM with no drive at all: d = 0, and its derivative by the drive is ε/1e-8.
  @Test func theAdamDriveAtZeroHasTheDocumentedSlope() {
    let system = RecurrentSystem(named: "adam_rnn")!
    let problem = LayerProblem(system, steps: 1, rows: 1, inputs: 1, hidden: 1)
    for tensor in [problem.x, problem.parameters["b_ih"]] { tensor.fill(0) }
    for (_, tensor) in problem.initial.named { tensor.fill(0) }
    for (name, tensor) in problem.dFinal.named where name != "h" { tensor.fill(0) }
    let gradients = problem.backward(rowStarts: [0, 1]).gradients[0]
    let (y, _, _) = problem.forward()
    let upstream = problem.dy[0] + problem.dFinal.hidden[0]
    let expected = upstream * (1 - y[0] * y[0]) * 0.7 * 1e8
    expectClose(gradients["b_ih"].array, [expected], relative: 1e-9)
  }
}

@Suite struct InitializationTests {
  @Test func theAuthorsStart() {
    let layer = RecurrentLayer<Double>(
      drive: DriveParameters(.momentum, mu: 0.6, epsilon: 0.6), body: .lstm, inputs: 5, hidden: 3,
      prefix: "rnn.", suffix: "_l0")
    var layout = ParameterLayout()
    layer.declare(in: &layout)
    let parameters = ParameterBuffer<Double>(layout)
    var stream = RandomStream(seed: 1, purpose: .initialization)
    layer.initialize(parameters, gateBias: 1, stream: &stream)
    let W = parameters["rnn.weight_ih_l0"]
    for a in 0..<5 {
      for b in 0..<5 {
        let product = (0..<12).reduce(0) { $0 + W[$1 * 5 + a] * W[$1 * 5 + b] }
        expectClose([product], [a == b ? 1 : 0], absolute: 1e-14)
      }
    }
    // The identity of a [12, 3] matrix: the input gate gets ones, the others zeros.
    let U = parameters["rnn.weight_hh_l0"].array
    #expect(U == (0..<36).map { $0 % 4 == 0 && $0 < 9 ? 1 : 0 })
    #expect(
      parameters["rnn.bias_ih_l0"].array == [0, 0, 0, 1, 1, 1] + Array(repeating: 0, count: 6))
    #expect(parameters["rnn.bias_hh_l0"].array == parameters["rnn.bias_ih_l0"].array)
  }

  @Test func wideMatricesGetOrthonormalRows() {
    let W = Tensor<Double>(shape: [2, 7])
    var stream = RandomStream(seed: 1, purpose: .initialization)
    Initialization.orthogonal(W, stream: &stream)
    let dot = (0..<7).reduce(0) { $0 + W[$1] * W[7 + $1] }
    let norm = (0..<7).reduce(0) { $0 + W[$1] * W[$1] }
    expectClose([dot, norm], [0, 1], absolute: 1e-14)
  }
}
