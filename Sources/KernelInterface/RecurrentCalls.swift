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

/// A recurrent state to write; nil members are not needed.
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
  /// [T, N, C].
  public var x: UnsafePointer<Scalar>
  /// The state before step 1.
  public var initial: StatePointers<Scalar>
  /// h_1 … h_T. May be nil only when `saved` is nil too.
  public var y: UnsafeMutablePointer<Scalar>?  // [T, N, H]
  /// Receives the state after step T.
  public var final: MutableStatePointers<Scalar>
  /// Saved for the backward pass: `savedCount` scalars in the kernel's own layout; nil for
  /// inference.
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
  /// [T, N, C].
  public var x: UnsafePointer<Scalar>
  /// The state before step 1, as given to forward.
  public var initial: StatePointers<Scalar>
  /// [T, N, H], as forward wrote it.
  public var y: UnsafePointer<Scalar>
  /// What forward saved, in the kernel's own layout.
  public var saved: UnsafePointer<Scalar>
  /// dL/dy_t for every step; nil is zero (the usual case of a read-out of the last state).
  public var dy: UnsafePointer<Scalar>?  // [T, N, H]
  /// dL/d(final state), added to the gradient that flows back; nil is zero.
  public var finalGradient: StatePointers<Scalar>
  /// The gradients of the weights, shard by shard; added to.
  public var gradients: ShardGradients<Scalar>
  /// dL/dx; nil if no layer below needs it. Overwritten.
  public var dx: UnsafeMutablePointer<Scalar>?  // [T, N, C]
  /// dL/d(initial state); nil members are not needed. Overwritten.
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
