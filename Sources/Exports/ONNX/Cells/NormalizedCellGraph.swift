// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// A norm of a cell, over the units of a step or of the last k steps together; `CellNorm` has the
/// equation and the layout of the window.
struct NormGraph {
  let gain: GraphValue
  let shift: GraphValue
  /// D, the units of a step.
  let width: Int
  /// k - 1, the steps that the window holds.
  let before: Int
  let ending: String

  init(
    _ ending: String, window: Int, _ tensors: LayerTensors, in graph: GraphBuilder
  ) throws(ExportError) {
    gain = try tensors.constant("gain\(ending)", in: graph)
    shift = try tensors.constant("shift\(ending)", in: graph)
    width = try tensors.require("gain\(ending)").values.count
    (before, self.ending) = (window - 1, ending)
  }

  /// The means and sums of squares of the preceding steps, the latest first, and their number.
  var states: [(name: String, shape: [Int])] {
    before > 0 ? [("window\(ending)", [2 * before + 1])] : []
  }

  /// - Parameters:
  ///   - z: [N, D]
  ///   - window: the norm's state, if it has one
  func apply(
    _ z: GraphValue, _ window: GraphValue?
  ) -> (y: GraphValue, after: [GraphValue]) {
    guard let window, let graph = z.graph else {
      let y = GraphValue.apply(
        "LayerNormalization", [z, gain, shift], [.int("axis", -1), .float("epsilon", 1e-5)])
      return (y, [])
    }
    let own = z.mean(axes: [1])
    let distance = z - own
    let squares = (distance * distance).sum(axes: [1], keepingAxes: true)
    let means = window.slice(0, before, axis: 1)
    let sums = window.slice(before, 2 * before, axis: 1)
    let filled = window.slice(2 * before, 2 * before + 1, axis: 1)
    let count = 1 + filled
    let m = (own + means.sum(axes: [1], keepingAxes: true)) / count
    // Empty places hold zeros, which are not means.
    let places = graph.constant((0..<before).map { Float($0) }, shape: [1, before])
    let isFilled = GraphValue.apply("Less", [places, filled]).cast(to: .float)
    let between = (means - m) * (means - m) * isFilled
    let all =
      squares + sums.sum(axes: [1], keepingAxes: true)
      + Double(width) * ((own - m) * (own - m) + between.sum(axes: [1], keepingAxes: true))
    let variance = all / (Double(width) * count)
    let y = (z - m) / (1e-5 + variance).squareRoot * gain + shift
    let most = graph.constant([Float(before)], shape: [1])
    let after = GraphValue.apply(
      "Concat",
      [
        own, means.slice(0, before - 1, axis: 1), squares, sums.slice(0, before - 1, axis: 1),
        .apply("Min", [count, most]),
      ], [.int("axis", 1)])
    return (y, [after])
  }
}

/// A drive, norms and a body; `NormalizedRNN`, `NormalizedLSTM` and `NormalizedGRU` have the
/// equations.
struct NormalizedCellGraph: CellGraph {
  private let drive: DriveGraph
  private let body: BodyKind
  private let norms: [NormGraph]
  private let hidden: Int
  private let width: Int
  private let inputWeight: GraphValue
  private let inputBias: GraphValue?
  private let recurrentWeight: GraphValue
  private let recurrentBias: GraphValue?

  init(
    _ drive: DriveParameters, _ body: BodyKind, window: Int, _ tensors: LayerTensors,
    in graph: GraphBuilder
  ) throws(ExportError) {
    (self.drive, self.body) = (DriveGraph(drive: drive), body)
    width = try tensors.require("weight_ih").shape[0]
    hidden = try tensors.require("weight_hh").shape[1]
    inputWeight = try tensors.transposed("weight_ih", in: graph)
    recurrentWeight = try tensors.transposed("weight_hh", in: graph)
    inputBias = try tensors.constantIfAny("bias_ih", in: graph)
    recurrentBias = try tensors.constantIfAny("bias_hh", in: graph)
    let endings =
      switch body {
      case .tanh, .modReLU: [""]
      case .gru: ["_ih", "_hh"]
      case .lstm: ["_ih", "_hh", "_c"]
      }
    var norms: [NormGraph] = []
    for ending in endings {
      norms.append(try NormGraph(ending, window: window, tensors, in: graph))
    }
    self.norms = norms
  }

  var states: [(name: String, shape: [Int])] {
    (body == .lstm ? ["h", "c"] : ["h"]).map { ($0, [hidden]) } + norms.flatMap(\.states)
      + drive.states.map { ($0, [width]) }
  }
  var usesStepNumber: Bool { drive.usesStepNumber }

  func prepared(_ x: GraphValue) -> GraphValue {
    let g = x.times(inputWeight)
    return inputBias.map { g + $0 } ?? g
  }

  func step(
    _ g: GraphValue, _ before: [GraphValue], number: GraphValue
  ) -> (y: GraphValue, after: [GraphValue]) {
    let own = body == .lstm ? 2 : 1
    let windows = norms.flatMap(\.states).count
    func window(_ place: Int) -> GraphValue? { windows > 0 ? before[own + place] : nil }
    let (d, carried) = drive.step(g, before[(own + windows)...], number: number)
    let product = before[0].times(recurrentWeight)
    let a = recurrentBias.map { product + $0 } ?? product
    guard body != .tanh else {
      let (z, after) = norms[0].apply(d + a, window(0))
      let h = z.tanh
      return (h, [h] + after + carried)
    }
    let (ofInput, first) = norms[0].apply(d, window(0))
    let (ofState, second) = norms[1].apply(a, window(1))
    guard body == .lstm else {
      let h = BodyGraph.gru(ofInput, ofState, before[0])
      return (h, [h] + first + second + carried)
    }
    let gates = (ofInput + ofState).split(4, axis: 1)
    let c = gates[0].sigmoid * before[1] + gates[1].sigmoid * gates[3].tanh
    let (z, third) = norms[2].apply(c, window(2))
    let h = gates[2].sigmoid * z.tanh
    return (h, [h, c] + first + second + third + carried)
  }
}
