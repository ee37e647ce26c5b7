// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernels
import TestSupport
import Tensors
import Testing

@testable import Layers

/// Nodes of a graph with separable convolutions and norms.
@Suite struct SeparableGraphTests {
  static let text =
    """
    low: input + high, channels 4, kernel 3, stride 2, separable, norm group 2, activation relu;
    high: low, channels 2, kernel 2, separable, norm layer
    """

  private func problem<Scalar: KernelScalar>(
    _ text: String, steps: Int, rows: Int = 2, map: (height: Int, width: Int), channels: Int = 2,
    as: Scalar.Type = Double.self
  ) throws -> LayerProblem<Scalar> {
    var constants = CellConstants()
    (constants.map.height, constants.map.width) = map
    constants.graph = try LayerGraph(text)
    return try LayerProblem(
      try #require(RecurrentSystem(named: "graph")), steps: steps, rows: rows, inputs: channels,
      hidden: 1, constants: constants)
  }

  @Test func parametersAreNamed() throws {
    let layout = try problem(Self.text, steps: 1, map: (5, 4)).layout
    let shapes = layout.entries.map { "\($0.name) \($0.shape)" }
    #expect(
      Set(shapes) == [
        "low.depthwise_input [2, 3, 3]", "low.depthwise_high [2, 3, 3]",
        "low.weight_input [4, 1, 1, 2]", "low.weight_high [4, 1, 1, 2]", "low.bias [4]",
        "low.gain [4]", "low.shift [4]", "high.depthwise_low [4, 2, 2]",
        "high.weight_low [2, 1, 1, 4]", "high.bias [2]", "high.gain [2]", "high.shift [2]",
      ])
  }

  /// Gains start at 1 and shifts at 0; filters have the deviation 1 / K.
  @Test func initialization() throws {
    let problem = try problem(
      "a: input, channels 2, kernel 5, separable, norm layer", steps: 1, map: (5, 4), channels: 400)
    var streams = InitializationStreams(seed: 3)
    problem.layer.initialize(problem.parameters, gateBias: 0, streams: &streams)
    #expect(problem.parameters["a.gain"].array == [1, 1])
    #expect(problem.parameters["a.shift"].array == [0, 0])
    let filters = problem.parameters["a.depthwise_input"].array
    let variance = filters.reduce(0) { $0 + $1 * $1 } / Double(filters.count)
    #expect(abs(variance.squareRoot() - 0.2) < 0.005)
  }

  /// All steps by plain loops, without windows, padded maps and stages.
  @Test func isAsDefined() throws {
    let problem = try problem(Self.text, steps: 3, map: (5, 4))
    let output = problem.forward().output
    for row in 0..<2 {
      var (low, high) = (
        Map(5, 4, 2).convolved(4, stride: 2), Map(3, 2, 2, problem.initial["high.drive"]!.row(row))
      )
      low.numbers = problem.initial["low.drive"]!.row(row).array
      for t in 0..<3 {
        let input = Map(5, 4, 2, problem.x.row(t).row(row))
        let next = input.separable(problem, "low", "input", kernel: 3, stride: 2, channels: 4)
          .adding(high.separable(problem, "low", "high", kernel: 3, stride: 1, channels: 4))
          .normalised(problem, "low", groups: 2).map { max($0, 0) }
        high = low.separable(problem, "high", "low", kernel: 2, stride: 1, channels: 2)
          .normalised(problem, "high", groups: 1).map { $0 > 0 ? $0 : expm1($0) }
        low = next
        for (number, expected) in zip(output.row(t).row(row).array, high.numbers) {
          #expect(abs(number - expected) < 1e-12, "step \(t) of row \(row)")
        }
      }
    }
  }

  /// Stride, two sources, an enlarged edge back, cells of several stages, norms of both kinds.
  @Test(arguments: [
    text,
    "low: input + high, channels 4, stride 2, separable, norm group 2, cell conv_gru;"
      + "high: low, channels 2, kernel 2, norm layer, cell rgc, pool max 2",
    "low: input + high, channels 2, separable; high: low, channels 2, kernel 1, separable,"
      + "cell momentum_conv_lstm, pool mean 2",
  ])
  func gradients(text: String) throws {
    try problem(text, steps: 3, map: (4, 4)).expectGradientsOfCentralDifferences(text)
  }

  /// A row has the bits that it has among others, and so has a shard's gradient.
  @Test func rowsAreIndependent() throws {
    let problem = try problem(
      Self.text + ", cell conv_ugrnn", steps: 3, rows: 3, map: (5, 4), as: Float.self)
    let together = try problem.run(rowStarts: [0, 1, 2, 3])
    for row in 0..<3 {
      let alone = try problem.run(rows: row..<row + 1)
      #expect(
        problem.cut(together.pass.output, row..<row + 1).array == alone.pass.output.array)
      #expect(problem.cut(together.dx, row..<row + 1).array == alone.dx.array)
      #expect(together.gradients[row].flat.array == alone.gradients[0].flat.array)
    }
  }

  @Test func theTextReadsBack() throws {
    let graph = try LayerGraph(Self.text)
    #expect(try LayerGraph(graph.text) == graph)
    #expect(graph.nodes.map(\.isSeparable) == [true, true])
    #expect(graph.nodes.map(\.norm) == [.group(2), .layer])
  }
}

