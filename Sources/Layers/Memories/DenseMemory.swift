// SPDX-License-Identifier: Apache-2.0

import BLAS
import Kernels
import Synchronization
import Tensors

/// Memories whose step is a product with a matrix:
///
///     m' = m + (Ā - I) m + B̄ u
///
/// Ā is near I for small steps, and Float would lose the difference, so the step has this form and
/// is summed from the right. For a measure that scales with time, the matrix differs in every step.
package struct DenseMemory<Scalar: KernelScalar>: Sendable {
  private let measure: MemoryMeasure
  private let discretization: Discretization
  private let order: Int
  private let step: Double
  private let maximumSteps: Int
  private let transitions = Transitions<Scalar>()

  /// A memory of N = `order` coefficients with the step size of `constants`.
  package init(
    _ measure: MemoryMeasure, _ discretization: Discretization, order: Int,
    constants: MemoryConstants
  ) {
    self.measure = measure
    self.discretization = discretization
    self.order = order
    step = constants.step
    maximumSteps = constants.maximumSteps
  }

  /// Computes the matrix of all steps, if there is a single one.
  package func prepare() throws(LAPACKError) {
    if measure != .scaledLegendre { _ = try transition(after: 0) }
  }

  /// An estimate of the numbers in the matrices of a sequence's steps, with Ā - I packed in two
  /// ways.
  func matrixNumbers(steps: Int) -> Double {
    let matrices =
      measure != .scaledLegendre ? 1 : maximumSteps > 0 ? min(steps, maximumSteps + 1) : steps
    return 2 * Double(matrices) * Double(order * order)
  }

  /// m' from m and u.
  ///
  /// - Parameters:
  ///   - memory: m [N, M, order]
  ///   - input: u [N, M]
  ///   - stepsBefore: the steps of the sequence before this one, for a measure that scales with
  ///     time
  ///   - after: receives m'
  package func advance(
    _ memory: Tensor<Scalar>, input: Tensor<Scalar>, after stepsBefore: Int,
    into after: Tensor<Scalar>
  ) {
    let (transition, rows) = (known(after: stepsBefore), input.count)
    let (memories, result) = (
      memory.reshaped([rows, order]), after.reshaped([rows, order])
    )
    transition.input.multiply(input.reshaped([rows, 1]), into: result)
    transition.memory.multiply(memories, addingTo: result)
    after.add(memory, scale: 1)
  }

  /// The adjoint of `advance`.
  package func advanceBackward(
    _ gradient: Tensor<Scalar>, after stepsBefore: Int, into before: Tensor<Scalar>,
    input: Tensor<Scalar>
  ) {
    let (transition, rows) = (known(after: stepsBefore), input.count)
    let memories = gradient.reshaped([rows, order])
    transition.inputAdjoint.multiply(memories, into: input.reshaped([rows, 1]))
    transition.memoryAdjoint.multiply(memories, into: before.reshaped([rows, order]))
    before.add(gradient, scale: 1)
  }

  /// The transition of a step inside a pass.
  private func known(after steps: Int) -> Transition<Scalar> {
    do {
      return try transition(after: steps)
    } catch {
      // `prepare` has computed the matrix of all steps. A of the scaled measure is triangular with
      // a negative diagonal, so I - ΔA/2 always has an inverse.
      preconditionFailure("the matrix of a memory of order \(order): \(error)")
    }
  }

  private func transition(after steps: Int) throws(LAPACKError) -> Transition<Scalar> {
    let isScaled = measure == .scaledLegendre
    let time = isScaled ? (maximumSteps > 0 ? min(steps, maximumSteps) : steps) : 0
    let key = TransitionKey(
      time: time, kernels: ObjectIdentifier(Scalar.kernels(on: .current)))
    if let known = transitions[key] { return known }
    let made: (a: Matrix, b: [Double])
    if isScaled && time == 0 {
      // The first input fills the memory: m' = (u, 0 ... 0).
      made = (Matrix(order) { _, _ in 0 }, (0..<order).map { $0 == 0 ? 1 : 0 })
    } else {
      let (a, b) = measure.system(order: order)
      // The hold integrates dt / t over the step, the others take 1 / t at its end.
      let size =
        !isScaled
        ? step
        : discretization == .zeroOrderHold
          ? Double.logarithm(1 + 1 / Double(time)) : 1 / Double(time)
      made = try discretization.discretize(a, b, step: size)
    }
    let transition = Transition<Scalar>(made.a, made.b)
    transitions[key] = transition
    return transition
  }
}

/// Ā - I and B̄ as kernels read them. Nothing writes to it once it is made.
private struct Transition<Scalar: KernelScalar>: @unchecked Sendable {
  /// For m (Ā - I)ᵀ and dm' (Ā - I).
  let memory: PackedMatrix<Scalar>
  let memoryAdjoint: PackedMatrix<Scalar>
  /// For u B̄ᵀ and dm' B̄.
  let input: PackedMatrix<Scalar>
  let inputAdjoint: PackedMatrix<Scalar>

  init(_ a: Matrix, _ b: [Double]) {
    let change = Matrix.addingIdentity(-1, to: a).values
    let square = Tensor(change.array.map { Scalar($0) }, shape: change.shape)
    let column = Tensor(b.map { Scalar($0) }, shape: [b.count, 1])
    memory = PackedMatrix(square)
    memoryAdjoint = PackedMatrix(square, transposed: true)
    input = PackedMatrix(column)
    inputAdjoint = PackedMatrix(column, transposed: true)
  }
}

private struct TransitionKey: Hashable {
  let time: Int
  /// The kernels that read it, because each packs matrices in its own way.
  let kernels: ObjectIdentifier
}

/// The transitions made so far; threads may access it at the same time.
private final class Transitions<Scalar: KernelScalar>: Sendable {
  private let made = Mutex<[TransitionKey: Transition<Scalar>]>([:])

  subscript(key: TransitionKey) -> Transition<Scalar>? {
    get { made.withLock { $0[key] } }
    set { made.withLock { $0[key] = newValue } }
  }
}
