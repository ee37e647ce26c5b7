import Gzip
import Tensors

extension SequenceSource {
  /// The CRC-32 of what `read` gives for one sequence, its inputs and its targets: the numbers that
  /// training sees, after scaling, normalisation and permutation.
  public func checksum(of index: Int) throws(DatasetError) -> UInt32 {
    let x = Tensor<Float>(shape: [length(of: index), 1, features])
    let targets = try read([index][...], into: x)
    let sums = [x.withSpan { CRC32.of($0) }, targets.checksum]
    return CRC32.of(sums.span)
  }
}

extension SequenceTargets {
  fileprivate var checksum: UInt32 {
    kind.answer == .numbers ? CRC32.of(numbers.span) : CRC32.of(whole.span)
  }
}
