// SPDX-License-Identifier: Apache-2.0

/// The difference between a computed tensor and the expected one.
public struct TensorComparison: Sendable, Codable {
  /// Which tensor: "grad_params/W_hh".
  public let name: String
  /// The largest |a - b|.
  public let worstAbsolute: Double
  /// The largest |a - b| / |b| over the elements with b ≠ 0.
  public let worstRelative: Double
  /// ‖a - b‖ / ‖b‖, or ‖a - b‖ if b is 0.
  public let normwise: Double
  /// Whether it is within tolerance.
  public let passes: Bool

  /// The allowed difference.
  public enum Tolerance: Sendable {
    /// |a - b| ≤ absolute + relative |b|, element by element.
    case elementwise(absolute: Double, relative: Double)
    /// ‖a - b‖ ≤ relative ‖b‖, or ≤ `relative` if ‖b‖ is smaller than 1e-6.
    case normwise(Double)
  }

  /// Compares numbers of one tensor; both lists have the same length.
  public init(
    _ name: String, computed: [Double], expected: [Double], tolerance: Tolerance
  ) {
    precondition(
      computed.count == expected.count,
      "\(name): \(computed.count) numbers against \(expected.count)")
    var (absolute, relative, difference, size) = (0.0, 0.0, 0.0, 0.0)
    var isWithin = true
    for (a, b) in zip(computed, expected) {
      let error = a == b ? 0 : abs(a - b)
      // NaN counts as an infinite difference.
      absolute = max(absolute, error.isNaN ? .infinity : error)
      if b != 0 { relative = max(relative, error.isNaN ? .infinity : error / abs(b)) }
      difference += error * error
      size += b * b
      if case .elementwise(let floor, let share) = tolerance {
        if !(error <= floor + share * abs(b)) { isWithin = false }
      }
    }
    self.name = name
    worstAbsolute = absolute
    worstRelative = relative
    let (norm, reference) = (difference.squareRoot(), size.squareRoot())
    normwise = norm.isNaN ? .infinity : reference > 0 ? norm / reference : norm
    if case .normwise(let limit) = tolerance {
      isWithin = norm <= limit * (reference > 1e-6 ? reference : 1)
    }
    passes = isWithin
  }
}
