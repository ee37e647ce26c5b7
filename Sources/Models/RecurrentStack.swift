import BLAS
import Cells
import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// Recurrent layers, one on top of the other, in one direction or in both.
///
///     h^0 = x,  h^{l+1} = layer_l(h^l)
///     both directions:  h^{l+1}_t = [forward_l(h^l)_t, reverse_l(h^l)_t]
///
/// The reverse layer reads each sequence from its last valid step to its first. D is 1 or 2, the
/// number of directions; parameters of the second have PyTorch's suffix `_reverse`.
struct RecurrentStack<Scalar: KernelScalar> {
  /// The layers of each level: one, or the forward and the reverse one.
  let levels: [[RecurrentLayer<Scalar>]]

  init(_ specification: StackSpecification, inputs: Int) {
    let directions = specification.isBidirectional ? ["", "_reverse"] : [""]
    levels = (0..<specification.layers).map { level in
      directions.map { direction in
        var layer = RecurrentLayer<Scalar>(
          drive: specification.drive, body: specification.body,
          orthogonal: specification.orthogonal,
          inputs: level == 0 ? inputs : directions.count * specification.hidden,
          hidden: specification.hidden, prefix: "rnn.", suffix: "_l\(level)\(direction)")
        layer.recomputeEvery = specification.recomputeEvery
        return layer
      }
    }
  }

  var layers: [RecurrentLayer<Scalar>] { levels.flatMap { $0 } }
  var directions: Int { levels[0].count }
  var hidden: Int { levels[0][0].hidden }
  /// D·H, the width of the output.
  var outputs: Int { directions * hidden }

  // MARK: Forward

  /// What `forward` leaves for `backward`.
  struct Activations {
    /// The input of each level, and the output of the last, [T, N, ·].
    var levels: [Tensor<Scalar>]
    /// Of each level and direction: the input as the layer saw it, its output, what it saved.
    var passes: [[(x: Tensor<Scalar>, y: Tensor<Scalar>, saved: Tensor<Scalar>?)]]

    var output: Tensor<Scalar> { levels[levels.count - 1] }
  }

  /// Runs all layers over x [T, N, C].
  ///
  /// - Parameter lengths: the valid steps of each row; nil where all are T
  func forward(
    _ x: Tensor<Scalar>, lengths: [Int]?, _ parameters: ParameterBuffer<Scalar>,
    isTraining: Bool, in workspace: Workspace<Scalar>
  ) -> Activations {
    let (T, N) = (x.shape[0], x.shape[1])
    let reversal = directions == 2 ? reversal(steps: T, rows: N, lengths: lengths) : []
    let inOrder = Array(0..<T * N)
    var result = Activations(levels: [x], passes: [])
    for (level, layers) in levels.enumerated() {
      let input = result.output
      var passes: [(x: Tensor<Scalar>, y: Tensor<Scalar>, saved: Tensor<Scalar>?)] = []
      for (direction, layer) in layers.enumerated() {
        let name = "\(level).\(direction)"
        let geometry = layer.geometry(steps: T, rows: N)
        var seen = input
        if direction == 1 {
          seen = workspace.tensor("reversed\(level)", input.shape)
          let width = layer.inputs
          seen.copy(
            width, columnsOf: input, RowSelection(reversal, width: width),
            to: RowSelection(inOrder, width: width))
        }
        let y = workspace.tensor("y\(name)", [T, N, hidden])
        let saved =
          isTraining
          ? workspace.tensor("saved\(name)", [RecurrentLayerKernels<Scalar>.savedCount(geometry)])
          : nil
        RecurrentLayerKernels.forward(
          geometry, weights: layer.weights(parameters), x: seen, initial: nil, y: y, saved: saved,
          final: nil)
        passes.append((seen, y, saved))
      }
      result.passes.append(passes)
      result.levels.append(
        directions == 1
          ? passes[0].y : joined(passes.map(\.y), level: level, reversal, in: workspace))
    }
    return result
  }

  /// Row of [T·N] that the reverse direction has in the place of each: (len - 1 - t, n). What lies
  /// beyond the end of a sequence stays where it is.
  private func reversal(steps T: Int, rows N: Int, lengths: [Int]?) -> [Int] {
    (0..<T * N).map { row in
      let (t, n) = (row / N, row % N)
      let length = lengths?[n] ?? T
      return t < length ? (length - 1 - t) * N + n : row
    }
  }

