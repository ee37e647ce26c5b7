// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Configuration

/// Cells on maps, which need images and a graph that can be read.
@Suite struct MapCellTests {
  private func read(_ assignments: [String]) throws(ConfigurationError) -> TrainingConfiguration {
    try TrainingConfiguration(
      yaml: "dataset: {task: classification, file: x.h5}", path: "run.yaml",
      assignments: assignments)
  }

  private func problem(_ assignments: [String], on map: [Int]? = nil) -> String {
    do {
      let configuration = try read(assignments)
      if map != nil { _ = try configuration.stack(on: map) }
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func whatCannotBeTrainedIsNamed() {
    let image = ["dataset.view=image"]
    #expect(problem(["model.cell=conv_lstm"]).contains("set dataset.view=image"))
    #expect(
      problem(["model.cell=rgc", "dataset.task=adding", "dataset.file="]).contains(
        "dataset.task is adding, which has none"))
    #expect(
      problem(image + ["model.cell=rgc", "model.hidden_size=8"], on: [4, 4, 3]).contains(
        "set model.hidden_size=3"))
    #expect(problem(image + ["model.cell=graph", "model.graph=a: b"]).contains("a reads b"))
    #expect(
      problem(image + ["model.cell=graph", "model.layers=2"]).contains("set model.layers=1"))
    #expect(
      problem(
        image + ["model.cell=graph", "model.graph=low: input + high; high: low, stride 3"],
        on: [5, 5, 1]
      ).contains("low reads high, whose maps of 2x2x1 cannot be scaled to 5x5"))
    #expect(
      problem(image + ["model.cell=conv_gru", "model.bidirectional=true"]).contains(
        "set model.bidirectional=false"))
    #expect(problem(["model.cell=lstm", "model.graph=a: input"]).contains("model.cell=lstm"))
    // A graph takes the constants of the cells among its nodes.
    let graph = image + ["model.cell=graph", "model.mu=0.5", "model.gate_bias=0.5"]
    #expect(
      problem(graph + ["model.graph=a: input, cell conv_gru"]).contains(
        "mu is not used by model.graph"))
    #expect(
      problem(graph.dropLast(2) + ["model.gate_bias=0.5", "model.graph=a: input, cell rgc"])
        .contains("gate_bias is not used by model.graph"))
    #expect(problem(graph + ["model.graph=a: input, cell momentum_conv_lstm"]).isEmpty)
    #expect(problem(["dataset.grey=0.4"]).contains("dataset.view=rows"))
  }

  @Test func theStackHasTheSizesOfTheImages() throws {
    let configuration = try read([
      "dataset.view=image", "model.cell=graph",
      "model.graph=a: input, channels 3, stride 2; b: a, channels 5, pool max 2",
    ])
    let stack = try configuration.stack(on: [8, 6, 2]).stack(inputs: 96, as: Float.self)
    #expect(stack.features == [2, 2, 5] && stack.inputs == 96)
    let parameters = stack.parameters.map { "\($0.name) \($0.shape)" }
    #expect(
      parameters.sorted() == [
        "rnn.a.bias_l0 [3]", "rnn.a.weight_input_l0 [3, 3, 3, 2]", "rnn.b.bias_l0 [5]",
        "rnn.b.weight_a_l0 [5, 3, 3, 3]",
      ])
  }
}
