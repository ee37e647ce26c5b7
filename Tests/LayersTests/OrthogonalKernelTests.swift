// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import RandomNumbers
import Tensors
import TestSupport
import Testing

@testable import Layers

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct OrthogonalKernelTests {
  private func random(_ n: Int, scale: Double, index: Int = 0) -> Matrix {
    var stream = RandomStream(seed: 4, purpose: .testing, index: index)
    return Matrix(n) { _, _ in scale * stream.normal() }
  }

  /// exp of a rotation's generator is the rotation, even if it takes many squarings.
  @Test(arguments: [1e-9, 0.3, 3, 50]) func exponentialOfARotation(angle: Double) throws {
    let a = Matrix(2) { row, column in row == column ? 0 : row < column ? -angle : angle }
    let rotation = try MatrixFunctions.exponential(a)
    let (c, s) = (cos(angle), sin(angle))
    expectClose(rotation.values.array, [c, -s, s, c], absolute: 1e-13 * max(1, angle))
  }

  /// ⟨G, L(A, E)⟩ = ⟨L(Aᵀ, G), E⟩, with L checked by central differences.
  @Test(arguments: [1, 4, 7]) func adjointsAreThoseOfCentralDifferences(n: Int) throws {
    let A = random(n, scale: 0.8)
    let G = random(n, scale: 1, index: 1)
    func inner(_ m: Matrix) -> Double {
      zip(m.values.array, G.values.array).reduce(0) { $0 + $1.0 * $1.1 }
    }
    checkGradient(
      "exp", of: A.values,
      gradient: try MatrixFunctions.exponentialAdjoint(at: A, gradient: G).values.array
    ) { (try? inner(MatrixFunctions.exponential(A))) ?? .nan }
    let S = MatrixFunctions.skew(A)
    checkGradient(
      "Cayley", of: S.values,
      gradient: try MatrixFunctions.cayleyAdjoint(at: S, gradient: G).values.array
    ) { (try? inner(MatrixFunctions.cayley(S))) ?? .nan }
  }

  /// The gradient of A through P = Q φ(skew(A)), for every way to parametrise.
  @Test(arguments: OrthogonalSettings.Map.allCases, [1, 2, 5])
  func gradientsOfTheSkewMatrix(map: OrthogonalSettings.Map, hidden: Int) throws {
    let kernel = OrthogonalKernel<Double>(
      hidden: hidden, settings: OrthogonalSettings(map: map, isDynamic: false))
    let A = Tensor(random(hidden, scale: 0.5).values.array, shape: [hidden, hidden])
    let G = random(hidden, scale: 1, index: 2).values.array
    try kernel.prepare(A, advancing: true)
    let gradient = Tensor(G, shape: [hidden, hidden])
    try kernel.finishGradient(gradient)
    checkGradient("A", of: A, gradient: gradient.array) {
      guard (try? kernel.prepare(A, advancing: false)) != nil else { return .nan }
      return zip(kernel.recurrentWeight.array, G).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }

  /// 200 steps of DTRIV with K = 1 in Float: the base drifts from orthogonality by rounding alone,
  /// and projections keep it there.
  @Test func theBaseStaysOrthogonal() throws {
    let H = 24
    let kernel = OrthogonalKernel<Float>(hidden: H, settings: OrthogonalSettings())
    let A = Tensor<Float>(shape: [H, H])
    var stream = RandomStream(seed: 1, purpose: .testing)
    kernel.initialize(A, stream: &stream)
    for _ in 0..<200 {
      try kernel.prepare(A, advancing: true)
      let gradient = Tensor<Float>((0..<H * H).map { _ in Float(stream.normal()) }, shape: [H, H])
      try kernel.finishGradient(gradient)
      for index in 0..<A.count { A[index] -= 0.01 * gradient[index] }
    }
    let Q = kernel.base
    for a in 0..<H {
      for b in 0..<H {
        let product = (0..<H).reduce(Float(0)) { $0 + Q[$1 * H + a] * Q[$1 * H + b] }
        #expect(abs(product - (a == b ? 1 : 0)) < 1e-5)
      }
    }
  }

  /// An evaluation between two steps must not move the base.
  @Test func otherUsesDoNotAdvance() throws {
    let kernel = OrthogonalKernel<Double>(hidden: 4, settings: OrthogonalSettings())
    let A = Tensor(random(4, scale: 0.5).values.array, shape: [4, 4])
    let before = (A.array, kernel.base.array)
    try kernel.prepare(A, advancing: false)
    #expect(A.array == before.0 && kernel.base.array == before.1)
    let seen = kernel.recurrentWeight.array
    try kernel.prepare(A, advancing: true)
    #expect(A.array.allSatisfy { $0 == 0 })
    expectClose(kernel.recurrentWeight.array, seen, absolute: 1e-14)
  }

  /// With no input and no state, the modReLU cell stays at 0 and has no gradient, whatever its
  /// bias: the leading black pixels of an image.
  @Test func modReLUAtZero() {
    let geometry = LayerGeometry(
      steps: 3, rows: 1, inputs: 1, hidden: 3, drive: DriveParameters(.plain), body: .modReLU)
    var layout = ParameterLayout()
    layout.add("W", shape: [3, 1])
    layout.add("P", shape: [3, 3])
    layout.add("b", shape: [3])
    let parameters = ParameterBuffer<Double>(layout)
    parameters.flat.fill(0.5)
    let weights = RecurrentLayerWeights(
      input: parameters["W"], recurrent: parameters["P"], unitBias: parameters["b"])
    let x = Tensor<Double>(shape: [3, 1, 1])
    let y = Tensor<Double>(shape: [3, 1, 3])
    let saved = Tensor<Double>(shape: [RecurrentLayerKernels<Double>.savedCount(geometry)])
    RecurrentLayerKernels.forward(
      geometry, weights: weights, x: x, initial: nil, y: y, saved: saved, final: nil)
    #expect(y.array.allSatisfy { $0 == 0 })
    let dy = Tensor<Double>(shape: [3, 1, 3])
    dy.fill(1)
    // All rows are one shard.
    let gradients = ShardedBuffer<Double>(layout, shards: 1)
    RecurrentLayerKernels.backward(
      geometry, weights: weights, x: x, initial: nil, y: y, saved: saved, dy: dy,
      finalGradient: nil,
      entries: RecurrentLayerEntries(
        input: layout["W"]!, recurrent: layout["P"]!, unitBias: layout["b"]),
      gradients: gradients, rowStarts: [0, 1], dx: nil, initialGradient: nil)
    #expect(gradients.flat.array.allSatisfy { $0 == 0 })
  }
}
