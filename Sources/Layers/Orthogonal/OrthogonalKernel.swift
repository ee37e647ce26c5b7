// SPDX-License-Identifier: Apache-2.0

import BLAS
import Kernels
import RandomNumbers
import Tensors

#if canImport(Glibc)
  import Glibc
#endif

/// An orthogonal recurrent matrix with dynamic trivialisation (Lezcano Casado, NeurIPS 2019).
///
///     P = Q φ(S),   S = triu(A, 1) - triu(A, 1)ᵀ
///
/// A is trained; the base Q is not, but every K optimizer steps it absorbs A: Q ← P, A ← 0. Every M
/// rebases Q is projected to the nearest orthogonal matrix. The cell uses P on row vectors,
/// h_{t-1} P, so its kernel sees W_hh = Pᵀ.
///
/// Every rank does the same arithmetic on the same numbers, so all hold the same bits.
public final class OrthogonalKernel<Scalar: KernelScalar> {
  /// The map φ, the start, and when the base moves.
  public let settings: OrthogonalSettings
  /// Q [H, H]; part of a checkpoint.
  public let base: Tensor<Scalar>
  /// Pᵀ [H, H], as of the last `prepare`.
  public let recurrentWeight: Tensor<Scalar>
  /// k, optimizer steps since the last rebase, and m, rebases since the last projection; part of a
  /// checkpoint, so a tensor like the rest of it.
  public let counters = Tensor<Scalar>(shape: [2])
  /// The cost of the kernel since it was created.
  public private(set) var work = OrthogonalWork()

  /// The values before the last advance; nil before the first.
  private var beforeAdvance: BeforeAdvance?

  private struct BeforeAdvance {
    var counters: [Scalar]
    /// A and Q before a rebase; nil if the advance did not rebase.
    var rebased: (skew: [Scalar], base: [Scalar])?
  }

  /// The point at which the next gradient is taken.
  private var tangentPoint: Matrix
  private var leftFactor: Matrix

  /// The kernel of H = `hidden` units with Q = I and the counters at 0.
  public init(hidden: Int, settings: OrthogonalSettings) {
    self.settings = settings
    base = Tensor(shape: [hidden, hidden])
    Initialization.identity(base)
    recurrentWeight = Tensor(shape: [hidden, hidden])
    tangentPoint = Matrix(hidden) { _, _ in 0 }
    leftFactor = .identity(hidden)
  }

  /// Sets A to the block-diagonal skew matrix of the starting angles.
  public func initialize(_ A: Tensor<Scalar>, stream: inout RandomStream) {
    let H = A.shape[0]
    A.fill(0)
    for pair in 0..<H / 2 {
      let angle = Self.angle(settings.start, uniform: stream.uniform())
      A[2 * pair * H + 2 * pair + 1] = Scalar(angle)
      A[(2 * pair + 1) * H + 2 * pair] = Scalar(-angle)
    }
  }

  /// A starting angle from u ~ U[0, 1).
  package static func angle(_ start: OrthogonalSettings.Start, uniform u: Double) -> Double {
    switch start {
    case .henaff: -.pi + 2 * .pi * u
    case .cayley: -tan(0.25 * .pi * u)
    }
  }

  /// Computes P for the current parameters.
  ///
  /// - Parameters:
  ///   - A: [H, H]; set to zero by a rebase
  ///   - advancing: true once per optimizer step, before its forward pass; false for any other
  ///     use, such as an evaluation, which must not move the base
  /// - Throws: `LAPACKError` if A or Q has an element that is not a number
  public func prepare(_ A: Tensor<Scalar>, advancing: Bool) throws(LAPACKError) {
    leftFactor = matrix(base)
    tangentPoint = MatrixFunctions.skew(matrix(A))
    var p = leftFactor * (try map(tangentPoint))
    if advancing && settings.isDynamic {
      var (k, m) = (Int(counters[0]), Int(counters[1]))
      beforeAdvance = BeforeAdvance(
        counters: counters.array, rebased: k == 0 ? (A.array, base.array) : nil)
      if k == 0 {
        A.fill(0)
        store(p, in: base)
        leftFactor = matrix(base)  // the authors' gradient uses the base before its projection
        m = (m + 1) % settings.projectEvery
        if m == 0 {
          store(try MatrixFunctions.nearestOrthogonal(p), in: base)
        }
        if settings.rebaseGradient == .exact {
          p = matrix(base)  // φ(0) = I
          leftFactor = p
          tangentPoint = Matrix(p.n) { _, _ in 0 }
        }
      }
      k = settings.rebaseEvery == 0 ? 1 : (k + 1) % settings.rebaseEvery
      counters[0] = Scalar(k)
      counters[1] = Scalar(m)
    }
    store(p.transposed, in: recurrentWeight)
  }

  /// Undoes the last advance, for a step that does not count: A, Q and the counters get their
  /// values from before it.
  public func revert(_ A: Tensor<Scalar>) {
    guard let before = beforeAdvance else { return }
    counters.copy(from: before.counters)
    if let (skew, base) = before.rebased {
      A.copy(from: skew)
      self.base.copy(from: base)
    }
    beforeAdvance = nil
  }

  /// Turns dL/dW_hh = dL/d(Pᵀ), in place, into dL/dA.
  public func finishGradient(_ gradient: Tensor<Scalar>) throws(LAPACKError) {
    let dP = matrix(gradient).transposed
    let dPhi = leftFactor.transposed * dP
    let dSkew = try adjoint(dPhi)
    store(MatrixFunctions.skewAdjoint(dSkew), in: gradient)
  }

  /// φ(S)
  private func map(_ skew: Matrix) throws(LAPACKError) -> Matrix {
    let start = ContinuousClock.now
    defer { work.map.add(ContinuousClock.now - start) }
    return switch settings.map {
    case .exponential: try MatrixFunctions.exponential(skew)
    case .cayley: try MatrixFunctions.cayley(skew)
    }
  }

  /// The adjoint of φ's derivative at the tangent point.
  private func adjoint(_ gradient: Matrix) throws(LAPACKError) -> Matrix {
    let start = ContinuousClock.now
    defer { work.adjoint.add(ContinuousClock.now - start) }
    return switch settings.map {
    case .exponential: try MatrixFunctions.exponentialAdjoint(at: tangentPoint, gradient: gradient)
    case .cayley: try MatrixFunctions.cayleyAdjoint(at: tangentPoint, gradient: gradient)
    }
  }

  private func matrix(_ tensor: Tensor<Scalar>) -> Matrix {
    Matrix(Tensor(tensor.array.map { Double($0) }, shape: tensor.shape))
  }

  private func store(_ matrix: Matrix, in tensor: Tensor<Scalar>) {
    tensor.copy(from: matrix.values.array.map { Scalar($0) })
  }
}
