// SPDX-License-Identifier: Apache-2.0

import Configuration
import Layers
import Foundation
import KernelInterface
import Kernels
import Models
import RandomNumbers
import Tensors
import TestSupport
import Testing

@testable import Reports
@testable import Training

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct GradientProbeTests {
  enum LossKind: Sendable { case crossEntropy, squaredError }

  private let T = 5
  private let N = 2
  private let C = 2
  private let H = 3

  private func model(_ name: String, layers: Int, loss: LossKind) throws -> SequenceModel<Double> {
    let system = try #require(RecurrentSystem(named: name))
    return SequenceModel(
      StackSpecification(
        LayerSpecification(
          system.layers(CellConstants(mu: 0.5, epsilon: 0.8, beta: 0.7, restart: 3)), hidden: H),
        layers: layers),
      inputs: C, outputs: 2,
      objective: loss == .crossEntropy ? CrossEntropy() : SquaredError())
  }

  private func batch(_ loss: LossKind) -> SequenceBatch<Double> {
    var stream = RandomStream(seed: 8, purpose: .testing)
    let x = Tensor((0..<T * N * C).map { _ in stream.normal() }, shape: [T, N, C])
    return SequenceBatch(
      x: x,
      targets: loss == .crossEntropy
        ? .classes([0, 1], of: 2) : .values([0.1, 0.2, 0.3, 0.4], of: 2),
      rowStarts: [0, N])
  }

  @Test(
    arguments: [
      ("rnn_tanh", 1), ("lstm", 1), ("lstm", 2), ("gru", 1), ("momentum_lstm", 1),
      ("momentum_gru", 2), ("adam_lstm", 1), ("rmsprop_rnn", 1), ("nag_lstm", 1), ("srlstm", 1),
      ("srlstm_mnist", 1), ("srlstm_mnist", 2), ("scornn", 1), ("momentum_dtriv", 1),
      ("adam_dtriv", 2), ("srdtriv", 1),
    ], [LossKind.crossEntropy, .squaredError])
  func gradientsAreThoseOfAPerturbedState(
    system: (name: String, layers: Int), loss: LossKind
  ) throws {
    let model = try model(system.name, layers: system.layers, loss: loss)
    let parameters = ParameterBuffer<Double>(model.layout)
    var stream = RandomStream(seed: 7, purpose: .testing)
    for index in 0..<model.layout.count { parameters.flat[index] = 0.6 * stream.normal() }
    try model.prepare(parameters, advancing: false)
    let batch = batch(loss)
    let probe = GradientProbe(model, parameters, batch: batch)

    // Independently of the probe: t steps in one piece, a change of h_t, and the rest in another.
    var x = batch.x
    for layer in model.stack.levels.dropLast() {
      x = run(layer, parameters, x, 0..<T).output
    }
    let top = try #require(model.stack.levels.last)
    for t in 1...T {
      let state = try #require(run(top, parameters, x, 0..<t).final)
      let name = "\(system.name): dL/dh_\(t)"
      checkGradient(name, of: state[0], gradient: probe.hiddenGradients.row(t - 1).array) {
        let end = t < T ? run(top, parameters, x, t..<T, from: state).final! : state
        let y = Tensor<Double>(shape: [N, 2])
        model.readOut.forward(end[0], parameters, into: y)
        return model.objective.totals(of: y, batch.targets, gradient: nil).loss
      }
    }
    let totals = model.evaluate(batch, parameters)
    expectClose(
      [probe.meanLoss], [totals.reduce(0) { $0 + $1.loss } / Double(N)], relative: 1e-12, "loss")
  }

  /// A layer over the steps `range` of x, which continue a sequence.
  private func run(
    _ layer: any SequenceLayer<Double>, _ parameters: ParameterBuffer<Double>,
    _ x: Tensor<Double>, _ range: Range<Int>, from initial: LayerState<Double>? = nil
  ) -> any LayerPass<Double> {
    layer.forward(
      SequenceInput(x.rows(range), firstStep: range.lowerBound), from: initial, parameters,
      keeping: .finalState, in: Workspace())
  }

  @Test func ofTasksThatAskEveryStepTheLastCounts() throws {
    let model = try model("lstm", layers: 1, loss: .squaredError)
    let parameters = ParameterBuffer<Double>(model.layout)
    model.initialize(parameters, seed: 1, gateBias: 1)
    try model.prepare(parameters, advancing: false)
    var batch = batch(.squaredError)
    let probe = GradientProbe(model, parameters, batch: batch)
    let before = [Float](repeating: 0, count: (T - 1) * N * 2)
    batch.targets = .frames(before + [0.1, 0.2, 0.3, 0.4], of: 2)
    let ofFrames = GradientProbe(model, parameters, batch: batch)
    #expect(ofFrames.hiddenGradients.array == probe.hiddenGradients.array)
    #expect(ofFrames.meanLoss == probe.meanLoss)
  }

  @Test func theNormIsAMeanOverSequencesAndSurvivesSmallNumbers() throws {
    let model = try model("lstm", layers: 1, loss: .squaredError)
    let parameters = ParameterBuffer<Double>(model.layout)
    model.initialize(parameters, seed: 1, gateBias: 1)
    try model.prepare(parameters, advancing: false)
    let probe = GradientProbe(model, parameters, batch: batch(.squaredError))
    let gradients = probe.hiddenGradients.row(2).array
    let norms = (0..<N).map { n in
      gradients[n * H..<(n + 1) * H].reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    expectClose([probe.norms[2]], [(norms[0] + norms[1]) / 2], relative: 1e-14)
    for index in 0..<probe.hiddenGradients.count { probe.hiddenGradients[index] = 3e-300 }
    expectClose(
      probe.norms, Array(repeating: 3e-300 * Double(H).squareRoot(), count: T), relative: 1e-14)
  }

  private func curve(
    _ cell: String, steps: Int = 60, gateBias: Double = 1
  ) throws -> ProbeCurve {
    var settings = TrainingConfiguration()
    settings.model.cell = CellName(try #require(RecurrentSystem(named: cell)))
    settings.model.hiddenSize = 8
    settings.model.gateBias = gateBias
    return try ProbeSubject(cell, settings, usesDataset: false)
      .curve(steps: steps, features: 1, batch: 3)
  }

  /// The velocity gathers b_ih too: μ = ε = 0.6 takes the forget gate's bias from 2 to 1 + ε/(1-μ)
  /// = 2.5. That is nearly the whole of the difference at initialisation: an LSTM that starts from
  /// 2.5 keeps its gradient as well. W_hh h does not enter the velocity, so momentum gives no other
  /// path back to h_1.
  @Test func momentumKeepsTheGradientOfAnLSTMByTheBiasOfItsForgetGate() throws {
    let plain = try curve("lstm")
    let momentum = try curve("momentum_lstm")
    let matched = try curve("lstm", gateBias: 1.25)
    #expect(momentum.norms[0] > 5 * plain.norms[0])
    let ratio = momentum.norms[0] / matched.norms[0]
    #expect(ratio > 0.5 && ratio < 2, "ratio \(ratio)")
  }

  @Test func dataThatCannotBeReadIsReplacedAndNamed() throws {
    let settings = try TrainingConfiguration(
      yaml: "dataset: {task: classification, file: nowhere.h5}\nmodel: {hidden_size: 2}",
      path: "run.yaml")
    let curve = try ProbeSubject("run", settings).curve(steps: 4, features: 3, batch: 2)
    #expect(curve.data.contains("nowhere.h5 cannot be read"))
    #expect(curve.norms.count == 4 && curve.inputs == 3)
    let generated = try TrainingConfiguration(
      yaml: "dataset: {steps: 6}\nmodel: {hidden_size: 2}", path: "run.yaml")
    let adding = try ProbeSubject("run", generated).curve(steps: 4, features: 3, batch: 2)
    #expect(adding.data == "adding" && adding.norms.count == 6 && adding.inputs == 2)
  }

  @Test func figuresAreWellFormedWithALineAndALegendForEachCurve() throws {
    var curves = [try curve("lstm", steps: 9), try curve("gru", steps: 1)]
    curves[0].label = "a <b> & \"c\" \u{1}"
    curves[0].norms[3] = 0
    for some in [curves, [curves[0]], []] {
      let figure = ProbeCurve.chart(of: some).figure
      let elements = try #require(Elements(of: figure))
      #expect(elements.counts["svg"] == 1)
      #expect(elements.counts["path", default: 0] == 2 * some.count)
      #expect(!figure.contains("nan") && !figure.contains("inf"))
    }
    let figure = ProbeCurve.chart(of: curves).figure
    #expect(try #require(Elements(of: figure)).text.contains("a <b> & \"c\""))
    // A zero has no logarithm, so there is a gap, and the line starts again after it.
    let line = try #require(figure.split(separator: "\n").first { $0.contains("</title></path>") })
    #expect(line.count { $0 == "M" } == 2)
    // Programs other than browsers that read SVG do not support variables.
    #expect(!figure.contains("var("))
  }

  /// The elements of an XML text, counted by name; nil if it is not well-formed.
  private final class Elements: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    var text = ""

    init?(of xml: String) {
      super.init()
      let parser = XMLParser(data: Data(xml.utf8))
      parser.delegate = self
      guard parser.parse() else { return nil }
    }

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      counts[name, default: 0] += 1
    }

    func parser(_ parser: XMLParser, foundCharacters characters: String) {
      text += characters
    }
  }
}
