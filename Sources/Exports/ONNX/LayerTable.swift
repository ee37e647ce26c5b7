// SPDX-License-Identifier: Apache-2.0

import Configuration
import KernelInterface
import Layers

/// Finds the nodes of each system.
struct LayerTable {
  let model: TrainingConfiguration.Model
  /// The settings of a transformer encoder.
  let encoder: TransformerKeys
  /// Y, X and C of the inputs, if they are maps.
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
      if family is GraphOfLayers { return ScannedLayer(cell: try layersOnMaps(tensors)) }
      let place = map.map { (map: $0, hidden: model.hiddenSize) }
      guard
        let cell = try cell(
          family, DriveParameters(.plain), system.constants(model.constants), on: place, tensors)
      else { throw unknown }
      return ScannedLayer(cell: cell)
    case .transformer:
      return try EncoderGraph(encoder, layers: model.layers, tensors, in: graph)
    }
  }

  private func layersOnMaps(_ tensors: LayerTensors) throws(ExportError) -> any CellGraph {
    guard let map,
      let graph = model.constants.graph
        ?? (try? LayerGraph("layer1: input, channels \(model.hiddenSize)"))
    else { throw unknown }
    return try LayersOnMapsGraph(graph, map: map, tensors, in: self.graph) {
      (node, tensors) throws(ExportError) in
      guard let name = node.said.cell else { return nil }
      guard let system = RecurrentSystem(named: name), case .unrolled(let family) = system.design,
        let cell = try cell(
          family, DriveParameters(.plain), system.constants(model.constants),
          on: ([node.map.height, node.map.width], node.map.channels), tensors)
      else { throw unknown }
      return cell
    }
  }

  /// - Parameters:
  ///   - own: the constants of the cell
  ///   - place: the size of its maps and their channels, if it reads maps
  private func cell(
    _ family: any CellFamily, _ drive: DriveParameters, _ own: CellConstants,
    on place: (map: [Int], hidden: Int)?, _ tensors: LayerTensors
  ) throws(ExportError) -> (any CellGraph)? {
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
      return try cell(driven.family, drive, own, on: place, tensors)
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
      guard let place else { return nil }
      return try MapCellGraph(
        family, drive: drive, map: Array(place.map[..<2]), hidden: place.hidden, tensors, in: graph)
    }
  }

  private var unknown: ExportError {
    ExportError(
      "model.cell is \(model.system.name), which has no nodes of ONNX; write a file that ends in"
        + " .safetensors, which Examples/momentum_dist_torch runs in PyTorch")
  }
}
