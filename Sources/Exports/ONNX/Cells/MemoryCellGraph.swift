// SPDX-License-Identifier: Apache-2.0

import Layers

/// A cell around memories, HiPPO's gated cell or a Legendre memory unit; `MemoryCell` and the
/// families have the equations. M memories of N coefficients.
struct MemoryCellGraph: CellGraph {
  private let memory: MemoryGraph
  private let isGated: Bool
  private let hidden: Int
  private let channels: Int
  private let order: Int
  private let inputWeight: GraphValue
  private let inputBias: GraphValue?
  private let stateWeight: GraphValue
  /// [M, N], of a memory unit.
  private let feedback: GraphValue?
  /// The weights of the input, of the memory and of the state, whose products are summed to the
  /// candidate and the gate.
  private let toState: (input: GraphValue, bias: GraphValue?, memory: GraphValue)
  private let recurrent: GraphValue?

  init(
    _ measure: MemoryMeasure, _ discretization: Discretization, isGated: Bool,
    _ constants: MemoryConstants, _ tensors: LayerTensors, in graph: GraphBuilder
  ) throws(ExportError) {
    self.isGated = isGated
    let weight = try tensors.require("weight_uh")
    (channels, hidden) = (weight.shape[0], weight.shape[1])
    order = try tensors.require("weight_hm").shape[1] / channels
    memory = try MemoryGraph(
      measure, constants.discretization ?? discretization, order: order, constants, in: graph)
    inputWeight = try tensors.transposed("weight_ux", in: graph)
    inputBias = try tensors.constantIfAny("bias_u", in: graph)
    stateWeight = try tensors.transposed("weight_uh", in: graph)
    feedback = try tensors.constantIfAny("weight_um", in: graph)
    toState = (
      try tensors.transposed("weight_hx", in: graph),
      try tensors.constantIfAny("bias_h", in: graph),
      try tensors.transposed("weight_hm", in: graph)
    )
    recurrent =
      tensors.find("weight_hh") == nil ? nil : try tensors.transposed("weight_hh", in: graph)
  }

  var states: [(name: String, shape: [Int])] {
    [("h", [hidden]), ("m", [channels, order])]
  }
  var usesStepNumber: Bool { memory.isScaled }

  func step(
    _ x: GraphValue, _ before: [GraphValue], number: GraphValue
  ) -> (y: GraphValue, after: [GraphValue]) {
    let (h, m) = (before[0], before[1])
    var u = x.times(inputWeight) + h.times(stateWeight)
    if let inputBias { u = u + inputBias }
    if let feedback { u = u + (m * feedback).sum(axes: [2], keepingAxes: false) }
    let after = memory.step(m, u, number: number)
    var z =
      x.times(toState.input) + after.reshaped([-1, channels * order]).times(toState.memory)
    if let bias = toState.bias { z = z + bias }
    if let recurrent { z = z + h.times(recurrent) }
    guard isGated else {
      let h = z.tanh
      return (h, [h, after])
    }
    let parts = z.split(2, axis: 1)
    let gate = parts[1].sigmoid
    let new = (1 - gate) * h + gate * parts[0].tanh
    return (new, [new, after])
  }
}

/// A step of memories m [N, M, order] with inputs u [N, M], in Double.
private struct MemoryGraph {
  /// Whether the step depends on its number.
  var isScaled: Bool { scaled != nil }

  private let order: Int
  /// (Ā - 1)ᵀ and B̄ of a step that does not depend on its number.
  private let fixed: (change: GraphValue, input: GraphValue)?
  private let scaled: ScaledSystem?

  /// dm/dt = (A m + B u) / t.
  private struct ScaledSystem {
    let transposed: GraphValue
    /// B, whose elements are also the factors of A, and n + 1, each [order].
    let roots: GraphValue
    let places: GraphValue
    let newShare: Double
    let maximumSteps: Int
  }

  init(
    _ measure: MemoryMeasure, _ discretization: Discretization, order: Int,
    _ constants: MemoryConstants, in graph: GraphBuilder
  ) throws(ExportError) {
    self.order = order
    let (a, b) = measure.system(order: order)
    if measure == .scaledLegendre {
      guard let share = discretization.newShare else {
        throw ExportError(
          "model.discretization is zoh, which an ONNX file cannot hold for hippo_legs, because each"
            + " step has a matrix of its own; write a file that ends in .safetensors")
      }
      fixed = nil
      scaled = ScaledSystem(
        transposed: graph.doubles(a.transposed.values.array, shape: [order, order]),
        roots: graph.doubles(b, shape: [order]),
        places: graph.doubles((1...order).map(Double.init), shape: [order]), newShare: share,
        maximumSteps: constants.maximumSteps)
    } else {
      do {
        let system = try discretization.discretize(a, b, step: constants.step)
        let change = Matrix.addingIdentity(-1, to: system.a).transposed
        fixed = (
          graph.doubles(change.values.array, shape: [order, order]),
          graph.doubles(system.b, shape: [order])
        )
      } catch {
        throw ExportError("the matrix of a memory of order \(order): \(error)")
      }
      scaled = nil
    }
  }

  func step(_ m: GraphValue, _ u: GraphValue, number: GraphValue) -> GraphValue {
    let (m, u) = (m.cast(to: .double), u.cast(to: .double).expandingAxes([2]))
    if let fixed {
      return (m + m.times(fixed.change) + u * fixed.input).cast(to: .float)
    }
    return scaledStep(m, u, number).cast(to: .float)
  }

  /// (I - b A) m' = (I + a A) m + D B u, D = 1 / t, a + b = D; the first input fills the memory.
  private func scaledStep(
    _ m: GraphValue, _ u: GraphValue, _ number: GraphValue
  ) -> GraphValue {
    guard let scaled, let graph = m.graph else { return m }
    func double(_ value: Double) -> GraphValue { graph.doubles([value], shape: [1]) }
    let zero = graph.whole(0)
    let isFirst = GraphValue.apply("Equal", [number, zero])
    var now = GraphValue.apply("Max", [number, graph.whole(1)])
    if scaled.maximumSteps > 0 {
      now = .apply("Min", [now, graph.whole(scaled.maximumSteps)])
    }
    let size = double(1) / now.cast(to: .double)
    let new = size * double(scaled.newShare)
    let right =
      m + size * double(1 - scaled.newShare) * m.times(scaled.transposed)
      + size * u * scaled.roots
    // Each coefficient needs one sum over those before it.
    let sum = GraphValue.apply("Mul", [u.droppingAxes([2]), double(0)])
    let (_, solved) = graph.scan(
      [sum], over: [right.transposed([2, 0, 1]), scaled.roots, scaled.places]
    ) { before, elements in
      let (r, root, place) = (elements[0], elements[1], elements[2])
      let value = (r - new * root * before[0]) / (double(1) + new * place)
      return ([before[0] + root * value], [value])
    }
    let next = solved[0].transposed([1, 2, 0])
    // (u, 0, 0 ...)
    let unit = graph.doubles([1.0] + Array(repeating: 0.0, count: order - 1), shape: [order])
    return (u * unit).kept(where: isFirst, otherwise: next)
  }
}
