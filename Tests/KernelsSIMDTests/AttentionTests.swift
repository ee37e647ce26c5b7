// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors
import Testing

/// o_i = Σ_j p_ij f_ij v_j over a band, and its adjoint.
@Suite struct AttentionTests {
  struct Case: Sendable, CustomStringConvertible {
    var sequences = 3
    var steps = 7
    var heads = 2
    var width = 6
    var back = 2
    var forward = 1
    var lengths: [Int]?
    var drops = false

    var description: String {
      "\(sequences)x\(steps), \(heads) heads of \(width), -\(back)+\(forward), \(lengths ?? [])"
        + (drops ? ", dropout" : "")
    }
    var attention: BandedAttention {
      BandedAttention(steps: steps, heads: heads, width: width, back: back, forward: forward)
    }
  }

  static let cases = [
    Case(), Case(lengths: [7, 1, 3], drops: true), Case(back: 0, forward: -1, drops: true),
    Case(back: 3, forward: 0, lengths: [2, 7, 5]), Case(heads: 1, width: 37, back: 30, forward: 9),
    Case(sequences: 2, steps: 40, heads: 3, width: 120, back: 8, forward: 4, drops: true),
    Case(sequences: 1, steps: 1, heads: 1, width: 1),
  ]

  private struct Problem<Scalar: KernelScalar> {
    let projected: Tensor<Scalar>
    let factors: Tensor<Scalar>?
    let dOutput: Tensor<Scalar>

    init(_ item: Case) {
      let (N, T, D) = (item.sequences, item.steps, item.heads * (item.width / item.heads))
      projected = PrimitiveSizes.random(N * T, 3 * D, seed: 1)
      dOutput = PrimitiveSizes.random(N * T, D, seed: 2)
      let count = item.attention.weightShape(sequences: N).reduce(1, *)
      let drawn: Tensor<Scalar> = PrimitiveSizes.random(1, count, seed: 3)
      for index in 0..<count { drawn[index] = drawn[index] < 0 ? 0 : 1.25 }
      factors = item.drops ? drawn : nil
    }
  }

  /// The output and the gradient of what was projected.
  private func run<Scalar: KernelScalar>(
    _ item: Case, _ problem: Problem<Scalar>, sequences: Range<Int>? = nil
  ) -> (o: [Scalar], d: [Scalar]) {
    let range = sequences ?? 0..<item.sequences
    let (N, T) = (range.count, item.steps)
    let rows = range.lowerBound * T..<range.upperBound * T
    let attention = item.attention
    let shape = attention.weightShape(sequences: N)
    let weights = Tensor<Scalar>(shape: shape)
    let each = weights.count / max(N, 1)
    let factors = problem.factors?.elements(range.lowerBound * each..<range.upperBound * each)
    let lengths = item.lengths.map { Array($0[range]) }
    let output = Tensor<Scalar>(shape: [N * T, item.width])
    output.fill(77)
    attention.forward(
      problem.projected.rows(rows), lengths: lengths, factors: factors, weights: weights,
      into: output)
    let d = Tensor<Scalar>(shape: [N * T, 3 * item.width])
    d.fill(77)
    attention.backward(
      problem.dOutput.rows(rows), projected: problem.projected.rows(rows), lengths: lengths,
      factors: factors, weights: weights, into: d)
    return (output.array, d.array)
  }

  /// The definition, over all pairs of steps.
  private func definition(_ item: Case, _ problem: Problem<Double>) -> [Double] {
    let (T, D, W) = (item.steps, item.width, item.attention.band)
    let d = D / item.heads
    var output = [Double](repeating: 0, count: item.sequences * T * D)
    for n in 0..<item.sequences {
      let length = item.lengths?[n] ?? T
      for head in 0..<item.heads {
        for i in 0..<T {
          func number(_ step: Int, _ block: Int, _ c: Int) -> Double {
            problem.projected[((n * T + step) * 3 + block) * D + head * d + c]
          }
          let seen = (0..<length).filter {
            (item.back <= 0 || $0 >= i - item.back) && (item.forward < 0 || $0 <= i + item.forward)
          }
          let scores = seen.map { j in
            (0..<d).reduce(0) { $0 + number(i, 0, $1) * number(j, 1, $1) } / Double(d).squareRoot()
          }
          let exponentials = scores.map { Double.exponential($0) }
          let sum = exponentials.reduce(0, +)
          for (place, j) in seen.enumerated() {
            let factor = problem.factors?[((n * item.heads + head) * T + i) * W + place] ?? 1
            for c in 0..<d {
              output[(n * T + i) * D + head * d + c] +=
                factor * exponentials[place] / sum * number(j, 2, c)
            }
          }
        }
      }
    }
    return output
  }

  @Test(arguments: cases) func everyBackendFollowsTheDefinition(_ item: Case) {
    let exact = Problem<Double>(item)
    let reference = run(item, exact)
    #expect(
      zip(reference.o, definition(item, exact)).allSatisfy { abs($0 - $1) <= 1e-12 },
      "the reference on \(item)")
    let problem = Problem<Float>(item)
    for backend in KernelBackend.supported {
      let all = backend.run { run(item, problem) }
      #expect(relativeError(all.o, reference.o) <= 1e-5, "\(backend) o of \(item)")
      #expect(
        item.steps == 1 || relativeError(all.d, reference.d) <= 1e-5, "\(backend) d of \(item)")
      for n in 0..<item.sequences {
        let alone = backend.run { run(item, problem, sequences: n..<n + 1) }
        let rows = n * alone.o.count..<(n + 1) * alone.o.count
        #expect(alone.o.bits == Array(all.o[rows]).bits, "\(backend) sequence \(n) of \(item)")
        let wide = n * alone.d.count..<(n + 1) * alone.d.count
        #expect(alone.d.bits == Array(all.d[wide]).bits, "\(backend) sequence \(n) of \(item)")
      }
    }
  }

  @Test(arguments: cases.filter { $0.steps < 20 }) func centralDifferences(_ item: Case) {
    let problem = Problem<Double>(item)
    let d = run(item, problem).d
    let step = 1e-5
    func loss() -> Double {
      zip(run(item, problem).o, problem.dOutput.array).reduce(0) { $0 + $1.0 * $1.1 }
    }
    for index in 0..<problem.projected.count {
      let kept = problem.projected[index]
      problem.projected[index] = kept + step
      let up = loss()
      problem.projected[index] = kept - step
      let slope = (up - loss()) / (2 * step)
      problem.projected[index] = kept
      #expect(abs(slope - d[index]) <= 1e-8, "number \(index) of \(item)")
    }
  }
}
