// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// Layer normalisation of every step in an encoder, with its gain and shift.
struct EncoderNorm {
  let gain: NamedShape
  let shift: NamedShape

  init(_ name: String, width D: Int) {
    gain = NamedShape("\(name).weight", [D])
    shift = NamedShape("\(name).bias", [D], role: .bias)
  }
}

/// A norm during a pass.
struct NormPass<Scalar: KernelScalar> {
  let norm: EncoderNorm
  let gain: Tensor<Scalar>
  let normalised: Tensor<Scalar>
  let inverseDeviation: Tensor<Scalar>

  /// Normalises the rows of x into y, which may be x itself.
  init(
    _ norm: EncoderNorm, _ x: Tensor<Scalar>, into y: Tensor<Scalar>,
    _ parameters: ParameterBuffer<Scalar>, _ memory: LayerMemory<Scalar>
  ) {
    self.norm = norm
    gain = parameters[norm.gain.name]
    normalised = memory.tensor("\(norm.gain.name).normalised", x.shape)
    inverseDeviation = memory.tensor("\(norm.gain.name).deviation", [x.shape[0], 1])
    LayerNormalization.forward(
      ColumnBlock(x), gain: gain, shift: parameters[norm.shift.name], into: ColumnBlock(y),
      normalised: ColumnBlock(normalised), inverseDeviation: ColumnBlock(inverseDeviation))
  }

  /// Turns the gradient of y into that of x, in place, and adds those of gain and shift.
  func backward(
    _ d: Tensor<Scalar>, shards: ShardSteps, into gradients: ShardedBuffer<Scalar>,
    _ memory: LayerMemory<Scalar>
  ) {
    let shape = [shards.count, d.shape[1]]
    let (dGain, dShift) = (memory.tensor("dGain", shape), memory.tensor("dShift", shape))
    dGain.fill(0)
    dShift.fill(0)
    LayerNormalization.backward(
      ColumnBlock(d), normalised: ColumnBlock(normalised),
      inverseDeviation: ColumnBlock(inverseDeviation), gain: gain, into: ColumnBlock(d),
      dGain: ColumnBlock(dGain), dShift: ColumnBlock(dShift), groupStarts: shards.groupStarts)
    shards.forEach { shard, _ in
      gradients[shard][norm.gain.name].add(dGain.row(shard), scale: 1)
      gradients[shard][norm.shift.name].add(dShift.row(shard), scale: 1)
    }
  }
}
