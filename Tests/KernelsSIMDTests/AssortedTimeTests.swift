// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors
import Testing

/// Norms with windows, over several steps: a row's statistics are those of the last k steps.
@Suite struct AssortedTimeTests {
  /// A sequence of pre-activations [T, rows, D], its norm, and the gradients of its output.
  private struct Sequence<Scalar: KernelScalar> {
    static var steps: Int { 7 }
    let W: Int
    var z: [Tensor<Scalar>]
    let gain: Tensor<Scalar>
    let shift: Tensor<Scalar>
    let dy: [Tensor<Scalar>]
    /// The gradient of the last window.
    let dLast: Tensor<Scalar>

    init(_ rows: Int, _ D: Int, window W: Int) {
      self.W = W
      // Each step about another mean, so that pooled statistics are not those of a step.
      z = (0..<Self.steps).map { t in
        let tensor: Tensor<Scalar> = PrimitiveSizes.random(rows, D, seed: UInt64(t + 1), scale: 2)
        for index in 0..<tensor.count { tensor[index] += Scalar(t % 3) }
        return tensor
      }
      gain = PrimitiveSizes.random(1, D, seed: 20).reshaped([D])
      shift = PrimitiveSizes.random(1, D, seed: 21).reshaped([D])
      dy = (0..<Self.steps).map { PrimitiveSizes.random(rows, D, seed: UInt64(30 + $0)) }
      dLast = PrimitiveSizes.random(rows, 2 * W + 1, seed: 40)
    }

    /// The same of some rows.
    func rows(_ range: Range<Int>) -> Sequence {
      Sequence(
        W: W, z: z.map { $0.rows(range) }, gain: gain, shift: shift,
        dy: dy.map { $0.rows(range) }, dLast: dLast.rows(range))
    }

    private init(
      W: Int, z: [Tensor<Scalar>], gain: Tensor<Scalar>, shift: Tensor<Scalar>,
      dy: [Tensor<Scalar>], dLast: Tensor<Scalar>
    ) {
      (self.W, self.z, self.gain, self.shift) = (W, z, gain, shift)
      (self.dy, self.dLast) = (dy, dLast)
    }

    /// y of every step, the last window, dz of every step and the gradient of the first window.
    func run() -> (
      y: [Tensor<Scalar>], last: Tensor<Scalar>, dz: [Tensor<Scalar>], first: Tensor<Scalar>
    ) {
      let (rows, D) = (z[0].shape[0], gain.count)
      func tensors(_ columns: Int, _ count: Int) -> [Tensor<Scalar>] {
        (0..<count).map { _ in Tensor(shape: [rows, columns]) }
      }
      let (T, columns) = (Self.steps, LayerNormalization.Window<Scalar>.columns(length: W))
      let (windows, y, n) = (tensors(columns, T + 1), tensors(D, T), tensors(D, T))
      let inverse = tensors(1, T)
      func window(_ tensors: [Tensor<Scalar>], _ t: Int) -> LayerNormalization.Window<Scalar> {
        LayerNormalization.Window(length: W, before: tensors[t], after: tensors[t + 1])
      }
      for t in 0..<T {
        LayerNormalization.forward(
          ColumnBlock(z[t]), gain: gain, shift: shift, into: ColumnBlock(y[t]),
          normalised: ColumnBlock(n[t]), inverseDeviation: ColumnBlock(inverse[t]),
          window: window(windows, t))
      }
      let (dWindows, dz) = (tensors(columns, T + 1), tensors(D, T))
      for tensor in dWindows { tensor.fill(77) }
      dWindows[T].copy(from: dLast)
      let (dGain, dShift) = (tensors(D, 1)[0], tensors(D, 1)[0])
      for t in (0..<T).reversed() {
        LayerNormalization.backward(
          ColumnBlock(dy[t]), normalised: ColumnBlock(n[t]),
          inverseDeviation: ColumnBlock(inverse[t]), gain: gain, into: ColumnBlock(dz[t]),
          dGain: ColumnBlock(dGain), dShift: ColumnBlock(dShift),
          window: (window(windows, t), window(dWindows, t)))
      }
      return (y, windows[T], dz, dWindows[0])
    }
  }

