// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import TestSupport
import Tensors
import Testing

@testable import Layers

/// A layer of a system with random weights, input, state and upstream gradients, with the same
/// numbers in every precision. Every generic test of a layer runs it.
struct LayerProblem<Scalar: KernelScalar> {
  typealias Passed = (
    pass: any LayerPass<Scalar>, gradients: ShardedBuffer<Scalar>, dx: Tensor<Scalar>,
    dInitial: LayerState<Scalar>
  )

  let layer: any SequenceLayer<Scalar>
  let layout: ParameterLayout
  let parameters: ParameterBuffer<Scalar>
  let x: Tensor<Scalar>
  let initial: LayerState<Scalar>
  let dy: Tensor<Scalar>
  let dFinal: LayerState<Scalar>
  /// The states that no gradient goes to.
  let counters: Set<String>

  /// Constants at which every part of a system does something. Windows are carried, so that a
  /// sequence in pieces is the whole.
  static var constants: CellConstants {
    var constants = CellConstants(
      mu: 0.6, epsilon: 0.7, beta: 0.9, restart: 3, window: 4, carryWindow: true)
    (constants.map.height, constants.map.width) = (2, 3)
    // Every kind of node, with an edge back and one around a node.
    constants.graph = try! LayerGraph(
      """
      low: input + high, channels 2, activation relu;
      high: low, channels 3, kernel 2, cell rgc, pool max 2 1;
      side: low, channels 2, stride 2, cell conv_gru;
      mixed: low + side, channels 4, stride 2, separable, norm group 2;
      out: side + high + input + mixed, channels 3, cell time_decay, pool mean 2
      """)
    constants.transformer.layers = 2
    constants.transformer.feedForward = 5
    constants.transformer.contextBackward = 3
    constants.transformer.contextForward = 1
    return constants
  }

  /// - Parameters:
  ///   - C: channels where the input is a map; a cell that adds its input has H of them
  ///   - recomputeEvery: as in `LayerFactory`
  init(
    _ system: RecurrentSystem, steps T: Int, rows N: Int, inputs C: Int, hidden H: Int,
    recomputeEvery: Int = 0, constants: CellConstants = constants
  ) throws {
    var specification = LayerSpecification(system.layers(constants), hidden: H)
    specification.recomputeEvery = recomputeEvery
    let places = system.readsMaps ? constants.map.height * constants.map.width : 1
    layer = specification.layer(
      inputs: places * (system.addsInput ? H : C), named: LayerName(prefix: "", suffix: ""))
    var layout = ParameterLayout()
    layer.declare(in: &layout)
    self.layout = layout
    var stream = RandomStream(seed: 11, purpose: .testing)
    func random(_ tensor: Tensor<Scalar>, positive: Bool = false) {
      for index in 0..<tensor.count {
        tensor[index] = Scalar(
          Float(positive ? stream.uniform(in: 0.1..<1) : 0.6 * stream.normal()))
      }
    }
    parameters = ParameterBuffer(layout)
    random(parameters.flat)
    // A window has K times K as many terms; a chaotic cell would compare rounding errors.
    for entry in layout.entries where entry.shape.count == 4 {
      for index in entry.range { parameters.flat[index] /= Scalar(2 * entry.shape[1]) }
    }
    x = Tensor(shape: [T, N] + layer.inputFeatures)
    random(x)
    dy = Tensor(shape: [T, N] + layer.features)
    random(dy)
    initial = layer.startState(rows: N)
    // From a zero second moment on, the derivative of Adam's quotient is ill-conditioned.
    counters = Set(layer.states.filter { $0.isCounter }.map { $0.name })
    for (name, tensor) in initial.named {
      if counters.contains(name) {
        for index in 0..<tensor.count { tensor[index] = Scalar(1 + index % 2) }
        continue
      }
      let isWindow = name.hasPrefix("window")
      random(tensor, positive: name == "s" || isWindow)
      // How many steps a window holds is a number of steps: none, one or two of the three.
      let columns = tensor.shape.last ?? 0
      for row in 0..<(isWindow ? N : 0) { tensor[(row + 1) * columns - 1] = Scalar(row % 3) }
    }
    dFinal = layer.startState(rows: N)
    for (name, tensor) in dFinal.named where !counters.contains(name) { random(tensor) }
    try layer.prepare(parameters, advancing: false)
  }

