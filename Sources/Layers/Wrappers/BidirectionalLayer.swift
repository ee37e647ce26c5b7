// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// Two layers over the same sequences; the second reads from the end to the start.
///
///     y_t = [forward(x)_t, reverse(x)_t]
///
/// The second layer reads each sequence from its last valid step to its first, with times that
/// count from there: τ_t becomes τ_len - τ_{len-1-t}. Neither layer takes a state, because a
/// sequence cannot be read from its end before the end is known.
public struct BidirectionalLayer<Scalar: KernelScalar>: CompositeLayer {
  /// Reads each sequence from its first step.
  public let forwardLayer: any SequenceLayer<Scalar>
  /// Reads each sequence from its last valid step.
  public let reverseLayer: any SequenceLayer<Scalar>
  private let name: LayerName

  /// Both layers read the same input and have outputs of the same shape.
  public init(
    _ forward: any SequenceLayer<Scalar>, _ reverse: any SequenceLayer<Scalar>,
    named name: LayerName
  ) {
    precondition(
      forward.inputFeatures == reverse.inputFeatures && forward.features == reverse.features
        && forward.features.count == 1, "two directions of two shapes")
    forwardLayer = forward
    reverseLayer = reverse
    self.name = name
  }

  public var parts: [any SequenceLayer<Scalar>] { [forwardLayer, reverseLayer] }
  /// H, units of one direction.
  fileprivate var hidden: Int { forwardLayer.outputs }

  public var inputFeatures: [Int] { forwardLayer.inputFeatures }
  public var features: [Int] { [2 * hidden] }
  public var states: [NamedShape] { [] }

  public func forward(
    _ input: SequenceInput<Scalar>, from state: LayerState<Scalar>?,
    _ parameters: ParameterBuffer<Scalar>, keeping: LayerKeeping, in workspace: Workspace<Scalar>
  ) -> any LayerPass<Scalar> {
    precondition(state == nil, "a layer in both directions takes no state")
    let order = TimeReversal(input)
    let memory = LayerMemory(workspace, name)
    let seen = memory.tensor("reversed", input.values.shape)
    order.copy(inputs, input.values, to: seen)
    let kept = keeping.subtracting(.finalState)
    var reversed = input.with(seen)
    if let times = input.times, reverseLayer.readsTimes { reversed.times = order.reversing(times) }
    let passes = [(forwardLayer, input), (reverseLayer, reversed)].map { layer, input in
      layer.forward(input, from: nil, parameters, keeping: kept, in: workspace)
    }
    let joined = memory.tensor("both", [input.steps, input.rows, 2 * hidden])
    for direction in 0..<2 {
      joined.copy(
        hidden, columnsOf: passes[direction].output,
        RowSelection(order.rows(direction), width: hidden),
        to: RowSelection(order.inOrder, width: 2 * hidden, column: direction * hidden))
    }
    return BidirectionalPass(
      layer: self, order: order, passes: passes, output: joined, memory: memory)
  }

  public func workingNumbers(
    steps T: Int, rows N: Int, threads: Int, isTraining: Bool
  ) -> Double {
    // The reversed input, and for each direction its output and the gradient of the output.
    let cells = Double(T) * Double(N)
    let own = cells * Double(inputs + (isTraining ? 4 : 2) * hidden)
    return parts.reduce(own) {
      $0 + $1.workingNumbers(steps: T, rows: N, threads: threads, isTraining: isTraining)
    }
  }
}

private struct BidirectionalPass<Scalar: KernelScalar>: LayerPass {
  let layer: BidirectionalLayer<Scalar>
  let order: TimeReversal
  let passes: [any LayerPass<Scalar>]
  let output: Tensor<Scalar>
  let memory: LayerMemory<Scalar>

  var final: LayerState<Scalar>? { nil }

  func backward(
    _ gradient: OutputGradient<Scalar>, into gradients: ShardedBuffer<Scalar>, wantsInput: Bool,
    initial: LayerState<Scalar>?
  ) -> Tensor<Scalar>? {
    guard let dy = gradient.steps, gradient.lastStep == nil, gradient.final == nil else {
      preconditionFailure("a layer in both directions takes only the gradient of every step")
    }
    let hidden = layer.hidden
    var dInput: Tensor<Scalar>?
    for direction in 0..<2 {
      let part = memory.tensor("dy\(direction)", passes[direction].output.shape)
      part.copy(
        hidden, columnsOf: dy,
        RowSelection(order.rows(direction), width: 2 * hidden, column: direction * hidden),
        to: RowSelection(order.inOrder, width: hidden))
      let dx = passes[direction].backward(
        OutputGradient(steps: part), into: gradients, wantsInput: wantsInput, initial: nil)
      if direction == 0 {
        dInput = dx
      } else if let dx, let dInput {
        dInput.add(
          layer.inputs, columnsOf: dx, RowSelection(order.reversed, width: layer.inputs),
          to: RowSelection(order.inOrder, width: layer.inputs))
      }
    }
    return dInput
  }
}

/// The rows of [T·N] in the order of time and in the reverse order: (len - 1 - t, n) replaces
/// (t, n). Rows after the end of a sequence stay in place.
private struct TimeReversal {
  let inOrder: [Int]
  let reversed: [Int]
  /// The valid steps of each row.
  private let lengths: [Int]

  init<Scalar>(_ input: SequenceInput<Scalar>) {
    let (T, N) = (input.steps, input.rows)
    let lengths = input.lengths ?? Array(repeating: T, count: N)
    inOrder = Array(0..<T * N)
    reversed = inOrder.map { row in
      let (t, n) = (row / N, row % N)
      return t < lengths[n] ? (lengths[n] - 1 - t) * N + n : row
    }
    self.lengths = lengths
  }

  func rows(_ direction: Int) -> [Int] { direction == 0 ? inOrder : reversed }

  /// The time from each step to the last valid step of its sequence, in reverse order, starting at
  /// 0. After the end of a sequence the last of these is repeated.
  func reversing(_ times: Tensor<Double>) -> Tensor<Double> {
    let (T, N) = (times.shape[0], times.shape[1])
    let result = Tensor<Double>(shape: times.shape)
    for n in 0..<N {
      let last = lengths[n] - 1
      for t in 0..<T {
        result[t * N + n] = times[last * N + n] - times[max(last - t, 0) * N + n]
      }
    }
    return result
  }

  /// Writes the rows of width `count` in reverse order.
  func copy<Scalar: KernelScalar>(
    _ count: Int, _ source: Tensor<Scalar>, to target: Tensor<Scalar>
  ) {
    target.copy(
      count, columnsOf: source, RowSelection(reversed, width: count),
      to: RowSelection(inOrder, width: count))
  }
}
