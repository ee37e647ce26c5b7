// SPDX-License-Identifier: Apache-2.0

/// The weights of one recurrent layer. All are row-major; a nil bias is zero.
public struct RecurrentWeights<Scalar> {
  /// W_ih [G·H, C].
  public var input: UnsafePointer<Scalar>
  /// W_hh [G·H, H].
  public var recurrent: UnsafePointer<Scalar>
  /// b_ih [G·H], inside the drive.
  public var inputBias: UnsafePointer<Scalar>?
  /// b_hh [G·H], outside the drive.
  public var recurrentBias: UnsafePointer<Scalar>?
  /// b [H], of modReLU only.
  public var unitBias: UnsafePointer<Scalar>?

  public init(
    input: UnsafePointer<Scalar>, recurrent: UnsafePointer<Scalar>,
    inputBias: UnsafePointer<Scalar>?, recurrentBias: UnsafePointer<Scalar>?,
    unitBias: UnsafePointer<Scalar>?
  ) {
    self.input = input
    self.recurrent = recurrent
    self.inputBias = inputBias
    self.recurrentBias = recurrentBias
    self.unitBias = unitBias
  }
}

/// A recurrent state to read; nil means zeros.
public struct StatePointers<Scalar> {
  /// h [N, H].
  public var hidden: UnsafePointer<Scalar>?
  /// c [N, H].
  public var cell: UnsafePointer<Scalar>?
  /// v [N, G·H].
  public var velocity: UnsafePointer<Scalar>?
  /// q [N, G·H].
  public var secondMoment: UnsafePointer<Scalar>?

  public init(
    hidden: UnsafePointer<Scalar>? = nil, cell: UnsafePointer<Scalar>? = nil,
    velocity: UnsafePointer<Scalar>? = nil, secondMoment: UnsafePointer<Scalar>? = nil
  ) {
    self.hidden = hidden
    self.cell = cell
    self.velocity = velocity
    self.secondMoment = secondMoment
  }
}

/// A recurrent state to write; nil members are not written.
public struct MutableStatePointers<Scalar> {
  /// h [N, H].
  public var hidden: UnsafeMutablePointer<Scalar>?
  /// c [N, H].
  public var cell: UnsafeMutablePointer<Scalar>?
  /// v [N, G·H].
  public var velocity: UnsafeMutablePointer<Scalar>?
  /// q [N, G·H].
  public var secondMoment: UnsafeMutablePointer<Scalar>?

  public init(
    hidden: UnsafeMutablePointer<Scalar>? = nil, cell: UnsafeMutablePointer<Scalar>? = nil,
    velocity: UnsafeMutablePointer<Scalar>? = nil,
    secondMoment: UnsafeMutablePointer<Scalar>? = nil
  ) {
    self.hidden = hidden
    self.cell = cell
    self.velocity = velocity
    self.secondMoment = secondMoment
  }
}

/// One layer run forward over a whole sequence.
public struct ForwardCall<Scalar> {
  /// The shapes of the layer, its drive and its body.
  public var geometry: LayerGeometry
  /// The weights of the layer.
  public var weights: RecurrentWeights<Scalar>
  /// The input, [T, N, C].
  public var x: UnsafePointer<Scalar>
  /// The state before step 1.
  public var initial: StatePointers<Scalar>
  /// Receives h_1 … h_T, [T, N, H]. May be nil only if `saved` is nil too.
  public var y: UnsafeMutablePointer<Scalar>?
  /// Receives the state after step T.
  public var final: MutableStatePointers<Scalar>
  /// Receives what the backward pass needs, `savedCount` scalars in the kernel's own layout; nil
  /// for inference.
  public var saved: UnsafeMutablePointer<Scalar>?

  public init(
    geometry: LayerGeometry, weights: RecurrentWeights<Scalar>, x: UnsafePointer<Scalar>,
    initial: StatePointers<Scalar>, y: UnsafeMutablePointer<Scalar>?,
    final: MutableStatePointers<Scalar>, saved: UnsafeMutablePointer<Scalar>?
  ) {
    self.geometry = geometry
    self.weights = weights
    self.x = x
    self.initial = initial
    self.y = y
    self.final = final
    self.saved = saved
  }
}

