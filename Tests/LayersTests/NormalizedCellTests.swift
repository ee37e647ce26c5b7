// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Tensors
import TestSupport
import Testing

@testable import Layers

/// Properties of norms and drives beyond the generic tests of layers.
@Suite struct NormalizedCellTests {
  private func problem<Scalar: KernelScalar>(
    _ name: String, steps: Int, window: Int, carryWindow: Bool, as: Scalar.Type = Scalar.self
  ) throws -> LayerProblem<Scalar> {
    var constants = LayerProblem<Scalar>.constants
    (constants.window, constants.carryWindow) = (window, carryWindow)
    return try LayerProblem(
      try #require(RecurrentSystem(named: name)), steps: steps, rows: 3, inputs: 2, hidden: 19,
      constants: constants)
  }

  /// LN is ATN with k = 1, in every bit of every output and gradient.
  @Test(arguments: ["rnn", "lstm", "gru"])
  func layerNormIsAssortedTimeOfOneStep(body: String) throws {
    for backend in KernelBackend.supported {
      try backend.run {
        let runs = try ["ln", "atn"].map { norm -> [[Float]] in
          let problem: LayerProblem<Float> = try problem(
            "\(norm)_\(body)", steps: 5, window: 1, carryWindow: true)
          let run = try problem.run()
          #expect(problem.layer.states.allSatisfy { !$0.name.hasPrefix("window") })
          return [run.pass.output.array, run.gradients.flat.array, run.dx.array]
            + run.dInitial.named.map(\.tensor.array)
        }
        #expect(runs[0] == runs[1], "\(backend)")
        // An empty window changes nothing.
        let first = try [1, 6].map { window in
          try problem("atn_\(body)", steps: 1, window: window, carryWindow: false, as: Float.self)
            .forward().output.array
        }
        #expect(first[0] == first[1], "\(backend)")
      }
    }
  }

  /// As in the paper, a pass starts with empty windows even where h and c are carried.
  @Test(arguments: ["atn_rnn", "atn_lstm", "atn_gru"])
  func windowsAreEmptiedUnlessCarried(name: String) throws {
    let own: LayerProblem<Double> = try problem(name, steps: 7, window: 4, carryWindow: false)
    let carried: LayerProblem<Double> = try problem(name, steps: 7, window: 4, carryWindow: true)
    #expect(!own.layer.states.contains { $0.name.hasPrefix("window") })
    let windows = carried.layer.states.filter { $0.name.hasPrefix("window") }
    #expect(!windows.isEmpty && windows.allSatisfy { $0.shape == [7] })
    let whole = own.forward()
    #expect(try #require(whole.final).named.map(\.name) == own.layer.states.map(\.name))
    let first = own.forward(steps: 0..<3)
    let state = try #require(first.final)
    let second = own.forward(steps: 3..<7, from: state)
    #expect(first.output.array == whole.output.rows(0..<3).array)
    #expect(second.output.array != whole.output.rows(3..<7).array)
    // The same as a layer that carries windows, given empty ones.
    let start = carried.layer.startState(rows: 3)
    for (name, tensor) in state.named { try #require(start[name]).copy(from: tensor) }
    #expect(carried.forward(steps: 3..<7, from: start).output.array == second.output.array)
  }

  /// A drive before a cell is the drive of the fused layer.
  @Test(arguments: ["momentum_gru", "adam_gru", "rmsprop_gru", "nag_gru", "srgru"])
  func aDriveBeforeACellIsThatOfTheFusedLayer(name: String) throws {
    let fused = try #require(RecurrentSystem(named: name))
    guard case .fused(let drive, _, _) = fused.design else { return }
    let cell = RecurrentSystem(
      "driven", DrivenCell(drive, GRU()), fused.hyperparameters, from: "this test")
    let runs = try [fused, cell].map { system in
      try LayerProblem<Double>(system, steps: 11, rows: 5, inputs: 3, hidden: 7)
        .run(rowStarts: [0, 2, 5])
    }
    func expectEqual(_ what: String, _ tensor: (LayerProblem<Double>.Passed) -> Tensor<Double>) {
      expectClose(
        tensor(runs[1]).array, tensor(runs[0]).array, absolute: 1e-12, relative: 1e-12, what)
    }
    expectEqual("y") { $0.pass.output }
    expectEqual("dx") { $0.dx }
    expectEqual("the gradient") { $0.gradients.flat }
    for (index, state) in runs[0].dInitial.named.enumerated() {
      #expect(runs[1].dInitial.named[index].name == state.name)
      expectEqual("the gradient of \(state.name)") { $0.dInitial[index] }
      expectEqual("the final \(state.name)") { $0.pass.final![index] }
    }
  }

  /// Systems without a meaning for norms have none.
  @Test func whatCannotBeNormalised() throws {
    for system in RecurrentSystem.all {
      guard case .fused(let drive, let body, _) = system.design else {
        #expect(system.normalized(by: .layer) == nil, "\(system.name)")
        continue
      }
      let can = body != .modReLU && drive != .nesterovExtrapolated
      #expect((system.normalized(by: .assortedTime) != nil) == can, "\(system.name)")
    }
    let normalized = try #require(
      RecurrentSystem(named: "momentum_lstm")?.normalized(by: .assortedTime))
    #expect(
      normalized.hyperparameters == [.mu, .epsilon, .window, .carryWindow]
        && normalized.family == "momentum, assorted-time norm" && !normalized.usesGateBias)
  }

  /// A cell with its own stages, counters, scratch memory and matrices keeps them with a drive.
  @Test(arguments: [MemoryMeasure.scaledLegendre, .translatedLegendre])
  func aDriveGoesBeforeACellWithStages(measure: MemoryMeasure) throws {
    for drive in [DriveKind.momentum, .adam] {
      let system = RecurrentSystem(
        "driven", DrivenCell(drive, HiPPO(measure, .bilinear)),
        [.mu, .epsilon, .beta, .memoryChannels, .memoryStep], from: "")
      var constants = LayerProblem<Double>.constants
      (constants.memory.channels, constants.memory.step) = (2, 0.05)
      try LayerProblem<Double>(
        system, steps: 4, rows: 2, inputs: 2, hidden: 3, constants: constants
      ).expectGradientsOfCentralDifferences("\(drive) \(measure)")
    }
  }
}