  /// [T, N, 2H] of both directions, in the order of time.
  private func joined(
    _ outputs: [Tensor<Scalar>], level: Int, _ reversal: [Int], in workspace: Workspace<Scalar>
  ) -> Tensor<Scalar> {
    let shape = outputs[0].shape
    let both = workspace.tensor("both\(level)", [shape[0], shape[1], 2 * hidden])
    let inOrder = Array(0..<shape[0] * shape[1])
    for (direction, rows) in [inOrder, reversal].enumerated() {
      both.copy(
        hidden, columnsOf: outputs[direction], RowSelection(rows, width: hidden),
        to: RowSelection(inOrder, width: 2 * hidden, column: direction * hidden))
    }
    return both
  }

  // MARK: Backward

  /// The gradient of the output: of every step, or, in one direction, of the last one alone.
  enum OutputGradient {
    case everyStep(Tensor<Scalar>)  // [T, N, D·H]
    case lastStep(Tensor<Scalar>)  // [N, H]
  }

  /// Runs all layers backward, adding to the gradients of each shard.
  func backward(
    _ gradient: OutputGradient, through activations: Activations, lengths: [Int]?,
    _ parameters: ParameterBuffer<Scalar>, layout: ParameterLayout,
    into gradients: ShardedBuffer<Scalar>, rowStarts: [Int], in workspace: Workspace<Scalar>
  ) {
    let (T, N) = (activations.output.shape[0], activations.output.shape[1])
    let reversal = directions == 2 ? reversal(steps: T, rows: N, lengths: lengths) : []
    let inOrder = Array(0..<T * N)
    var dy: Tensor<Scalar>?
    var last: Tensor<Scalar>?
    switch gradient {
    case .everyStep(let all): dy = all
    case .lastStep(let state): last = state
    }
    for level in levels.indices.reversed() {
      var dInput: Tensor<Scalar>?
      for (direction, layer) in levels[level].enumerated() {
        let geometry = layer.geometry(steps: T, rows: N)
        let pass = activations.passes[level][direction]
        var final: RecurrentState<Scalar>?
        if let last {
          var state = RecurrentState<Scalar>(zerosFor: geometry)
          state.hidden = last
          final = state
        }
        var own = dy
        if directions == 2, let dy {
          let part = workspace.tensor("dy\(direction)", [T, N, hidden])
          part.copy(
            hidden, columnsOf: dy,
            RowSelection(
              direction == 0 ? inOrder : reversal, width: 2 * hidden, column: direction * hidden),
            to: RowSelection(inOrder, width: hidden))
          own = part
        }
        let dx =
          level > 0 ? workspace.tensor("dx\(level).\(direction)", pass.x.shape) : nil
        RecurrentLayerKernels.backward(
          geometry, weights: layer.weights(parameters), x: pass.x, initial: nil, y: pass.y,
          saved: pass.saved!, dy: own, finalGradient: final, entries: layer.entries(in: layout),
          gradients: gradients, rowStarts: rowStarts, dx: dx, initialGradient: nil)
        if direction == 0 {
          dInput = dx
        } else if let dx, let dInput {
          dInput.add(
            layer.inputs, columnsOf: dx, RowSelection(reversal, width: layer.inputs),
            to: RowSelection(inOrder, width: layer.inputs))
        }
      }
      dy = dInput
      last = nil
      gradients.whenFinal(
        levels[level].map { $0.entries(in: layout).input.range.lowerBound }.min()!)
    }
  }
}

/// What the layers of a stack are.
public struct StackSpecification: Sendable {
  public var drive: DriveParameters
  public var body: BodyKind
  public var orthogonal: OrthogonalSettings?
  /// H, units per layer and direction.
  public var hidden: Int
  public var layers: Int
  public var isBidirectional: Bool
  /// Keep every k-th state alone and compute the rest again on the way backward; 0 keeps all.
  public var recomputeEvery = 0

  public init(
    drive: DriveParameters, body: BodyKind, orthogonal: OrthogonalSettings? = nil, hidden: Int,
    layers: Int = 1, bidirectional: Bool = false
  ) {
    precondition(layers > 0, "a model needs a layer")
    self.drive = drive
    self.body = body
    self.orthogonal = orthogonal
    self.hidden = hidden
    self.layers = layers
    isBidirectional = bidirectional
  }
}