/// The weight gradients of each virtual shard, to which kernels add.
///
/// Shard s owns the rows `rowStarts[s] ..< rowStarts[s + 1]` (possibly none), and its gradient of
/// a tensor starts `s * stride` scalars after the pointer given here.
public struct ShardGradients<Scalar> {
  /// S, the virtual shards whose rows are in the batch.
  public var shards: Int
  /// [shards + 1], the first row of each shard and the number of all rows.
  public var rowStarts: UnsafePointer<Int>
  /// The scalars from one shard's gradients to the next shard's.
  public var stride: Int
  /// dW_ih [G·H, C].
  public var input: UnsafeMutablePointer<Scalar>
  /// dW_hh [G·H, H].
  public var recurrent: UnsafeMutablePointer<Scalar>
  /// db_ih [G·H].
  public var inputBias: UnsafeMutablePointer<Scalar>?
  /// db_hh [G·H].
  public var recurrentBias: UnsafeMutablePointer<Scalar>?
  /// db [H].
  public var unitBias: UnsafeMutablePointer<Scalar>?

  public init(
    shards: Int, rowStarts: UnsafePointer<Int>, stride: Int,
    input: UnsafeMutablePointer<Scalar>, recurrent: UnsafeMutablePointer<Scalar>,
    inputBias: UnsafeMutablePointer<Scalar>?, recurrentBias: UnsafeMutablePointer<Scalar>?,
    unitBias: UnsafeMutablePointer<Scalar>?
  ) {
    self.shards = shards
    self.rowStarts = rowStarts
    self.stride = stride
    self.input = input
    self.recurrent = recurrent
    self.inputBias = inputBias
    self.recurrentBias = recurrentBias
    self.unitBias = unitBias
  }
}

/// One layer run backward over a whole sequence, from step T to step 1.
public struct BackwardCall<Scalar> {
  /// The shapes of the layer, its drive and its body.
  public var geometry: LayerGeometry
  /// The weights of the layer.
  public var weights: RecurrentWeights<Scalar>
  /// The input, [T, N, C].
  public var x: UnsafePointer<Scalar>
  /// The state before step 1, as given to forward.
  public var initial: StatePointers<Scalar>
  /// h_1 … h_T, [T, N, H], as forward wrote them.
  public var y: UnsafePointer<Scalar>
  /// What forward saved, in the kernel's own layout.
  public var saved: UnsafePointer<Scalar>
  /// dL/dy, [T, N, H]; nil is zero, as with a read-out of the last state only.
  public var dy: UnsafePointer<Scalar>?
  /// dL/d(final state), added to the gradient that flows back; nil is zero.
  public var finalGradient: StatePointers<Scalar>
  /// The gradients of the weights, shard by shard; added to.
  public var gradients: ShardGradients<Scalar>
  /// dL/dx, [T, N, C], overwritten; nil if no layer below needs it.
  public var dx: UnsafeMutablePointer<Scalar>?
  /// dL/d(initial state), overwritten; nil members are not needed.
  public var initialGradient: MutableStatePointers<Scalar>

  public init(
    geometry: LayerGeometry, weights: RecurrentWeights<Scalar>, x: UnsafePointer<Scalar>,
    initial: StatePointers<Scalar>, y: UnsafePointer<Scalar>, saved: UnsafePointer<Scalar>,
    dy: UnsafePointer<Scalar>?, finalGradient: StatePointers<Scalar>,
    gradients: ShardGradients<Scalar>, dx: UnsafeMutablePointer<Scalar>?,
    initialGradient: MutableStatePointers<Scalar>
  ) {
    self.geometry = geometry
    self.weights = weights
    self.x = x
    self.initial = initial
    self.y = y
    self.saved = saved
    self.dy = dy
    self.finalGradient = finalGradient
    self.gradients = gradients
    self.dx = dx
    self.initialGradient = initialGradient
  }
}
