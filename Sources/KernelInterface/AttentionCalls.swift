// SPDX-License-Identifier: Apache-2.0

/// Scaled dot-product attention (Vaswani et al., 2017) of every head of every sequence, over a band
/// of visible steps.
///
///     s_ij = q_i · k_j / √d,   p_i = softmax(s_i),   o_i = Σ_j p_ij f_ij v_j
///
/// Query i sees the keys j with i - back ≤ j ≤ i + forward within the sequence. The output of a
/// query that sees no key is zero.
public struct AttentionCall<Scalar> {
  /// N, the number of sequences.
  public var sequences: Int
  /// T, the time steps of a sequence in memory.
  public var steps: Int
  /// The number of attention heads, a divisor of D.
  public var heads: Int
  /// d, the columns of a head; D = heads · d.
  public var width: Int
  /// How many earlier steps a query sees.
  public var back: Int
  /// How many later steps a query sees.
  public var forward: Int
  /// W, the most keys that a query sees.
  public var band: Int
  /// [N], the valid steps of each sequence; nil means T for all.
  public var lengths: UnsafePointer<Int>?
  /// [N, T, 3 D]: q, k and v.
  public var projected: UnsafePointer<Scalar>
  /// f [N, heads, T, W], the dropout factors, from the first visible key on; nil means 1.
  public var factors: UnsafePointer<Scalar>?
  /// p [N, heads, T, W], written by the forward pass and read by the backward pass.
  public var weights: UnsafeMutablePointer<Scalar>

  public init(
    sequences: Int, steps: Int, heads: Int, width: Int, back: Int, forward: Int, band: Int,
    lengths: UnsafePointer<Int>?, projected: UnsafePointer<Scalar>,
    factors: UnsafePointer<Scalar>?, weights: UnsafeMutablePointer<Scalar>
  ) {
    self.sequences = sequences
    self.steps = steps
    self.heads = heads
    self.width = width
    self.back = back
    self.forward = forward
    self.band = band
    self.lengths = lengths
    self.projected = projected
    self.factors = factors
    self.weights = weights
  }

  /// The keys that a query of a sequence sees.
  @inlinable
  public func keys(of query: Int, in sequence: Int) -> Range<Int> {
    let first = max(0, query - back)
    let end = min(lengths?[sequence] ?? steps, query + forward + 1)
    return first..<max(first, end)
  }

  /// The index in `weights` and `factors` of a query's first visible key.
  @inlinable
  public func place(_ sequence: Int, _ head: Int, _ query: Int) -> Int {
    ((sequence * heads + head) * steps + query) * band
  }
}
