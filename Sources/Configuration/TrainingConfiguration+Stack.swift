// SPDX-License-Identifier: Apache-2.0

import Layers
import Models

extension TrainingConfiguration.Model {
  /// The constants that the keys set; each cell uses some of them.
  package var constants: CellConstants {
    var constants = CellConstants(
      mu: mu, epsilon: epsilon, beta: beta, restart: restart, window: window,
      carryWindow: carryWindow)
    constants.memory = memory
    constants.map.kernel = kernelSize
    // An invalid text was refused when the configuration was read.
    if !graph.isEmpty { constants.graph = try? LayerGraph(graph) }
    return constants
  }
}

extension TrainingConfiguration.Model {
  /// The cells of a graph's nodes; nil unless the layers are a valid graph.
  var systemsOfGraph: [RecurrentSystem]? {
    guard system.hyperparameters.contains(.graph), let graph = try? LayerGraph(graph) else {
      return nil
    }
    return graph.nodes.compactMap { $0.cell.flatMap { RecurrentSystem(named: $0) } }
  }
}

extension TrainingConfiguration {
  /// The recurrent layers.
  public var stack: StackSpecification { stack(constants: model.constants) }

  /// The recurrent layers over the steps of a data set.
  ///
  /// - Parameter map: the shape [Y, X, C] of a step, if it is a map
  /// - Throws: `ConfigurationError` if a cell cannot read such steps
  public func stack(on map: [Int]?) throws(ConfigurationError) -> StackSpecification {
    let system = model.system
    guard system.readsMaps else { return stack }
    guard let map else {
      throw ConfigurationError(
        "model.cell is \(system.name), which reads images; set dataset.view=image")
    }
    if system.addsInput, map[2] != model.hiddenSize {
      throw ConfigurationError(
        "model.cell is \(system.name), which adds its input to its state, and model.hidden_size"
          + " \(model.hiddenSize), but images have \(map[2]) channels; set"
          + " model.hidden_size=\(map[2]), or put a convolution before it with model.cell=graph")
    }
    var constants = model.constants
    (constants.map.height, constants.map.width) = (map[0], map[1])
    do {
      try constants.graph?.check(height: map[0], width: map[1], channels: map[2])
    } catch {
      throw ConfigurationError("model.graph: \(error)")
    }
    return stack(constants: constants)
  }

  private func stack(constants given: CellConstants) -> StackSpecification {
    var constants = given
    constants.transformer = ndt.settings
    let factory = model.system.layers(constants, orthogonal: model.orthogonal)
    var stack = StackSpecification(
      LayerSpecification(factory, hidden: model.hiddenSize), layers: model.layers,
      bidirectional: model.bidirectional)
    stack.recomputeEvery = model.recomputeEvery
    return stack
  }

  /// Refuses an invalid graph, and cells on maps if steps are not maps.
  func checkMaps() throws(ConfigurationError) {
    let system = model.system
    guard system.readsMaps else { return }
    guard dataset.task == .classification else {
      throw ConfigurationError(
        "model.cell is \(system.name), which reads images, but dataset.task is"
          + " \(dataset.task.rawValue), which has none; set dataset.task=classification with"
          + " dataset.view=image, or choose another cell")
    }
    guard dataset.view == .image else {
      throw ConfigurationError(
        "model.cell is \(system.name), which reads images, but dataset.view is"
          + " \(dataset.view.rawValue); set dataset.view=image")
    }
    if model.bidirectional {
      throw ConfigurationError(
        "model.bidirectional is true and model.cell \(system.name) runs forward only;"
          + " set model.bidirectional=false")
    }
    guard system.hyperparameters.contains(.graph) else { return }
    if model.layers > 1 {
      throw ConfigurationError(
        "model.cell is graph and model.layers \(model.layers); write all layers as nodes of"
          + " model.graph and set model.layers=1")
    }
    do {
      if !model.graph.isEmpty { _ = try LayerGraph(model.graph) }
    } catch {
      throw ConfigurationError("model.graph: \(error)")
    }
  }
}
