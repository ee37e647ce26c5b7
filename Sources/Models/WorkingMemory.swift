// SPDX-License-Identifier: Apache-2.0

import Layers
import KernelInterface
import Kernels
import Tensors

// Estimates of the memory that passes over a batch need, before any of it is allocated. The numbers
// are floating-point, so that absurd sizes cannot overflow, and they leave out small parts: a model
// is refused only if these numbers alone do not fit.

extension SequenceModel {
  /// An estimate of the bytes that passes over a batch need.
  ///
  /// - Parameters:
  ///   - T: the time steps
  ///   - N: the sequences on this rank
  ///   - shards: the number of shards on this rank
  ///   - threads: the number of threads
  ///   - isEveryStep: whether the read-out sees every time step
  ///   - isRagged: whether lengths differ
  ///   - isTraining: whether there is a backward pass
  public func workingBytes(
    steps T: Int, rows N: Int, shards: Int, threads: Int, isEveryStep: Bool, isRagged: Bool,
    isTraining: Bool
  ) -> Double {
    let cells = Double(T) * Double(N)
    // x, and its parts if threads share them.
    var numbers = cells * Double(stack.inputs) * (threads > 1 ? 2 : 1)
    numbers += stack.workingNumbers(steps: T, rows: N, threads: threads, isTraining: isTraining)
    numbers += readOut.packedNumbers
    let seesOnlyTheEnd = !isEveryStep && !isRagged && directions == 1 && pooling == .last
    if !seesOnlyTheEnd { numbers += cells * Double(readOut.inputs) }  // dTop
    if isEveryStep {
      let rows = cells / Double(max(shards, 1))
      numbers +=
        rows * Double(readOut.inputs + readOut.outputs) * (isTraining ? 2 : 1)
        * Double(min(threads, max(shards, 1)))
    }
    return numbers * Double(MemoryLayout<Scalar>.size)
  }
}

extension LanguageModel {
  /// An estimate of the bytes that passes over a chunk need.
  ///
  /// - Parameters:
  ///   - T: the time steps
  ///   - N: the columns on this rank
  ///   - shards: the number of shards on this rank
  ///   - isTraining: whether there is a backward pass
  public func workingBytes(
    steps T: Int, rows N: Int, shards: Int, isTraining: Bool
  ) -> Double {
    let cells = Double(T) * Double(N)
    var numbers = cells * Double(specification.embedding) + decoder.packedNumbers
    for layer in layers {
      numbers += layer.workingNumbers(steps: T, rows: N, threads: 1, isTraining: isTraining)
      numbers += cells * Double(layer.outputs)
      if isTraining { numbers += cells * Double(layer.inputs) }  // dx
    }
    if isTraining { numbers += cells * Double(decoder.inputs) }  // dDropped
    let piece = min(
      cells / Double(max(shards, 1)), Double(max((1 << 22) / specification.vocabulary, 16)))
    numbers += piece * Double(specification.vocabulary)
    return numbers * Double(MemoryLayout<Scalar>.size)
  }
}
