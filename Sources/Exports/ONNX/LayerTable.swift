// SPDX-License-Identifier: Apache-2.0

import Configuration
import KernelInterface
import Layers

/// Finds the nodes of each system.
struct LayerTable {
  let model: TrainingConfiguration.Model
  /// Of a transformer encoder.
  let encoder: TransformerKeys
  /// Y and X of the inputs, if they are maps.
  let map: [Int]?
  let graph: GraphBuilder

  /// The layer with these tensors.
  ///
  /// - Throws: `ExportError` that names a cell without nodes
  func layer(_ tensors: LayerTensors) throws(ExportError) -> any ExportedLayer {
    let system = model.system
    switch system.design {
    case .fused(_, let body, let orthogonal):
      guard let made = system.layers(model.constants) as? FusedLayerFactory else {
        throw unknown
      }
      if made.drive.kind == .plain, orthogonal == nil {
        return try StandardLayer(body, tensors, in: graph)
      }
      return ScannedLayer(
        cell: try DrivenCellGraph(
          made.drive, body, orthogonal: orthogonal, tensors, in: graph))
    case .unrolled(let family):
      if family is GRU { return try StandardLayer(.gru, tensors, in: graph) }
      let plain = DriveParameters(.plain)
      guard let cell = try cell(family, plain, tensors) else { throw unknown }
      return ScannedLayer(cell: cell)
    case .transformer:
      return try EncoderGraph(encoder, layers: model.layers, tensors, in: graph)
    }
  }

  private func cell(
    _ family: any CellFamily, _ drive: DriveParameters, _ tensors: LayerTensors
  ) throws(ExportError) -> (any CellGraph)? {
    let own = model.system.constants(model.constants)
    func normalised(
      _ normalization: Normalization, _ body: BodyKind
    ) throws(ExportError) -> any CellGraph {
      try NormalizedCellGraph(
        drive, body, window: normalization == .assortedTime ? own.window : 1, tensors, in: graph)
    }
    switch family {
    case let driven as DrivenCell:
      let drive = DriveParameters(
        driven.drive, mu: own.mu, epsilon: own.epsilon, beta: own.beta, restart: own.restart)
      return try cell(driven.family, drive, tensors)
    case let family as NormalizedRNN: return try normalised(family.normalization, .tanh)
    case let family as NormalizedLSTM: return try normalised(family.normalization, .lstm)
    case let family as NormalizedGRU: return try normalised(family.normalization, .gru)
    case let family as HiPPO:
      return try MemoryCellGraph(
        family.measure, family.discretization, isGated: true, own.memory, tensors, in: graph)
    case let family as LegendreMemoryUnit:
      return try MemoryCellGraph(
        .legendreUnit, .zeroOrderHold, isGated: family.isGated, own.memory, tensors, in: graph)
    default:
      guard let map else { return nil }
      return try MapCellGraph(
        family, drive: drive, map: map, hidden: model.hiddenSize, tensors, in: graph)
    }
  }

  private var unknown: ExportError {
    ExportError(
      "model.cell is \(model.system.name), which has no nodes of ONNX; write a file that ends in"
        + " .safetensors, which Examples/momentum_dist_torch runs in PyTorch")
  }
}
