// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import KernelInterface
import Layers
import Tensors

/// A drive and a body; `FusedLayer` has the equations.
struct DrivenCellGraph: CellGraph {
  private let drive: DriveGraph
  private let body: BodyKind
  private let hidden: Int
  private let width: Int
  private let inputWeight: GraphValue
  private let inputBias: GraphValue?
  private let recurrentWeight: GraphValue
  private let recurrentBias: GraphValue?
  /// The bias of modReLU.
  private let unitBias: GraphValue?

  init(
    _ drive: DriveParameters, _ body: BodyKind, orthogonal: OrthogonalSettings?,
    _ tensors: LayerTensors, in graph: GraphBuilder
  ) throws(ExportError) {
    (self.drive, self.body) = (DriveGraph(drive: drive), body)
    width = try tensors.require("weight_ih").shape[0]
    inputWeight = try tensors.transposed("weight_ih", in: graph)
    inputBias = try tensors.constantIfAny("bias_ih", in: graph)
    recurrentBias = try tensors.constantIfAny("bias_hh", in: graph)
    unitBias = try tensors.constantIfAny("bias", in: graph)
    if let orthogonal {
      let skew = try tensors.require("skew")
      hidden = skew.shape[0]
      let weight = try Self.orthogonalMatrix(skew, try tensors.require("base"), orthogonal)
      recurrentWeight = graph.constant(weight, shape: [hidden, hidden], named: "orthogonal")
    } else {
      hidden = try tensors.require("weight_hh").shape[1]
      recurrentWeight = try tensors.transposed("weight_hh", in: graph)
    }
  }

  /// P = Q φ(S) of a trained layer.
  private static func orthogonalMatrix(
    _ skew: CheckpointTensor, _ base: CheckpointTensor, _ settings: OrthogonalSettings
  ) throws(ExportError) -> [Float] {
    func matrix(_ tensor: CheckpointTensor) -> Matrix {
      Matrix(Tensor(tensor.values.map(Double.init), shape: tensor.shape))
    }
    do {
      let s = MatrixFunctions.skew(matrix(skew))
      let map =
        settings.map == .cayley
        ? try MatrixFunctions.cayley(s) : try MatrixFunctions.exponential(s)
      return (matrix(base) * map).values.array.map { Float($0) }
    } catch {
      throw ExportError("\(skew.path): \(error); name another checkpoint")
    }
  }

  var states: [(name: String, shape: [Int])] {
    (body == .lstm ? ["h", "c"] : ["h"]).map { ($0, [hidden]) }
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
    let product = before[0].times(recurrentWeight)
    let a = recurrentBias.map { product + $0 } ?? product
    if drive.drive.kind == .nesterovExtrapolated {
      let (z, carried) = drive.extrapolated(g, a, before[own], number: number)
      let (h, after) = BodyGraph.step(body, z, nil, before, unitBias)
      return (h, after + carried)
    }
    let (d, carried) = drive.step(g, before[own...], number: number)
    let (h, after) = BodyGraph.step(body, d, a, before, unitBias)
    return (h, after + carried)
  }
}

/// The bodies; `Kernels/Formulas/Bodies` has the equations.
enum BodyGraph {
  /// - Parameters:
  ///   - d: the term of the drive, or, without a, the whole pre-activation
  ///   - a: the recurrent term
  ///   - before: h, or h and c
  ///   - bias: of modReLU
  /// - Returns: h, and the states of the body
  static func step(
    _ body: BodyKind, _ d: GraphValue, _ a: GraphValue?, _ before: [GraphValue],
    _ bias: GraphValue?
  ) -> (h: GraphValue, after: [GraphValue]) {
    func sum() -> GraphValue { a.map { d + $0 } ?? d }
    switch body {
    case .tanh:
      let h = sum().tanh
      return (h, [h])
    case .lstm:
      let gates = sum().split(4, axis: 1)
      let c = gates[1].sigmoid * before[1] + gates[0].sigmoid * gates[2].tanh
      let h = gates[3].sigmoid * c.tanh
      return (h, [h, c])
    case .gru:
      guard let a else { preconditionFailure("a GRU needs both of its terms") }
      let h = gru(d, a, before[0])
      return (h, [h])
    case .modReLU:
      guard let bias else { preconditionFailure("modReLU needs its bias") }
      let z = sum()
      let h = z.sign * (z.magnitude + bias).rectified
      return (h, [h])
    }
  }

  /// With the reset gate after the product.
  static func gru(_ d: GraphValue, _ a: GraphValue, _ h: GraphValue) -> GraphValue {
    let (d, a) = (d.split(3, axis: 1), a.split(3, axis: 1))
    let (r, z) = ((d[0] + a[0]).sigmoid, (d[1] + a[1]).sigmoid)
    let n = (d[2] + r * a[2]).tanh
    return (1 - z) * n + z * h
  }
}