  var rows: Int { x.shape[1] }

  /// Runs some rows over some steps.
  func forward(
    rows: Range<Int>? = nil, steps: Range<Int>? = nil, from state: LayerState<Scalar>? = nil,
    rowStarts: [Int]? = nil, keeping: LayerKeeping = [.activations, .finalState]
  ) -> any LayerPass<Scalar> {
    let (rows, steps) = (rows ?? 0..<self.rows, steps ?? 0..<x.shape[0])
    let input = SequenceInput(
      cut(x.rows(steps), rows), firstStep: steps.lowerBound, rowStarts: rowStarts)
    return layer.forward(
      input, from: state ?? initial.rows(rows), parameters, keeping: keeping, in: Workspace())
  }

  /// Runs some rows forward and backward.
  func run(rows: Range<Int>? = nil, rowStarts: [Int]? = nil) throws -> Passed {
    let rows = rows ?? 0..<self.rows
    let starts = rowStarts ?? [0, rows.count]
    let pass = forward(rows: rows, rowStarts: starts)
    let gradients = ShardedBuffer<Scalar>(layout, shards: starts.count - 1)
    let dInitial = layer.startState(rows: rows.count)
    let dx = pass.backward(
      OutputGradient(steps: cut(dy, rows), final: dFinal.rows(rows).copied()), into: gradients,
      wantsInput: true, initial: dInitial)
    for shard in 0..<gradients.shards { try layer.finishGradients(gradients[shard]) }
    return (pass, gradients, try #require(dx), dInitial)
  }

  /// A loss that uses every output: Σ y·dy, over the final state too.
  func loss() throws -> Double {
    try layer.prepare(parameters, advancing: false)
    let pass = forward()
    func product(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Double {
      zip(a.array, b.array).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    return zip(try #require(pass.final).named, dFinal.named).reduce(product(pass.output, dy)) {
      $0 + product($1.0.tensor, $1.1.tensor)
    }
  }

  /// Some rows of [T, N, ·], in memory of their own.
  func cut(_ tensor: Tensor<Scalar>, _ rows: Range<Int>) -> Tensor<Scalar> {
    let (T, N) = (tensor.shape[0], tensor.shape[1])
    let width = tensor.count / max(T * N, 1)
    let result = Tensor<Scalar>(shape: [T, rows.count] + tensor.shape.dropFirst(2))
    for t in 0..<T {
      result.row(t).copy(
        from: tensor.elements((t * N + rows.lowerBound) * width..<(t * N + rows.upperBound) * width)
      )
    }
    return result
  }

  /// Compares the gradients of every weight, the input and every initial state with central
  /// differences.
  func expectGradientsOfCentralDifferences(_ what: String) throws where Scalar == Double {
    let (_, gradients, dx, dInitial) = try run()
    for entry in layout.entries {
      try check("\(what) \(entry.name)", parameters[entry], gradients[0][entry])
    }
    try check("\(what) x", x, dx)
    for (state, gradient) in zip(initial.named, dInitial.named)
    where !counters.contains(state.name) {
      try check("\(what) initial \(state.name)", state.tensor, gradient.tensor)
    }
  }

  private func check(
    _ name: String, _ values: Tensor<Double>, _ gradient: Tensor<Double>
  ) throws where Scalar == Double {
    var failure: (any Error)?
    checkGradient(name, of: values, gradient: gradient.array) {
      do { return try loss() } catch { failure = error }
      return .nan
    }
    if let failure { throw failure }
  }
}
