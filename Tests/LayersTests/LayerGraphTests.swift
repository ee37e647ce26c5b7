// SPDX-License-Identifier: Apache-2.0

import Kernels
import TestSupport
import Tensors
import Testing

@testable import Layers

@Suite struct LayerGraphTests {
  /// The message for each wrong text: the node, and what to do.
  static let wrong = [
    ("", "describes no nodes"),
    ("conv1", "\"conv1\" is not a node"),
    ("a:", "a needs sources"),
    ("a: input + input", "a needs sources"),
    ("a: b, channels 2", "a reads b, which is not a node"),
    ("a: input; a: input", "two nodes a"),
    ("input: input", "two nodes input"),
    ("a: b; b: a", "form a cycle"),
    ("a: input, channels 0", "\"channels 0\" is not an option"),
    ("a: input, depth 3", "\"depth 3\" is not an option"),
    ("a: input, kernel 3, kernel 5", "a has kernel twice"),
    ("a: input, cell lstm", "cells on maps are rgc"),
    ("a: input, cell graph", "cells on maps are rgc"),
    ("a: input, depth 3", "separable, norm layer|group G, activation elu|relu"),
    ("a: input, separable 3", "\"separable 3\" is not an option"),
    ("a: input, norm", "\"norm\" is not an option"),
    ("a: input, norm batch", "\"norm batch\" is not an option"),
    ("a: input, norm layer 2", "\"norm layer 2\" is not an option"),
    ("a: input, norm group", "\"norm group\" is not an option"),
    ("a: input, norm group 0", "\"norm group 0\" is not an option"),
    ("a: input, norm layer, norm group 2", "a has norm twice"),
    (
      "conv1: input, norm group 3, channels 16",
      "conv1 has norm group 3, which does not divide its 16 channels; use a divisor of 16"
    ),
    ("a: input, pool max 0", "\"pool max 0\" is not an option"),
    ("a: input, pool mean all 2", "\"pool mean all 2\" is not an option"),
  ]

  @Test(arguments: wrong) func aWrongTextIsNamed(text: String, problem: String) throws {
    let error = #expect(throws: LayerGraph.Problem.self) {
      () throws(any Error) in _ = try LayerGraph(text)
    }
    #expect("\(try #require(error))".contains(problem), "\(text): \(error!)")
  }

  @Test func theTextReadsBack() throws {
    let graph = try LayerGraph(
      """
      low: input + high , channels 4, stride 2, activation relu

      high: low, channels 6, kernel 5, cell rgc, pool max 3 2; out: high, pool mean all
      """)
    let again = try LayerGraph(graph.text)
    #expect(again == graph)
    #expect(graph.nodes.map(\.name) == ["low", "high", "out"])
    #expect(graph.nodes[1].pool == LayerGraph.Pool(kind: .max, kernel: 3, stride: 2))
    #expect(graph.nodes[2].pool?.kernel == 0)
  }

  /// A norm over a single number would always be 0.
  @Test(arguments: ["norm group 4", "norm layer"]) func aGroupOfOneNumberIsRefused(
    norm: String
  ) throws {
    let channels = norm == "norm layer" ? 1 : 4
    let graph = try LayerGraph("a: input, channels \(channels), \(norm)")
    let error = #expect(throws: LayerGraph.Problem.self) {
      () throws(any Error) in try graph.check(height: 1, width: 1, channels: 3)
    }
    #expect("\(try #require(error))".contains("a has \(norm) on maps of 1x1x\(channels)"))
    try graph.check(height: 1, width: 2, channels: 3)
  }

  /// The sizes of the shallow net of Nayebi et al. on 224 x 224 pixels.
  @Test func sizes() throws {
    let graph = try LayerGraph(
      """
      conv1: input + conv2, channels 64, kernel 7, stride 2, pool max 3 2
      conv2: conv1, channels 128, pool max 3 2
      all: conv2, channels 5, pool mean all
      """)
    let nodes = try ResolvedGraph(
      graph, input: MapShape(height: 224, width: 224, channels: 3)
    ).nodes
    #expect(nodes.map { "\($0.map)" } == ["112x112x64", "56x56x128", "28x28x5"])
    #expect(nodes.map { "\($0.output)" } == ["56x56x64", "28x28x128", "1x1x5"])
    #expect(nodes[0].edges[1].windows.enlargement == 4)
  }

  @Test func mapsThatDoNotFitAreNamed() throws {
    let graph = try LayerGraph("low: input + high, channels 2; high: low, stride 3")
    let error = #expect(throws: LayerGraph.Problem.self) {
      _ = try ResolvedGraph(graph, input: MapShape(height: 5, width: 5, channels: 1))
    }
    #expect("\(try #require(error))".contains("low reads high, whose maps of 2x2x1"))
  }

  /// An edge takes a step: what a chain of three nodes gives follows the input three steps later.
  @Test func anEdgeTakesOneStep() throws {
    let problem = try problem(
      "a: input, kernel 1; b: a, kernel 1; c: b, kernel 1", steps: 4, map: (1, 1))
    for (_, tensor) in problem.initial.named { tensor.fill(0) }
    for entry in problem.layout.entries {
      problem.parameters[entry].fill(entry.role == .bias ? 0 : 1)
    }
    for index in 0..<problem.x.count { problem.x[index] = 1 + Double(index) }
    try problem.layer.prepare(problem.parameters, advancing: false)
    let pass = problem.forward()
    #expect(pass.output.array == [0, 0, 0, 0, 1, 2, 3, 4])
  }

  /// An edge back from a smaller map, as every generic test has none.
  @Test func gradientsOfEnlargedEdges() throws {
    try problem(
      "low: input + high, channels 2; high: low, channels 2, kernel 2, cell conv_lstm, pool max 2",
      steps: 3, map: (4, 2)
    ).expectGradientsOfCentralDifferences("an enlarged edge")
  }

  /// Windows of one place are not copied.
  @Test func gradientsOfWindowsOfOnePlace() throws {
    try problem(
      "low: input + high, channels 2, kernel 1; high: low, channels 3, kernel 1, cell conv_ugrnn",
      steps: 3, map: (2, 3)
    ).expectGradientsOfCentralDifferences("one place")
  }

  /// A node's names never collide with those of its cell, regardless of the names of its states.
  @Test(arguments: RecurrentSystem.all.filter { $0.readsMaps && $0.name != "graph" }.map(\.name))
  func gradientsOfEveryCellInAGraph(name: String) throws {
    try problem(
      "low: input + high, channels 2, cell \(name); high: low, channels 2", steps: 3, map: (2, 2)
    ).expectGradientsOfCentralDifferences(name)
  }

  private func problem(
    _ text: String, steps: Int, map: (height: Int, width: Int)
  ) throws -> LayerProblem<Double> {
    var constants = CellConstants()
    (constants.map.height, constants.map.width) = map
    constants.graph = try LayerGraph(text)
    return try LayerProblem(
      try #require(RecurrentSystem(named: "graph")), steps: steps, rows: 2, inputs: 1, hidden: 1,
      constants: constants)
  }
}
