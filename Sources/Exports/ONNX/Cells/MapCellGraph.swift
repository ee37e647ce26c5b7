// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import KernelInterface
import Kernels
import Layers

/// A cell on maps of one size; the families in `Layers/Cells/Images` have the equations.
struct MapCellGraph: CellGraph {
  /// The equations of a step, from the input and the states to the output and the new states.
  typealias Step = (
    _ x: GraphValue, _ before: [GraphValue], _ number: GraphValue
  ) -> (y: GraphValue, after: [GraphValue])

  let states: [(name: String, shape: [Int])]
  let usesStepNumber: Bool
  private let equations: Step

  var readsMaps: Bool { true }

  func step(
    _ x: GraphValue, _ before: [GraphValue], number: GraphValue
  ) -> (y: GraphValue, after: [GraphValue]) { equations(x, before, number) }

  /// - Parameters:
  ///   - drive: the drive of the product of the input; nil means none
  ///   - map: Y and X
  ///   - hidden: channels of the states
  /// - Returns: nil if the family has no nodes here
  init?(
    _ family: any CellFamily, drive: DriveParameters?, map: [Int], hidden: Int,
    _ tensors: LayerTensors, in graph: GraphBuilder
  ) throws(ExportError) {
    let convolutions = MapConvolutions(map: map, tensors: tensors, graph: graph)
    func maps(_ names: String...) -> [(name: String, shape: [Int])] {
      names.map { ($0, map + [hidden]) }
    }
    let drive = DriveGraph(drive: drive ?? DriveParameters(.plain))
    usesStepNumber = drive.usesStepNumber
    switch family {
    case is ConvLSTM:
      states = maps("h", "c") + drive.states.map { ($0, map + [4 * hidden]) }
      equations = try convolutions.lstm(drive)
    case is ConvGRU:
      states = maps("h")
      equations = try convolutions.gru()
    case is ConvUpdateGateRNN:
      states = maps("h")
      equations = try convolutions.updateGate()
    case is ConvIntersectionRNN:
      states = maps("y", "h")
      equations = try convolutions.intersection()
    case is ConvRNN:
      states = maps("h")
      equations = try convolutions.normalised(map + [hidden])
    case is ReciprocalGatedCell:
      states = maps("h", "c")
      equations = try convolutions.reciprocal(isPublished: false)
    case is PublishedReciprocalGatedCell:
      states = maps("h", "c")
      equations = try convolutions.reciprocal(isPublished: true)
    case is TimeDecay:
      states = maps("h")
      let decay = try tensors.constant("decay", in: graph)
      equations = { x, before, _ in
        let h = decay * before[0] + x
        return (h, [h])
      }
    default: return nil
    }
  }
}

/// The equations of cells on maps. In a step, maps are [N, C, Y, X].
private struct MapConvolutions {
  let map: [Int]
  let tensors: LayerTensors
  let graph: GraphBuilder

  typealias Step = MapCellGraph.Step

  /// x convolved with a weight, zero-padded to the same size.
  private func convolution(
    _ name: String, bias: String? = nil
  ) throws(ExportError) -> (GraphValue) -> GraphValue {
    let tensor = try tensors.require(name)
    let windows = ImageWindows(
      of: MapShape(height: map[0], width: map[1], channels: tensor.shape[3]),
      kernel: tensor.shape[1])
    return try ConvolutionNode(name, bias: bias, windows, tensors, in: graph).of
  }

  private func carried(_ gate: GraphValue, _ candidate: GraphValue, _ h: GraphValue) -> GraphValue {
    let share = gate.sigmoid
    return share * h + (1 - share) * candidate
  }

