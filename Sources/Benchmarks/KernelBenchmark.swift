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
}

/// Times the forward and the backward pass of single layers, and OpenBLAS on their main product.
public enum KernelBenchmark {
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
    let layer: any SequenceLayer<Float> = LayerSpecification(
      system.layers(
        CellConstants(mu: 0.6, epsilon: 0.6, beta: 0.999, restart: 40, window: 20)), hidden: hidden
    ).layer(inputs: 1, named: LayerName(prefix: "", suffix: "_l0"))
    var layout = ParameterLayout()
    layer.declare(in: &layout)
    let parameters = ParameterBuffer<Float>(layout)
    var stream = RandomStream(seed: 1, purpose: .benchmark)
    Initialization.uniform(
      parameters.flat.reshaped([1, layout.count]), bound: 0.05, stream: &stream)
    try layer.prepare(parameters, advancing: true)
    let x = Tensor<Float>(shape: [steps, rows, 1])
    Initialization.uniform(x, bound: 1, stream: &stream)
    let shards = 8
    let gradients = ShardedBuffer<Float>(layout, shards: shards)
    let input = SequenceInput(x, rowStarts: (0...shards).map { rows * $0 / shards })
    let workspace = Workspace<Float>()
    let upstream = Tensor<Float>(shape: [rows, hidden])
    func run() -> any LayerPass<Float> {
      layer.forward(input, from: nil, parameters, keeping: .activations, in: workspace)
    }

    let peak = KernelBackend.current.peakGFLOPS(seconds: 0.3)
    let forward = Timing.median(Timing.seconds(repeats: repeats, warmup: 1) { _ = run() })
    let pass = run()
    let backward = Timing.median(
      Timing.seconds(repeats: repeats, warmup: 1) {
        upstream.fill(1)
        _ = pass.backward(
          OutputGradient(lastStep: upstream), into: gradients, wantsInput: false, initial: nil)
      })
    // Every weight takes part in a multiply-add for each row of each step.
    let weights = layer.parameters.filter { $0.shape.count == 2 }.reduce(0) { $0 + $1.count }
    let operations = 2 * Double(steps * rows) * Double(weights)
    return [("forward", forward, 1.0), ("backward", backward, 2.0)].map { name, seconds, share in
      let gflops = share * operations / seconds * 1e-9
      return KernelResult(
        kernel: name, system: system.name, hidden: hidden, rows: rows, seconds: seconds,
        gflops: gflops, peakGflops: peak, utilisation: gflops / peak)
    }
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
      seconds: seconds, gflops: gflops, peakGflops: peak, utilisation: gflops / peak)
  }
}
