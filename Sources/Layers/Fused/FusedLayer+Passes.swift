// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Tensors

extension FusedLayer {
  public func forward(
    _ input: SequenceInput<Scalar>, from state: LayerState<Scalar>?,
    _ parameters: ParameterBuffer<Scalar>, keeping: LayerKeeping, in workspace: Workspace<Scalar>
  ) -> any LayerPass<Scalar> {
    forward(input, from: state, parameters, keeping: keeping, in: workspace, on: .current)
  }

  /// The same on a given backend, for tests and comparisons.
  public func forward(
    _ input: SequenceInput<Scalar>, from state: LayerState<Scalar>?,
    _ parameters: ParameterBuffer<Scalar>, keeping: LayerKeeping, in workspace: Workspace<Scalar>,
    on backend: KernelBackend
  ) -> any LayerPass<Scalar> {
    var geometry = geometry(steps: input.steps, rows: input.rows)
    geometry.drive.firstStep = input.firstStep
    let memory = LayerMemory(workspace, name)
    let y = memory.tensor("y", [input.steps, input.rows, hidden])
    let saved =
      keeping.contains(.activations)
      ? memory.tensor(
        "saved", [RecurrentLayerKernels<Scalar>.savedCount(geometry, on: backend)])
      : nil
    let final =
      keeping.contains(.finalState) ? RecurrentState<Scalar>(zerosFor: geometry) : nil
    let pass = FusedPass(
      layer: self, geometry: geometry, weights: weights(parameters), input: input,
      initial: state?.recurrent, output: y, saved: saved, final: final.map { LayerState($0) },
      memory: memory, backend: backend)
    RecurrentLayerKernels.forward(
      geometry, weights: pass.weights, x: input.values, initial: pass.initial, y: y, saved: saved,
      final: final, on: backend)
    return pass
  }

  public func workingNumbers(
    steps T: Int, rows N: Int, threads: Int, isTraining: Bool
  ) -> Double {
    let geometry = geometry(steps: T, rows: N)
    let packed = Double(geometry.gateWidth) * Double(inputs + hidden) * Double(threads)
    guard isTraining else { return packed }
    // At least one number per gate; the kernels' own count is an integer, and could overflow.
    let least = Double(T) * Double(N) * Double(geometry.gateWidth)
    let saved =
      least < 0x1p48 ? Double(RecurrentLayerKernels<Scalar>.savedCount(geometry)) : least
    return saved + packed
  }
}

/// A pass of the fused kernels.
private struct FusedPass<Scalar: KernelScalar>: LayerPass {
  let layer: FusedLayer<Scalar>
  let geometry: LayerGeometry
  let weights: RecurrentLayerWeights<Scalar>
  let input: SequenceInput<Scalar>
  let initial: RecurrentState<Scalar>?
  let output: Tensor<Scalar>  // [T, N, H]
  let saved: Tensor<Scalar>?
  let final: LayerState<Scalar>?
  let memory: LayerMemory<Scalar>
  let backend: KernelBackend

  func backward(
    _ gradient: OutputGradient<Scalar>, into gradients: ShardedBuffer<Scalar>, wantsInput: Bool,
    initial initialGradient: LayerState<Scalar>?
  ) -> Tensor<Scalar>? {
    guard let saved else { preconditionFailure("the pass has kept no activations") }
    let dx = wantsInput ? memory.tensor("dx", input.values.shape) : nil
    RecurrentLayerKernels.backward(
      geometry, weights: weights, x: input.values, initial: initial, y: output, saved: saved,
      dy: gradient.steps, finalGradient: finalGradient(gradient),
      entries: layer.entries(in: gradients.layout), gradients: gradients,
      rowStarts: input.rowStarts, dx: dx, initialGradient: initialGradient?.recurrent, on: backend)
    return dx
  }

  /// The gradient of the final state, including that of the last step's output, which is part of
  /// it.
  private func finalGradient(_ gradient: OutputGradient<Scalar>) -> RecurrentState<Scalar>? {
    guard let last = gradient.lastStep else { return gradient.final?.recurrent }
    var state = gradient.final?.recurrent ?? RecurrentState(zerosFor: geometry)
    guard gradient.final != nil else {
      state.hidden = last
      return state
    }
    let sum = last.copy()
    sum.add(state.hidden, scale: 1)
    state.hidden = sum
    return state
  }
}
