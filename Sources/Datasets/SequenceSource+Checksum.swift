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

extension SourceTargets {
  fileprivate var checksum: UInt32 {
    switch self {
    case .classes(let classes), .stepClasses(let classes): CRC32.of(classes.span)
    case .values(let values): CRC32.of(values.span)
    case .frames(let frames): frames.withSpan { CRC32.of($0) }
    }
  }
}
