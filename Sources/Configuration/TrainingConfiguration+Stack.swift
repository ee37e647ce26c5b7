import Layers
import Models

extension TrainingConfiguration {
  /// The recurrent layers.
  public var stack: StackSpecification {
    let factory = model.cell.system.layers(
      mu: model.mu, epsilon: model.epsilon, beta: model.beta, restart: model.restart,
      orthogonal: model.orthogonal)
    var stack = StackSpecification(
      LayerSpecification(factory, hidden: model.hiddenSize), layers: model.layers,
      bidirectional: model.bidirectional)
    stack.recomputeEvery = model.recomputeEvery
    return stack
  }
}
