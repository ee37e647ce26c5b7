import BLAS
import Kernels
import Tensors

/// The products of a convolution: its windows, some at a time, times a matrix.
///
///     y = w(x) Wᵀ + b,   dx = w*(dy W),   dW = dyᵀ w(x)
///
/// w gathers the windows of a map and w* is its adjoint. The windows of a *panel* of places lie in
/// the cache while they are multiplied; all windows of a map are never there at once.
struct Convolution<Scalar: KernelScalar> {
  private let windows: ImageWindows
  private let memory: LayerMemory<Scalar>

  init(_ windows: ImageWindows, memory: LayerMemory<Scalar>) {
    self.windows = windows
    self.memory = memory
  }

  /// Bytes of a panel: what leaves room for the matrix in a second-level cache of 512 KB.
  private static var panelBytes: Int { 131_072 }
  /// Places of a panel. It must not depend on how many maps there are: sums over places follow it.
  private var panel: Int {
    max(Self.panelBytes / (MemoryLayout<Scalar>.stride * windows.length), 16)
  }

  /// - Parameters:
  ///   - x: maps [N, Y X C]
  ///   - matrix: W as it was packed
  ///   - bias: [M]; nil is zero
  ///   - y: maps [N, Y' X' M], overwritten
  func multiply(
    _ x: Tensor<Scalar>, by matrix: PackedMatrix<Scalar>, adding bias: Tensor<Scalar>?,
    into y: Tensor<Scalar>
  ) {
    forEachPanel(of: x, gathering: true) { places, window in
      matrix.multiply(window, adding: bias, into: y.rows(ofMaps: places, of: windows.places))
    }
  }

  /// - Parameters:
  ///   - dy: maps [N, Y' X' M]
  ///   - matrix: W as it was packed for products with its transpose
  ///   - dx: maps [N, Y X C]
  func multiplyTransposed(
    _ dy: Tensor<Scalar>, by matrix: PackedMatrix<Scalar>, addingTo dx: Tensor<Scalar>
  ) {
    if windows.isIdentity {
      let all = dy.shape[0] * windows.places
      return matrix.multiply(
        dy.rows(ofMaps: 0..<all, of: windows.places),
        addingTo: dx.rows(ofMaps: 0..<all, of: windows.places))
    }
    forEachPanel(of: dx, gathering: false) { places, window in
      matrix.multiply(dy.rows(ofMaps: places, of: windows.places), into: window)
      windows.scatter(window, of: places, addingTo: dx)
    }
  }

  /// - Parameters:
  ///   - dy: maps [N, Y' X' M]
  ///   - x: maps [N, Y X C]
  ///   - dW: [M, K K C]
  func addWeightGradient(_ dy: Tensor<Scalar>, of x: Tensor<Scalar>, to dW: Tensor<Scalar>) {
    forEachPanel(of: x, gathering: true) { places, window in
      matrixProduct(
        dy.rows(ofMaps: places, of: windows.places), transposeA: true, window, into: dW, keeping: 1)
    }
  }

  /// Calls `body` with the places of each panel, counted over all maps, and its windows [places,
  /// K K C].
  private func forEachPanel(
    of x: Tensor<Scalar>, gathering: Bool,
    _ body: (Range<Int>, Tensor<Scalar>) -> Void
  ) {
    let all = x.count / windows.input.count * windows.places
    // A window of one place is that place.
    let isInPlace = gathering && windows.isIdentity
    let memory = memory.tensor("windows", [isInPlace ? 0 : min(panel, all), windows.length])
    for first in stride(from: 0, to: all, by: panel) {
      let rows = first..<min(first + panel, all)
      let window =
        isInPlace ? x.rows(ofMaps: rows, of: windows.places) : memory.rows(0..<rows.count)
      if gathering && !isInPlace { windows.gather(rows, of: x, into: window) }
      body(rows, window)
    }
  }
}

extension Tensor {
  /// Some places of maps [N, P M], as rows [places, M].
  fileprivate func rows(ofMaps places: Range<Int>, of count: Int) -> Tensor {
    let width = self.count / (shape[0] * count)
    return reshaped([shape[0] * count, width]).rows(places)
  }
}
