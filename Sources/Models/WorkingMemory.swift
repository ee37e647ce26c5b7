import Cells
import KernelInterface
import Kernels
import Tensors

// About how much memory the passes over a batch take, to be known before any of it is taken. The
// numbers are floating-point, so that absurd sizes overflow nothing, and they leave out what is
// small: a model is refused only if these alone do not fit.

extension RecurrentLayer {
  /// Bytes of what the layer keeps of a batch for its backward pass, and of its weights as the
  /// kernels arrange them.
  func workingBytes(steps T: Int, rows N: Int, threads: Int, isTraining: Bool) -> Double {
    let geometry = geometry(steps: T, rows: N)
    let width = Double(MemoryLayout<Scalar>.size)
    let packed = Double(geometry.gateWidth) * Double(inputs + hidden) * Double(threads)
    guard isTraining else { return packed * width }
    // One number per gate at least; the kernels' own count is whole, and could overflow.
    let least = Double(T) * Double(N) * Double(geometry.gateWidth)
    let saved =
      least < 0x1p48 ? Double(RecurrentLayerKernels<Scalar>.savedCount(geometry)) : least
    return (saved + packed) * width
  }
}

extension SequenceModel {
  /// About how many bytes the passes over a batch take.
  ///
  /// - Parameters:
  ///   - steps: T
  ///   - rows: N, the sequences on this rank
  ///   - isEveryStep: whether the read-out sees every time step
  ///   - isRagged: whether lengths differ
  public func workingBytes(
    steps T: Int, rows N: Int, shards: Int, threads: Int, isEveryStep: Bool, isRagged: Bool,
    isTraining: Bool
  ) -> Double {
    let cells = Double(T) * Double(N)
    let (inputs, hidden) = (layers[0].inputs, layers[0].hidden)
    let directions = readOut.inputs / hidden
    // x, and its parts where threads share them.
    var numbers = cells * Double(inputs) * (threads > 1 ? 2 : 1)
    var bytes = 0.0
    for (index, layer) in layers.enumerated() {
      bytes += layer.workingBytes(steps: T, rows: N, threads: threads, isTraining: isTraining)
      numbers += cells * Double(hidden)  // y
      let isAbove = index >= directions
      if isTraining, isAbove { numbers += cells * Double(layer.inputs) }  // dx
      if directions == 2 {
        numbers += cells * Double(hidden)  // its half of both
        if index % 2 == 1 { numbers += cells * Double(layer.inputs) }  // its input reversed
      }
    }
    let seesOnlyTheEnd = !isEveryStep && !isRagged && directions == 1 && pooling == .last
    if !seesOnlyTheEnd { numbers += cells * Double(readOut.inputs) }  // dTop
    if isTraining, directions == 2 { numbers += 2 * cells * Double(hidden) }  // dy of both
    if isEveryStep {
      let rows = cells / Double(max(shards, 1))
      numbers +=
        rows * Double(readOut.inputs + readOut.outputs) * (isTraining ? 2 : 1)
        * Double(min(threads, max(shards, 1)))
    }
    return bytes + numbers * Double(MemoryLayout<Scalar>.size)
  }
}

extension LanguageModel {
  /// About how many bytes the passes over a chunk take.
  ///
  /// - Parameters:
  ///   - steps: T
  ///   - rows: N, the columns on this rank
  public func workingBytes(
    steps T: Int, rows N: Int, shards: Int, isTraining: Bool
  ) -> Double {
    let cells = Double(T) * Double(N)
    var numbers = cells * Double(specification.embedding)
    var bytes = 0.0
    for layer in layers {
      bytes += layer.workingBytes(steps: T, rows: N, threads: 1, isTraining: isTraining)
      numbers += cells * Double(layer.hidden)
      if isTraining { numbers += cells * Double(layer.inputs) }  // dx
    }
    if isTraining { numbers += cells * Double(decoder.inputs) }  // dDropped
    let piece = min(
      cells / Double(max(shards, 1)), Double(max((1 << 22) / specification.vocabulary, 16)))
    numbers += piece * Double(specification.vocabulary)
    return bytes + numbers * Double(MemoryLayout<Scalar>.size)
  }
}
