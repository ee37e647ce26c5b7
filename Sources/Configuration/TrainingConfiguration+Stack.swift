import Layers
import Models

extension TrainingConfiguration.Model {
  /// The constants that its keys give; a cell takes some of them.
  package var constants: CellConstants {
    var constants = CellConstants(
      mu: mu, epsilon: epsilon, beta: beta, restart: restart, window: window,
      carryWindow: carryWindow)
    constants.memory = memory
    return constants
  }
}

extension TrainingConfiguration {
  /// The recurrent layers.
  public var stack: StackSpecification {
    var constants = model.constants
    constants.transformer = ndt.settings
    let factory = model.system.layers(constants, orthogonal: model.orthogonal)
    var stack = StackSpecification(
      LayerSpecification(factory, hidden: model.hiddenSize), layers: model.layers,
      bidirectional: model.bidirectional)
    stack.recomputeEvery = model.recomputeEvery
    return stack
  }
}
