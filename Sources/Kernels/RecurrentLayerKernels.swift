// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Tensors

/// The weights of a recurrent layer as tensors.
public struct RecurrentLayerWeights<Scalar: KernelScalar> {
  /// W_ih [G·H, C].
  public var input: Tensor<Scalar>
  /// W_hh [G·H, H].
  public var recurrent: Tensor<Scalar>
  /// b_ih [G·H].
  public var inputBias: Tensor<Scalar>?
  /// b_hh [G·H].
  public var recurrentBias: Tensor<Scalar>?
  /// b [H].
  public var unitBias: Tensor<Scalar>?

  public init(
    input: Tensor<Scalar>, recurrent: Tensor<Scalar>, inputBias: Tensor<Scalar>? = nil,
    recurrentBias: Tensor<Scalar>? = nil, unitBias: Tensor<Scalar>? = nil
  ) {
    self.input = input
    self.recurrent = recurrent
    self.inputBias = inputBias
    self.recurrentBias = recurrentBias
    self.unitBias = unitBias
  }

  func pointers(for geometry: LayerGeometry) -> RecurrentWeights<Scalar> {
    let (C, H, GH) = (geometry.inputs, geometry.hidden, geometry.gateWidth)
    precondition(input.shape == [GH, C], "W_ih is \(input.shape), the layer needs [\(GH), \(C)]")
    precondition(
      recurrent.shape == [GH, H], "W_hh is \(recurrent.shape), the layer needs [\(GH), \(H)]")
    for bias in [inputBias, recurrentBias] {
      precondition(bias == nil || bias!.count == GH, "a bias of \(bias!.shape) for \(GH) rows")
    }
    precondition(unitBias == nil || unitBias!.count == H, "a unit bias of \(unitBias!.shape)")
    return RecurrentWeights(
      input: UnsafePointer(input.pointer), recurrent: UnsafePointer(recurrent.pointer),
      inputBias: inputBias.map { UnsafePointer($0.pointer) },
      recurrentBias: recurrentBias.map { UnsafePointer($0.pointer) },
      unitBias: unitBias.map { UnsafePointer($0.pointer) })
  }
}

/// The places of a recurrent layer's weight gradients in the buffer of each shard.
public struct RecurrentLayerEntries: Sendable {
  /// The place of dW_ih [G·H, C].
  public var input: ParameterEntry
  /// The place of dW_hh [G·H, H].
  public var recurrent: ParameterEntry
  /// The place of db_ih [G·H]; nil if the layer has no such bias.
  public var inputBias: ParameterEntry?
  /// The place of db_hh [G·H]; nil if the layer has no such bias.
  public var recurrentBias: ParameterEntry?
  /// The place of db [H], of modReLU; nil for other bodies.
  public var unitBias: ParameterEntry?

  public init(
    input: ParameterEntry, recurrent: ParameterEntry, inputBias: ParameterEntry? = nil,
    recurrentBias: ParameterEntry? = nil, unitBias: ParameterEntry? = nil
  ) {
    self.input = input
    self.recurrent = recurrent
    self.inputBias = inputBias
    self.recurrentBias = recurrentBias
    self.unitBias = unitBias
  }
}

/// Runs a recurrent layer over a whole sequence on the kernels of `Scalar`.
public enum RecurrentLayerKernels<Scalar: KernelScalar> {
  /// How many scalars `saved` needs.
  public static func savedCount(
    _ geometry: LayerGeometry, on backend: KernelBackend = .current
  ) -> Int {
    Scalar.kernels(on: backend).savedCount(geometry)
  }

