// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// Layers stacked on top of one another.
///
///     h^0 = x,  h^{l+1} = layer_l(h^l)
///
/// The states of level l have the suffix `_l` and its number.
public struct LayerStack<Scalar: KernelScalar>: CompositeLayer {
  /// From the lowest up.
  public let levels: [any SequenceLayer<Scalar>]
  public var parts: [any SequenceLayer<Scalar>] { levels }

  public init(_ levels: [any SequenceLayer<Scalar>]) {
    precondition(!levels.isEmpty, "a stack needs a layer")
    self.levels = levels
  }

  public var inputFeatures: [Int] { levels[0].inputFeatures }
  public var features: [Int] { levels[levels.count - 1].features }
  public var states: [NamedShape] {
    levels.enumerated().flatMap { level, layer in
      layer.states.map { NamedShape(Self.name($0.name, level), $0.shape) }
    }
  }

  public func forward(
    _ input: SequenceInput<Scalar>, from state: LayerState<Scalar>?,
    _ parameters: ParameterBuffer<Scalar>, keeping: LayerKeeping, in workspace: Workspace<Scalar>
  ) -> any LayerPass<Scalar> {
    var passes: [any LayerPass<Scalar>] = []
    var values = input.values
    for (level, layer) in levels.enumerated() {
      passes.append(
        layer.forward(
          input.with(values), from: state.map { part(of: $0, level) }, parameters,
          keeping: keeping, in: workspace))
      values = passes[level].output
    }
    return StackPass(stack: self, passes: passes)
  }

  /// An estimate of the memory of all levels, and of the values between them.
  public func workingNumbers(
    steps T: Int, rows N: Int, threads: Int, isTraining: Bool
  ) -> Double {
    let cells = Double(T) * Double(N)
    return levels.enumerated().reduce(0) { sum, level in
      let (index, layer) = level
      // The output, and above the lowest level the gradient of the input.
      let passed = layer.outputs + (isTraining && index > 0 ? layer.inputs : 0)
      return sum + cells * Double(passed)
        + layer.workingNumbers(steps: T, rows: N, threads: threads, isTraining: isTraining)
    }
  }

  private static func name(_ state: String, _ level: Int) -> String { "\(state)_l\(level)" }

  /// The state of a level, under the layer's own names.
  fileprivate func part(of state: LayerState<Scalar>, _ level: Int) -> LayerState<Scalar> {
    LayerState(
      levels[level].states.map { own in
        guard let tensor = state[Self.name(own.name, level)] else {
          preconditionFailure("the state has no \(Self.name(own.name, level))")
        }
        return (own.name, tensor)
      })
  }

  fileprivate func joined(_ states: [LayerState<Scalar>?]) -> LayerState<Scalar>? {
    guard states.allSatisfy({ $0 != nil }) else { return nil }
    return LayerState(
      states.enumerated().flatMap { level, state in
        state!.named.map { (Self.name($0.name, level), $0.tensor) }
      })
  }
}

private struct StackPass<Scalar: KernelScalar>: LayerPass {
  let stack: LayerStack<Scalar>
  let passes: [any LayerPass<Scalar>]

  var output: Tensor<Scalar> { passes[passes.count - 1].output }
  var final: LayerState<Scalar>? { stack.joined(passes.map { $0.final }) }

  func backward(
    _ gradient: OutputGradient<Scalar>, into gradients: ShardedBuffer<Scalar>, wantsInput: Bool,
    initial: LayerState<Scalar>?
  ) -> Tensor<Scalar>? {
    var above = gradient
    for (level, pass) in passes.enumerated().reversed() {
      above.final = gradient.final.map { stack.part(of: $0, level) }
      let below = pass.backward(
        above, into: gradients, wantsInput: wantsInput || level > 0,
        initial: initial.map { stack.part(of: $0, level) })
      gradients.whenFinal(stack.levels[level].start(in: gradients.layout))
      above = OutputGradient(steps: below)
    }
    return above.steps
  }
}
