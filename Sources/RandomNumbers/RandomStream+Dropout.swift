extension RandomStream {
  /// Fills a dropout mask: 0 with probability p, else 1 / (1 - p), so that the mean is 1.
  ///
  /// - Precondition: 0 ≤ p < 1
  @specialized(where Scalar == Float)
  public mutating func fill<Scalar: BinaryFloatingPoint>(
    _ mask: inout MutableSpan<Scalar>, dropping p: Double
  ) {
    precondition(p >= 0 && p < 1, "a dropout probability of \(p)")
    let limit = UInt32(p * 0x1p32)
    let kept = Scalar(1 / (1 - p))
    for index in mask.indices { mask[index] = nextWord() < limit ? 0 : kept }
  }
}
