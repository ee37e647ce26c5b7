// SPDX-License-Identifier: Apache-2.0

import BLAS
import Layers
import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// The measurements of one kernel at one size.
public struct KernelResult: Sendable, Codable {
  /// What ran: "forward", "backward", or OpenBLAS's product.
  public let kernel: String
  /// The cell; for OpenBLAS's product, the name of OpenBLAS's kernels.
  public let system: String
  /// H, hidden units.
  public let hidden: Int
  /// N, rows of the batch.
  public let rows: Int
  /// The median time.
  public let seconds: Double
  /// The speed at that time.
  public let gflops: Double
  /// The speed of multiply-adds on registers, measured just before.
  public let peakGflops: Double
  /// The speed as a share of the peak.
  public let utilisation: Double
  /// The share of the peak that the same kernels reach if all their data are in the caches: the best
  /// of many short passes. Nil for OpenBLAS and for cells without fused kernels.
  public let cachedUtilisation: Double?
}

/// Times the forward and the backward pass of single layers, and OpenBLAS on their main product.
public enum KernelBenchmark {
  private static let shards = 8

  /// Times every system at every size, on one thread, with `rows` sequences of `steps` steps.
  public static func run(
    systems: [RecurrentSystem], hidden sizes: [Int], rows: Int, steps: Int, repeats: Int
  ) throws -> [KernelResult] {
    NumericEnvironment.enter()
    var results: [KernelResult] = []
    for hidden in sizes {
      for system in systems {
        results += try measure(system, hidden: hidden, rows: rows, steps: steps, repeats: repeats)
      }
      results.append(openBLAS(hidden: hidden, rows: rows, repeats: repeats))
    }
    return results
  }

  private static func measure(
    _ system: RecurrentSystem, hidden: Int, rows: Int, steps: Int, repeats: Int
  ) throws -> [KernelResult] {
    let work = try LayerWork(system, hidden: hidden, rows: rows, steps: steps, shards: shards)
    let peak = KernelBackend.current.peakGFLOPS(seconds: 0.3)
    let forward = Timing.median(
      Timing.seconds(repeats: repeats, warmup: 1) { _ = work.forward() })
    let pass = work.forward()
    let backward = Timing.median(
      Timing.seconds(repeats: repeats, warmup: 1) { work.backward(pass) })
    let cached = try cachedSeconds(system, hidden: hidden, rows: rows, steps: steps)
    return [
      ("forward", forward, 1.0, cached?.forward), ("backward", backward, 2.0, cached?.backward),
    ].map { name, seconds, share, cached in
      let operations = share * work.operations * 1e-9
      return KernelResult(
        kernel: name, system: system.name, hidden: hidden, rows: rows, seconds: seconds,
        gflops: operations / seconds, peakGflops: peak, utilisation: operations / seconds / peak,
        cachedUtilisation: cached.map { operations / $0 / peak })
    }
  }

  /// The times with all data in the caches; nil if the layer is not fused.
  private static func cachedSeconds(
    _ system: RecurrentSystem, hidden: Int, rows: Int, steps: Int
  ) throws -> (forward: Double, backward: Double)? {
    var cached = CachedPhases(rows: rows, steps: steps, shards: shards)
    let small = try LayerWork(
      system, hidden: hidden, rows: cached.shortRows, steps: cached.shortSteps, shards: 1)
    guard cached.measure({ small.backward(small.forward()) }) else { return nil }
    func sum(_ phases: [KernelPhase]) -> Double { phases.reduce(0) { $0 + cached[$1] } }
    return (
      sum([.packing, .inputProduct, .recurrentProduct, .pointwiseForward]),
      sum([.productBackward, .pointwiseBackward, .inputGradient, .weightGradient])
    )
  }

  /// [rows, H] times [H, 4H]: the product of one time step.
  private static func openBLAS(hidden: Int, rows: Int, repeats: Int) -> KernelResult {
    let a = Tensor<Float>(shape: [rows, hidden])
    let b = Tensor<Float>(shape: [hidden, 4 * hidden])
    let c = Tensor<Float>(shape: [rows, 4 * hidden])
    let peak = KernelBackend.current.peakGFLOPS(seconds: 0.3)
    let calls = 20
    let seconds =
      Timing.median(
        Timing.seconds(repeats: repeats, warmup: 1) {
          for _ in 0..<calls { matrixProduct(a, b, into: c) }
        }) / Double(calls)
    let gflops = 2 * Double(rows * hidden) * Double(4 * hidden) / seconds * 1e-9
    return KernelResult(
      kernel: "openblas_product", system: OpenBLAS.coreName, hidden: hidden, rows: rows,
      seconds: seconds, gflops: gflops, peakGflops: peak, utilisation: gflops / peak,
      cachedUtilisation: nil)
  }
}

/// A single layer with one input, and all that its passes need.
private struct LayerWork {
  private let rows: Int
  private let steps: Int
  private let layer: any SequenceLayer<Float>
  private let parameters: ParameterBuffer<Float>
  private let gradients: ShardedBuffer<Float>
  private let input: SequenceInput<Float>
  private let upstream: Tensor<Float>
  private let workspace = Workspace<Float>()

  init(_ system: RecurrentSystem, hidden: Int, rows: Int, steps: Int, shards: Int) throws {
    (self.rows, self.steps) = (rows, steps)
    layer = LayerSpecification(
      system.layers(
        CellConstants(mu: 0.6, epsilon: 0.6, beta: 0.999, restart: 40, window: 20)), hidden: hidden
    ).layer(inputs: 1, named: LayerName(prefix: "", suffix: "_l0"))
    var layout = ParameterLayout()
    layer.declare(in: &layout)
    parameters = ParameterBuffer<Float>(layout)
    var stream = RandomStream(seed: 1, purpose: .benchmark)
    Initialization.uniform(
      parameters.flat.reshaped([1, layout.count]), bound: 0.05, stream: &stream)
    try layer.prepare(parameters, advancing: true)
    let x = Tensor<Float>(shape: [steps, rows, 1])
    Initialization.uniform(x, bound: 1, stream: &stream)
    gradients = ShardedBuffer<Float>(layout, shards: shards)
    input = SequenceInput(x, rowStarts: (0...shards).map { rows * $0 / shards })
    upstream = Tensor<Float>(shape: [rows, hidden])
  }

  /// The operations of the forward pass; the backward pass has twice as many. Every weight takes part
  /// in a multiply-add for each row of each step.
  var operations: Double {
    let weights = layer.parameters.filter { $0.shape.count == 2 }.reduce(0) { $0 + $1.count }
    return 2 * Double(steps * rows) * Double(weights)
  }

  func forward() -> any LayerPass<Float> {
    layer.forward(input, from: nil, parameters, keeping: .activations, in: workspace)
  }

  func backward(_ pass: any LayerPass<Float>) {
    upstream.fill(1)
    _ = pass.backward(
      OutputGradient(lastStep: upstream), into: gradients, wantsInput: false, initial: nil)
  }
}