  static let windows = [1, 2, 5, 19]

  /// The definition: mean and variance of all numbers of the last k steps, one after the other.
  @Test(arguments: PrimitiveSizes.all, windows) func pooledStatistics(sizes: [Int], W: Int) {
    let (rows, D) = (sizes[0], sizes[1])
    let sequence = Sequence<Double>(rows, D, window: W)
    let y = sequence.run().y
    for t in y.indices {
      let pooled = sequence.z[max(0, t - W)...t]
      for row in 0..<rows {
        let numbers = pooled.flatMap { $0.row(row).array }
        let mean = numbers.reduce(0, +) / Double(numbers.count)
        let variance =
          numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count)
        for j in 0..<D {
          let n = (sequence.z[t][row * D + j] - mean) / (variance + 1e-5).squareRoot()
          let expected = n * sequence.gain[j] + sequence.shift[j]
          #expect(abs(y[t][row * D + j] - expected) <= 1e-10, "step \(t) of \(sizes)")
        }
      }
    }
  }

  /// Through every window into every step before.
  @Test(arguments: [[1, 1], [2, 3], [7, 17]], windows)
  func centralDifferences(sizes: [Int], W: Int) {
    let (rows, D) = (sizes[0], sizes[1])
    let sequence = Sequence<Double>(rows, D, window: W)
    let (_, _, dz, first) = sequence.run()
    #expect((0..<rows).allSatisfy { first[$0 * (2 * W + 1) + 2 * W] == 0 })
    let step = 1e-5
    for t in dz.indices {
      // Rows do not mix, so the same column of all of them moves at once.
      for j in 0..<D {
        func moved(by change: Double) -> [Double] {
          var moved = sequence
          moved.z[t] = sequence.z[t].copy()
          for row in 0..<rows { moved.z[t][row * D + j] += change }
          let (y, last, _, _) = moved.run()
          return (0..<rows).map { row in
            zip(y, sequence.dy).reduce(inner(last.row(row).array, sequence.dLast.row(row).array)) {
              $0 + inner($1.0.row(row).array, $1.1.row(row).array)
            }
          }
        }
        let (up, down) = (moved(by: step), moved(by: -step))
        for row in 0..<rows {
          let slope = (up[row] - down[row]) / (2 * step)
          let error = abs(slope - dz[t][row * D + j])
          #expect(error <= 1e-6 * max(1, abs(slope)), "step \(t) column \(j) of row \(row)")
        }
      }
    }
  }

  @Test(arguments: PrimitiveSizes.all, windows)
  func everyBackendDoesWhatDoubleDoes(sizes: [Int], W: Int) {
    let (rows, D) = (sizes[0], sizes[1])
    let exact = Sequence<Double>(rows, D, window: W).run()
    let sequence = Sequence<Float>(rows, D, window: W)
    for backend in KernelBackend.supported {
      let all = backend.run { sequence.run() }
      func expectNear(_ a: [Tensor<Float>], _ b: [Tensor<Double>], _ what: String) {
        let error = relativeError(a.flatMap(\.array), b.flatMap(\.array))
        // The variance of two or three single numbers may be next to nothing.
        #expect(error <= (D == 1 ? 1e-4 : 2e-5), "\(backend) \(what) of \(sizes)")
      }
      expectNear(all.y, exact.y, "y")
      expectNear([all.last], [exact.last], "the last window")
      expectNear(all.dz, exact.dz, "dz")
      expectNear([all.first], [exact.first], "the first window's gradient")
      for row in [0, rows - 1, rows / 2] {
        let range = row..<row + 1
        let alone = backend.run { sequence.rows(range).run() }
        for (one, many) in zip(
          alone.y + alone.dz + [alone.last, alone.first], all.y + all.dz + [all.last, all.first])
        {
          let same = one.array.bits == many.rows(range).array.bits
          #expect(same, "\(backend) row \(row) of \(sizes)")
        }
      }
    }
  }
}
