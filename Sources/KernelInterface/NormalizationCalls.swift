// SPDX-License-Identifier: Apache-2.0

/// The earlier rows that a normalisation includes in its statistics, for each row of a call.
///
/// Only the mean of an earlier row z [D] and its M2 = Σ (z - mean)² are kept. A window of W = k - 1
/// rows therefore has the 2 W + 1 columns
///
///     mean_1 ... mean_W, M2_1 ... M2_W, filled
///
/// with the newest row first. `filled` is the number of rows in the window so far; the columns of
/// the others are not read.
public struct NormalizationWindow<Scalar> {
  /// W, the rows that a window can hold.
  public var length: Int
  /// The window of each row before the call.
  public var before: ColumnPointer<Scalar>
  /// The window of each row after the call, which begins with that row; the oldest row is dropped.
  public var after: ColumnPointer<Scalar>

  public init(length: Int, before: ColumnPointer<Scalar>, after: ColumnPointer<Scalar>) {
    self.length = length
    self.before = before
    self.after = after
  }
}

/// Normalises each row of D columns and writes the result to y or adds it to y.
///
///     n = (z - mean) / √(variance + epsilon),   y = n · gain + shift
///
/// Mean and variance are those of the row, or of the row and its window together.
public struct NormalizationCall<Scalar> {
  /// The rows to normalise.
  public var rows: Int
  /// D
  public var columns: Int
  /// The number added to the variance under the root.
  public var epsilon: Scalar
  /// [D], multiplied with the normalised numbers.
  public var gain: UnsafePointer<Scalar>
  /// [D], added to the product.
  public var shift: UnsafePointer<Scalar>
  /// The input, D columns.
  public var z: ColumnPointer<Scalar>
  /// The output, D columns.
  public var y: ColumnPointer<Scalar>
  /// Whether the result is added to y instead of replacing it.
  public var isAdding: Bool
  /// n, D columns, saved for the backward pass.
  public var normalised: ColumnPointer<Scalar>
  /// 1 / √(variance + epsilon) of each row, one column, saved for the backward pass.
  public var inverseDeviation: ColumnPointer<Scalar>
  /// Whether `normalised` bypasses the caches, because it is not read again soon.
  public var isStreaming: Bool
  /// The windows of the rows, of which `before` is read and `after` overwritten; nil for none.
  public var window: NormalizationWindow<Scalar>?

  public init(
    rows: Int, columns: Int, epsilon: Scalar, gain: UnsafePointer<Scalar>,
    shift: UnsafePointer<Scalar>, z: ColumnPointer<Scalar>, y: ColumnPointer<Scalar>,
    normalised: ColumnPointer<Scalar>, inverseDeviation: ColumnPointer<Scalar>,
    window: NormalizationWindow<Scalar>? = nil, isAdding: Bool = false, isStreaming: Bool = false
  ) {
    self.rows = rows
    self.columns = columns
    self.epsilon = epsilon
    self.gain = gain
    self.shift = shift
    self.z = z
    self.y = y
    self.isAdding = isAdding
    self.isStreaming = isStreaming
    self.normalised = normalised
    self.inverseDeviation = inverseDeviation
    self.window = window
  }
}

/// The adjoint of `NormalizationCall`.
public struct NormalizationBackwardCall<Scalar> {
  /// The rows of the forward call.
  public var rows: Int
  /// D
  public var columns: Int
  /// [D], as in the forward call.
  public var gain: UnsafePointer<Scalar>
  /// The gradient of y, D columns.
  public var dy: ColumnPointer<Scalar>
  /// The normalised numbers that forward saved, D columns.
  public var normalised: ColumnPointer<Scalar>
  /// The inverse deviations that forward saved, one column.
  public var inverseDeviation: ColumnPointer<Scalar>
  /// The gradient of z, D columns, overwritten; may share the memory of `dy`.
  public var dz: ColumnPointer<Scalar>
  /// The gradient of the gain for each group of rows, added to from the group's first row to its
  /// last.
  public var dGain: ColumnPointer<Scalar>
  /// The gradient of the shift for each group of rows, added to in the same order.
  public var dShift: ColumnPointer<Scalar>
  /// The first row of each group, and the number of rows; nil makes each row a group.
  public var groupStarts: UnsafePointer<Int>?
  /// The window of the call, and its gradient: `after` is read, `before` overwritten.
  public var window: (values: NormalizationWindow<Scalar>, gradient: NormalizationWindow<Scalar>)?

  public init(
    rows: Int, columns: Int, gain: UnsafePointer<Scalar>, dy: ColumnPointer<Scalar>,
    normalised: ColumnPointer<Scalar>, inverseDeviation: ColumnPointer<Scalar>,
    dz: ColumnPointer<Scalar>, dGain: ColumnPointer<Scalar>, dShift: ColumnPointer<Scalar>,
    groupStarts: UnsafePointer<Int>? = nil,
    window: (values: NormalizationWindow<Scalar>, gradient: NormalizationWindow<Scalar>)? = nil
  ) {
    self.rows = rows
    self.columns = columns
    self.gain = gain
    self.dy = dy
    self.normalised = normalised
    self.inverseDeviation = inverseDeviation
    self.dz = dz
    self.dGain = dGain
    self.dShift = dShift
    self.groupStarts = groupStarts
    self.window = window
  }

  /// The group of a row, given the group of the row before it (0 for the first row).
  @inlinable @inline(__always)
  public func group(of row: Int, after group: Int) -> Int {
    guard let groupStarts else { return row }
    var group = group
    while groupStarts[group + 1] <= row { group += 1 }
    return group
  }
}
