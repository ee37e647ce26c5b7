import BLAS
import Cells
import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// What was measured of one kernel at one size.
public struct KernelResult: Sendable, Codable {
  public let kernel: String
  public let system: String
  public let hidden: Int
  public let rows: Int
  public let seconds: Double
  public let gflops: Double
  public let peakGflops: Double
  public let utilisation: Double
}

/// Times the forward and the backward pass of single layers, and OpenBLAS on the product that is
/// at their heart.
public enum KernelBenchmark {
  public static func run(
    systems: [RecurrentSystem], hidden sizes: [Int], rows: Int, steps: Int, repeats: Int
  ) -> [KernelResult] {
    OpenBLAS.setThreads(1)
    KernelVariant.flushDenormals()
    var results: [KernelResult] = []
    for hidden in sizes {
      for system in systems {
        results += measure(system, hidden: hidden, rows: rows, steps: steps, repeats: repeats)
      }
      results.append(openBLAS(hidden: hidden, rows: rows, repeats: repeats))
    }
    return results
  }

  private static func measure(
    _ system: RecurrentSystem, hidden: Int, rows: Int, steps: Int, repeats: Int
  ) -> [KernelResult] {
    let layer = RecurrentLayer<Float>(
      drive: system.drive(mu: 0.6, epsilon: 0.6, beta: 0.999, restart: 40), body: system.body,
      orthogonal: system.orthogonal, inputs: 1, hidden: hidden, prefix: "", suffix: "_l0")
    var layout = ParameterLayout()
    layer.declare(in: &layout)
    let parameters = ParameterBuffer<Float>(layout)
    var stream = RandomStream(seed: 1, purpose: .benchmark)
    Initialization.uniform(
      parameters.flat.reshaped([1, layout.count]), bound: 0.05, stream: &stream)
    let geometry = layer.geometry(steps: steps, rows: rows)
    let x = Tensor<Float>(shape: [steps, rows, 1])
    Initialization.uniform(x, bound: 1, stream: &stream)
    let y = Tensor<Float>(shape: [steps, rows, hidden])
    let saved = Tensor<Float>(shape: [RecurrentLayerKernels<Float>.savedCount(geometry)])
    let shards = 8
    let gradients = ShardedBuffer<Float>(layout, shards: shards)
    let rowStarts = (0...shards).map { rows * $0 / shards }
    var final = RecurrentState<Float>(zerosFor: geometry)
    final.hidden = Tensor(shape: [rows, hidden])
    final.hidden.fill(1)

    let peak = KernelVariant.current.peakGFLOPS(seconds: 0.3)
    let forward = Timing.median(
      Timing.seconds(repeats: repeats, warmup: 1) {
        RecurrentLayerKernels.forward(
          geometry, weights: layer.weights(parameters), x: x, initial: nil, y: y, saved: saved,
          final: nil)
      })
    let backward = Timing.median(
      Timing.seconds(repeats: repeats, warmup: 1) {
        RecurrentLayerKernels.backward(
          geometry, weights: layer.weights(parameters), x: x, initial: nil, y: y, saved: saved,
          dy: nil, finalGradient: final, entries: layer.entries(in: layout),
          gradients: gradients, rowStarts: rowStarts, dx: nil, initialGradient: nil)
      })
    let operations = 2 * Double(steps * rows * geometry.gateWidth) * Double(hidden + 1)
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
    let peak = KernelVariant.current.peakGFLOPS(seconds: 0.3)
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
