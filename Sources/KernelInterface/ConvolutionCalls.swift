// SPDX-License-Identifier: Apache-2.0

/// The windows of one map as the rows of a matrix. The rows overlap in memory.
///
/// The window of place (y, x) starts `y · lineStep + x · placeStep` numbers after that of place (0,
/// 0). It consists of `runs` runs of `run` numbers, `runStep` apart. The map includes its margin,
/// so every window is complete.
public struct WindowGrid: Sendable, Hashable {
  /// Y', the lines of windows.
  public var lines: Int
  /// X', the windows of a line.
  public var places: Int
  /// Numbers of the map from one line of windows to the next.
  public var lineStep: Int
  /// Numbers of the map from one window of a line to the next.
  public var placeStep: Int
  /// K, the lines of a window.
  public var runs: Int
  /// K C, the numbers of one line of a window.
  public var run: Int
  /// Numbers of the map from one run of a window to the next.
  public var runStep: Int

  public init(
    lines: Int, places: Int, lineStep: Int, placeStep: Int, runs: Int, run: Int, runStep: Int
  ) {
    self.lines = lines
    self.places = places
    self.lineStep = lineStep
    self.placeStep = placeStep
    self.runs = runs
    self.run = run
    self.runStep = runStep
  }

  /// K K C, the numbers of a window.
  @inlinable @inline(__always)
  public var depth: Int { runs * run }
}

/// A convolution of one map, y = w(x) Wᵀ + b or y += w(x) Wᵀ, where w(x) are its windows.
public struct ConvolutionCall<Scalar> {
  /// The windows of the map, one for each row of y.
  public var windows: WindowGrid
  /// M, the columns of y.
  public var columns: Int
  /// W [M, K K C], as `pack` wrote it.
  public var packed: UnsafePointer<Scalar>
  /// The map with its margin.
  public var map: UnsafePointer<Scalar>
  /// [M]; nil is zero.
  public var bias: UnsafePointer<Scalar>?
  /// [Y' X', M].
  public var y: UnsafeMutablePointer<Scalar>
  /// Whether the sums start from y instead of the bias.
  public var isAdding: Bool

  public init(
    _ windows: WindowGrid, columns: Int, packed: UnsafePointer<Scalar>,
    map: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>?, y: UnsafeMutablePointer<Scalar>,
    isAdding: Bool
  ) {
    self.windows = windows
    self.columns = columns
    self.packed = packed
    self.map = map
    self.bias = bias
    self.y = y
    self.isAdding = isAdding
  }
}

/// The weight gradient of a convolution of one map, dW += dyᵀ w(x). The rows of a matrix are also
/// windows: a line of windows with one run each.
///
/// Consecutive lines form a *chain*, whose products are added one after the other, in the order of
/// their places. The chains are then added to dW in order. The bits therefore depend only on the
/// shapes, and are the same for every vector width.
public struct ConvolutionGradientCall<Scalar> {
  /// The windows of the map, one for each row of dy.
  public var windows: WindowGrid
  /// M, the columns of dy.
  public var width: Int
  /// dy [Y' X', M].
  public var deltas: UnsafePointer<Scalar>
  /// The map with its margin. Like all memory of tensors, it can be read one vector past its end.
  public var map: UnsafePointer<Scalar>
  /// dW [M, K K C], added to.
  public var gradient: UnsafeMutablePointer<Scalar>

  public init(
    _ windows: WindowGrid, width: Int, deltas: UnsafePointer<Scalar>,
    map: UnsafePointer<Scalar>, gradient: UnsafeMutablePointer<Scalar>
  ) {
    self.windows = windows
    self.width = width
    self.deltas = deltas
    self.map = map
    self.gradient = gradient
  }

  /// The number of chains of about 256 places that the lines are split into. A line is never split.
  @inlinable @inline(__always)
  public var chains: Int { min((windows.lines * windows.places + 255) / 256, windows.lines) }

  /// The first line of a chain, which is the end of the chain before it.
  @inlinable @inline(__always)
  public func line(ofChain index: Int) -> Int { windows.lines * index / chains }
}