  /// Runs a layer forward, from step 1 to step T.
  ///
  /// - Parameters:
  ///   - geometry: the sizes and the kind of the layer
  ///   - weights: its weights
  ///   - x: the input, [T, N, C]
  ///   - initial: the state before step 1; nil is zeros
  ///   - y: receives h_1 … h_T, [T, N, H]
  ///   - saved: receives what `backward` needs, `savedCount` scalars to be passed on unchanged; nil
  ///     for inference
  ///   - final: receives the state after step T
  ///   - backend: the kernels for `Float`; the same as for `savedCount` and `backward`
  public static func forward(
    _ geometry: LayerGeometry, weights: RecurrentLayerWeights<Scalar>, x: Tensor<Scalar>,
    initial: RecurrentState<Scalar>?, y: Tensor<Scalar>?, saved: Tensor<Scalar>?,
    final: RecurrentState<Scalar>?, on backend: KernelBackend = .current
  ) {
    check(geometry, x: x, y: y)
    precondition(saved == nil || y != nil, "training needs the outputs kept")
    precondition(
      saved == nil || saved!.count >= savedCount(geometry, on: backend), "saved is too small")
    Scalar.kernels(on: backend).forward(
      ForwardCall(
        geometry: geometry, weights: weights.pointers(for: geometry),
        x: UnsafePointer(x.pointer), initial: initial?.pointers ?? StatePointers(),
        y: y?.pointer, final: final?.mutablePointers ?? MutableStatePointers(),
        saved: saved?.pointer))
  }

  /// Runs a layer backward, from step T to step 1, adding to the gradients of each shard.
  ///
  /// - Parameters:
  ///   - geometry: as in `forward`
  ///   - weights: as in `forward`
  ///   - x: as in `forward`
  ///   - initial: as in `forward`
  ///   - y: the output of `forward`
  ///   - saved: what `forward` saved
  ///   - dy: dL/dy, [T, N, H]; nil is zero
  ///   - finalGradient: dL/d(final state); nil is zero
  ///   - entries: the places of the layer's weights in a shard's gradient buffer
  ///   - gradients: one buffer per shard
  ///   - rowStarts: shard s owns rows `rowStarts[s] ..< rowStarts[s+1]`
  ///   - dx: receives dL/dx, [T, N, C]; nil if not needed
  ///   - initialGradient: receives dL/d(initial state); nil if not needed
  ///   - backend: as in `forward`
  public static func backward(
    _ geometry: LayerGeometry, weights: RecurrentLayerWeights<Scalar>, x: Tensor<Scalar>,
    initial: RecurrentState<Scalar>?, y: Tensor<Scalar>, saved: Tensor<Scalar>,
    dy: Tensor<Scalar>?, finalGradient: RecurrentState<Scalar>?,
    entries: RecurrentLayerEntries, gradients: ShardedBuffer<Scalar>, rowStarts: [Int],
    dx: Tensor<Scalar>?, initialGradient: RecurrentState<Scalar>?,
    on backend: KernelBackend = .current
  ) {
    check(geometry, x: x, y: y)
    precondition(
      rowStarts.count == gradients.shards + 1 && rowStarts.last! <= geometry.rows,
      "row starts \(rowStarts) for \(gradients.shards) shards of \(geometry.rows) rows")
    let base = gradients.flat.pointer
    rowStarts.withUnsafeBufferPointer { rowStarts in
      Scalar.kernels(on: backend).backward(
        BackwardCall(
          geometry: geometry, weights: weights.pointers(for: geometry),
          x: UnsafePointer(x.pointer), initial: initial?.pointers ?? StatePointers(),
          y: UnsafePointer(y.pointer), saved: UnsafePointer(saved.pointer),
          dy: dy.map { UnsafePointer($0.pointer) },
          finalGradient: finalGradient?.pointers ?? StatePointers(),
          gradients: ShardGradients(
            shards: gradients.shards, rowStarts: rowStarts.baseAddress!,
            stride: gradients.layout.count,
            input: base + entries.input.range.lowerBound,
            recurrent: base + entries.recurrent.range.lowerBound,
            inputBias: entries.inputBias.map { base + $0.range.lowerBound },
            recurrentBias: entries.recurrentBias.map { base + $0.range.lowerBound },
            unitBias: entries.unitBias.map { base + $0.range.lowerBound }),
          dx: dx?.pointer,
          initialGradient: initialGradient?.mutablePointers ?? MutableStatePointers()))
    }
  }

  private static func check(_ geometry: LayerGeometry, x: Tensor<Scalar>, y: Tensor<Scalar>?) {
    let (T, N) = (geometry.steps, geometry.rows)
    precondition(
      x.shape == [T, N, geometry.inputs],
      "input \(x.shape), the layer needs [\(T), \(N), \(geometry.inputs)]")
    precondition(
      y == nil || y!.shape == [T, N, geometry.hidden],
      "output \(y!.shape), the layer gives [\(T), \(N), \(geometry.hidden)]")
  }
}