  func lstm(_ drive: DriveGraph) throws(ExportError) -> Step {
    let (ofInput, ofState) = (
      try convolution("weight_ih", bias: "bias"), try convolution("weight_hh")
    )
    return { x, before, number in
      let (d, kept) = drive.step(ofInput(x), before[2...], number: number)
      let gates = (d + ofState(before[0])).split(4, axis: 1)
      let c = gates[0].sigmoid * before[1] + gates[1].sigmoid * gates[3].tanh
      let h = gates[2].sigmoid * c.tanh
      return (h, [h, c] + kept)
    }
  }

  func gru() throws(ExportError) -> Step {
    let (ofInput, ofState) = (
      try convolution("weight_ih", bias: "bias"), try convolution("weight_hh")
    )
    let candidate = try convolution("weight_ch")
    return { x, before, _ in
      let (inputs, gates) = (ofInput(x).split(3, axis: 1), ofState(before[0]).split(2, axis: 1))
      let r = (inputs[0] + gates[0]).sigmoid
      let h = carried(
        inputs[1] + gates[1], (inputs[2] + candidate(r * before[0])).tanh, before[0])
      return (h, [h])
    }
  }

  /// W_ih * x + b + W_hh * h, cut into blocks.
  private func sums(
    _ count: Int
  ) throws(ExportError) -> (GraphValue, GraphValue) -> [GraphValue] {
    let (ofInput, ofState) = (
      try convolution("weight_ih", bias: tensors.find("bias") == nil ? nil : "bias"),
      try convolution("weight_hh")
    )
    return { x, h in
      let sum = ofInput(x) + ofState(h)
      return count == 1 ? [sum] : sum.split(count, axis: 1)
    }
  }

  func updateGate() throws(ExportError) -> Step {
    let sums = try sums(2)
    return { x, before, _ in
      let parts = sums(x, before[0])
      let h = carried(parts[0], parts[1].tanh, before[0])
      return (h, [h])
    }
  }

  func intersection() throws(ExportError) -> Step {
    let sums = try sums(4)
    return { x, before, _ in
      let parts = sums(x, before[1])
      let h = carried(parts[0], parts[1].tanh, before[1])
      let y = carried(parts[2], parts[3].rectified, x)
      return (y, [y, h])
    }
  }

  /// - Parameter shape: [Y, X, H], in whose order gain and shift are
  func normalised(_ shape: [Int]) throws(ExportError) -> Step {
    let sums = try sums(1)
    let norm = try NormGraph("", window: 1, tensors, in: graph)
    return { x, before, _ in
      let z = sums(x, before[0])[0].transposed([0, 2, 3, 1])
      let (y, _) = norm.apply(z.reshaped([-1, shape.reduce(1, *)]), nil)
      let h = y.reshaped([-1] + shape).transposed([0, 3, 1, 2]).elu
      return (h, [h])
    }
  }

  func reciprocal(isPublished: Bool) throws(ExportError) -> Step {
    let (ofHidden, ofCell) = (
      try convolution("weight_hidden"), try convolution("weight_cell")
    )
    func passing(_ z: GraphValue) -> GraphValue { GraphValue.apply("Neg", [z]).sigmoid }
    var published: ((GraphValue) -> (drive: GraphValue, ofCell: GraphValue, gate: GraphValue))?
    if isPublished {
      let (forward, toCell, gate) = (
        try convolution("weight_ff", bias: "bias_ff"), try convolution("weight_ic"),
        try convolution("weight_rg")
      )
      published = { x in
        let drive = forward(x).elu
        return (drive, toCell(drive), gate(x))
      }
    }
    return { x, before, _ in
      let hidden = ofHidden(before[0]).split(2, axis: 1)
      let cell = ofCell(before[1]).split(2, axis: 1)
      let own = published?(x)
      let (drive, toCell) = (own?.drive ?? x, own?.ofCell ?? x)
      let gate = own.map { cell[1] + $0.gate } ?? cell[1]
      let c = (passing(hidden[0]) * toCell + passing(cell[0]) * before[1]).elu
      let h = (passing(gate) * drive + passing(hidden[1]) * before[0]).elu
      return (h, [h, c])
    }
  }
}