/// A map, and the result by definition.
private struct Map {
  let height: Int
  let width: Int
  let channels: Int
  var numbers: [Double]

  init(_ height: Int, _ width: Int, _ channels: Int, _ numbers: Tensor<Double>? = nil) {
    (self.height, self.width, self.channels) = (height, width, channels)
    self.numbers = numbers?.array ?? Array(repeating: 0, count: height * width * channels)
  }

  /// An empty map of the size of a convolution's result.
  func convolved(_ channels: Int, stride: Int) -> Map {
    Map((height + stride - 1) / stride, (width + stride - 1) / stride, channels)
  }

  subscript(y: Int, x: Int, c: Int) -> Double {
    0..<height ~= y && 0..<width ~= x ? numbers[(y * width + x) * channels + c] : 0
  }

  /// As PyTorch's `Conv2d` with as many groups as channels, then one with windows of one place;
  /// the margins are TensorFlow's `SAME`.
  func separable(
    _ problem: LayerProblem<Double>, _ node: String, _ source: String, kernel K: Int, stride: Int,
    channels M: Int
  ) -> Map {
    let filters = problem.parameters["\(node).depthwise_\(source)"]
    let weight = problem.parameters["\(node).weight_\(source)"]
    var result = convolved(M, stride: stride)
    let top = max((result.height - 1) * stride + K - height, 0) / 2
    let left = max((result.width - 1) * stride + K - width, 0) / 2
    for y in 0..<result.height {
      for x in 0..<result.width {
        for c in 0..<channels {
          var sum = 0.0
          for k in 0..<K * K {
            sum +=
              filters[c * K * K + k]
              * self[y * stride - top + k / K, x * stride - left + k % K, c]
          }
          for m in 0..<M {
            result.numbers[(y * result.width + x) * M + m] += weight[m * channels + c] * sum
          }
        }
      }
    }
    return result
  }

  func adding(_ other: Map) -> Map {
    var result = self
    for index in numbers.indices { result.numbers[index] += other.numbers[index] }
    return result
  }

  func map(_ change: (Double) -> Double) -> Map {
    var result = self
    result.numbers = numbers.map(change)
    return result
  }

  /// As PyTorch's `GroupNorm`, after the bias.
  func normalised(_ problem: LayerProblem<Double>, _ node: String, groups: Int) -> Map {
    let parameters = ["bias", "gain", "shift"].map { problem.parameters["\(node).\($0)"] }
    var result = self
    for index in numbers.indices { result.numbers[index] += parameters[0][index % channels] }
    for group in 0..<groups {
      let own = numbers.indices.filter { $0 % channels / (channels / groups) == group }
      let mean = own.reduce(0) { $0 + result.numbers[$1] } / Double(own.count)
      let variance =
        own.reduce(0) { $0 + (result.numbers[$1] - mean) * (result.numbers[$1] - mean) }
        / Double(own.count)
      for index in own {
        result.numbers[index] =
          (result.numbers[index] - mean) / (variance + 1e-5).squareRoot()
          * parameters[1][index % channels] + parameters[2][index % channels]
      }
    }
    return result
  }
}
