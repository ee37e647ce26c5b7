// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Testing

/// The SIMD kernels agree with the scalar reference in Double.
@Suite struct ReferenceTests {
  struct Sizes: CustomTestStringConvertible, Sendable {
    var T: Int
    var C: Int
    var H: Int
    var shards: [Int]
    var testDescription: String { "T=\(T) C=\(C) H=\(H) shards=\(shards)" }
  }

  /// Tiny, odd, with empty shards, with more rows than a group, more steps than a block of time,
  /// few inputs and many, with weights of the inputs that the caches cannot hold.
  static let sizes = [
    Sizes(T: 1, C: 1, H: 1, shards: [1]),
    Sizes(T: 5, C: 1, H: 7, shards: [3, 0, 2]),
    Sizes(T: 19, C: 3, H: 20, shards: [5, 9]),
    Sizes(T: 9, C: 33, H: 33, shards: [16, 16, 1]),
    Sizes(T: 3, C: 17, H: 64, shards: [37, 3]),
    Sizes(T: 2, C: 2000, H: 16, shards: [2, 1]),
    Sizes(T: 3, C: 2, H: 272, shards: [2, 0, 3]),
    Sizes(T: 5, C: 2000, H: 36, shards: [2, 1]),
  ]

  static let drives = [
    DriveParameters(.plain),
    DriveParameters(.momentum, mu: 0.6, epsilon: 0.9),
    DriveParameters(.adam, mu: 0.6, epsilon: 0.8, beta: 0.7),
    DriveParameters(.nesterov, epsilon: 0.9, restart: 0),
    DriveParameters(.nesterov, epsilon: 0.9, restart: 3),
    DriveParameters(.nesterovExtrapolated, epsilon: 0.5, restart: 40),
  ]

  @Test(arguments: sizes) func everyBodyAndDrive(sizes: Sizes) throws {
    for body in BodyKind.allCases {
      for drive in Self.drives where !(body == .gru && drive.kind == .nesterovExtrapolated) {
        var layer = LayerCase(
          geometry: LayerGeometry(
            steps: sizes.T, rows: sizes.shards.reduce(0, +), inputs: sizes.C, hidden: sizes.H,
            drive: drive, body: body),
          shardRows: sizes.shards)
        for isFull in [true, false] {
          layer.hasBiases = isFull
          layer.hasStates = isFull
          layer.hasOutputGradient = isFull || sizes.T == 1
          layer.wantsInputGradient = isFull
          let numbers = layer.numbers()
          let expected = layer.run(numbers, with: Double.kernels(on: .reference))
          for backend in KernelBackend.supported {
            let computed = layer.run(numbers, with: backend.kernels)
            for tensor in computed.tensors {
              let error = relativeError(tensor.values, expected[tensor.name])
              // A single number may be a small difference of large ones.
              #expect(
                error <= (sizes.H == 1 ? 1e-4 : 1e-5),
                "\(backend) \(body) \(drive.kind) full=\(isFull): \(tensor.name)")
            }
          }
        }
      }
    }
  }

  /// Prints the variants that the suite has covered.
  @Test(arguments: KernelBackend.all) func isCovered(backend: KernelBackend) throws {
    try backend.requireSupport()
  }

  /// Inference, without `y` and `saved`, ends in the same state.
  @Test(arguments: KernelBackend.all) func inferenceEndsInTheSameState(backend: KernelBackend)
    throws
  {
    try backend.requireSupport()
    let layer = LayerCase(
      geometry: LayerGeometry(
        steps: 11, rows: 7, inputs: 5, hidden: 21,
        drive: DriveParameters(.momentum, mu: 0.6, epsilon: 0.9), body: .lstm),
      shardRows: [7])
    let numbers = layer.numbers()
    let trained = layer.run(numbers, with: backend.kernels)
    let inferred = layer.infer(numbers, with: backend.kernels)
    let same = inferred.bits == trained["h_T"].bits
    #expect(same)
  }
}
