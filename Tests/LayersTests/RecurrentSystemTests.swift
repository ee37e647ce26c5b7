// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import RandomNumbers
import Tensors
import TestSupport
import Testing

@testable import Layers

@Suite struct RecurrentSystemTests {
  /// The drive that each name promises, for any other constants.
  @Test func namesKeepTheirPromises() {
    for system in RecurrentSystem.all {
      let given = CellConstants(mu: 0.3, epsilon: 0.4, beta: 0.5, restart: 7)
      let own = system.constants(given)
      if system.name.hasPrefix("nag") { #expect(own.restart == 0, "\(system.name)") }
      if system.name.hasPrefix("sr") { #expect(own.restart == 7, "\(system.name)") }
      if system.name.hasPrefix("rmsprop") { #expect(own.mu == 0 && own.beta == 0.5) }
      if system.name.hasPrefix("adam") { #expect(own.mu == 0.3 && own.beta == 0.5) }
      #expect(
        system.hyperparameters.contains(.epsilon) ? own.epsilon == 0.4 : own == CellConstants(),
        "\(system.name)")
    }
  }

  /// The GRU as a cell and the GRU in one kernel are one equation.
  @Test func theGRUBothWays() throws {
    let runs = try ["gru", "gru_unrolled"].map { name in
      let system = try #require(RecurrentSystem(named: name))
      let problem = try LayerProblem<Double>(system, steps: 21, rows: 5, inputs: 3, hidden: 7)
      return (problem, try problem.run(rowStarts: [0, 2, 5]))
    }
    #expect(runs[0].0.layout.entries.map(\.name) == runs[1].0.layout.entries.map(\.name))
    func expectEqual(_ what: String, _ tensor: (LayerProblem<Double>.Passed) -> Tensor<Double>) {
      expectClose(
        tensor(runs[1].1).array, tensor(runs[0].1).array, absolute: 1e-12, relative: 1e-12, what)
    }
    expectEqual("y") { $0.pass.output }
    expectEqual("dx") { $0.dx }
    expectEqual("the gradient") { $0.gradients.flat }
    expectEqual("the gradient of h") { $0.dInitial[0] }
  }

  /// AdamLSTM with no drive at all: d = 0, and its derivative by the drive is ε/1e-8.
  @Test func theAdamDriveAtZeroHasTheDocumentedSlope() throws {
    let system = try #require(RecurrentSystem(named: "adam_rnn"))
    let problem = try LayerProblem<Double>(system, steps: 1, rows: 1, inputs: 1, hidden: 1)
    for tensor in [problem.x, problem.parameters["bias_ih"]] { tensor.fill(0) }
    for (_, tensor) in problem.initial.named { tensor.fill(0) }
    for (name, tensor) in problem.dFinal.named where name != "h" { tensor.fill(0) }
    let run = try problem.run()
    let y = run.pass.output[0]
    let upstream = problem.dy[0] + problem.dFinal[0][0]
    let expected = upstream * (1 - y * y) * 0.7 * 1e8
    expectClose(run.gradients[0]["bias_ih"].array, [expected], relative: 1e-9)
  }
}

@Suite struct InitializationTests {
  @Test func theAuthorsStart() {
    let layer = FusedLayer<Double>(
      drive: DriveParameters(.momentum, mu: 0.6, epsilon: 0.6), body: .lstm, inputs: 5, hidden: 3,
      named: LayerName(prefix: "rnn.", suffix: "_l0"))
    var layout = ParameterLayout()
    layer.declare(in: &layout)
    let parameters = ParameterBuffer<Double>(layout)
    var streams = InitializationStreams(seed: 1)
    layer.initialize(parameters, gateBias: 1, streams: &streams)
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
