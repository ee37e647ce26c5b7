// SPDX-License-Identifier: Apache-2.0

import Kernels
import Layers
import RandomNumbers
import Tensors

/// The cost of both forms of a scaled Legendre memory of one order.
public struct MemoryResult: Sendable, Codable {
  /// N, coefficients of a memory.
  public let order: Int
  /// Median seconds of all time steps of the scan, forward and backward.
  public let scanSeconds: Double
  /// The same of the product.
  public let denseSeconds: Double
  /// Dense over scan, the median of the turns.
  public let ratio: Double
  /// The largest difference between the forms' last memories, over the largest coefficient.
  public let largestDifference: Double
  /// The largest difference of the scan in Float from the scan in Double.
  public let scanError: Double
  /// The largest difference of the product in Float from the scan in Double.
  public let denseError: Double
}

/// Compares the two forms of HiPPO-LegS, bilinear: the scan with O(N) operations per step, and the
/// product with the step's matrix.
public enum MemoryBenchmark {
  /// - Parameters:
  ///   - order: N
  ///   - rows: memories
  ///   - steps: time steps; the dense form keeps a matrix for each
  ///   - repeats: how often each form is timed
  public static func run(order: Int, rows: Int, steps: Int, repeats: Int) -> MemoryResult {
    let run = MemoryRun<Float>(order: order, rows: rows, steps: steps)
    var seconds: [[Double]] = [[], []]
    for turn in -1..<repeats {
      // The order alternates; the first turn makes the matrices and is not timed.
      for isDense in turn.isMultiple(of: 2) ? [false, true] : [true, false] {
        let time = Timing.seconds(repeats: 1, warmup: 0) { run.passes(isDense: isDense) }
        if turn >= 0 { seconds[isDense ? 1 : 0] += time }
      }
    }
    let scan = run.last(isDense: false).map(Double.init)
    let dense = run.last(isDense: true).map(Double.init)
    let exact = MemoryRun<Double>(order: order, rows: rows, steps: steps).last(isDense: false)
    return MemoryResult(
      order: order, scanSeconds: Timing.median(seconds[0]),
      denseSeconds: Timing.median(seconds[1]),
      ratio: Timing.median(zip(seconds[0], seconds[1]).map { $1 / $0 }),
      largestDifference: difference(scan, dense), scanError: difference(scan, exact),
      denseError: difference(dense, exact))
  }

  private static func difference(_ a: [Double], _ b: [Double]) -> Double {
    let largest = b.reduce(0) { max($0, abs($1)) }
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / largest
  }
}

/// Memories that follow random inputs over some steps.
private struct MemoryRun<Scalar: KernelScalar> {
  private let steps: Int
  private let scan: LegendreMemory<Scalar>
  private let dense: DenseMemory<Scalar>
  private let inputs: Tensor<Scalar>  // [steps, rows, 1]
  private let memories: [Tensor<Scalar>]  // two of [rows, 1, order]
  /// Before each step, and after the last.
  private let clocks: Tensor<Scalar>  // [steps + 1, rows, 2]
  private let gradient: Tensor<Scalar>  // [rows, 1]

  init(order: Int, rows: Int, steps: Int) {
    self.steps = steps
    scan = LegendreMemory(channels: 1, order: order, newShare: 0.5, maximumSteps: 0)
    var constants = MemoryConstants()
    constants.maximumSteps = 0
    dense = DenseMemory(.scaledLegendre, .bilinear, order: order, constants: constants)
    inputs = Tensor(shape: [steps, rows, 1])
    var stream = RandomStream(seed: 5, purpose: .testing)
    for index in 0..<inputs.count { inputs[index] = Scalar(Float(stream.normal())) }
    memories = (0..<2).map { _ in Tensor(shape: [rows, 1, order]) }
    clocks = Tensor(shape: [steps + 1, rows, 2])
    gradient = Tensor(shape: [rows, 1])
  }

  /// All steps forward and backward.
  func passes(isDense: Bool) {
    forward(isDense: isDense)
    for t in (0..<steps).reversed() {
      let (from, to) = (memories[(t + 1) % 2], memories[t % 2])
      if isDense {
        dense.advanceBackward(from, after: t, into: to, input: gradient)
      } else {
        scan.advanceBackward(from, clock: clocks.row(t), times: nil, into: to, input: gradient)
      }
    }
  }

  private func forward(isDense: Bool) {
    memories[0].fill(0)
    for t in 0..<steps {
      let (from, to, u) = (memories[t % 2], memories[(t + 1) % 2], inputs.row(t))
      if isDense {
        dense.advance(from, input: u, after: t, into: to)
      } else {
        scan.advance(
          from, clock: clocks.row(t), input: u, times: nil, into: to, clockAfter: clocks.row(t + 1))
      }
    }
  }

  /// The memories after the last step.
  func last(isDense: Bool) -> [Scalar] {
    forward(isDense: isDense)
    return memories[steps % 2].array
  }
}
