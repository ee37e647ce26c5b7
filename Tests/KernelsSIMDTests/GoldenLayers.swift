// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// Layers whose results have the same bits on every processor with fused products. The tests run
/// them with AVX2 and AVX-512 where the processor has them, launch/check-arm64 with NEON.
struct GoldenLayer {
  let body: BodyKind
  let drive: DriveParameters
  let layer: LayerCase
  /// "lstm momentum C=5 H=33"
  let name: String

  private init(
    _ body: BodyKind, _ drive: DriveParameters, inputs: Int, hidden: Int,
    shardRows: [Int] = [5, 0, 8]
  ) {
    (self.body, self.drive) = (body, drive)
    layer = LayerCase(
      geometry: LayerGeometry(
        steps: 11, rows: shardRows.reduce(0, +), inputs: inputs, hidden: hidden, drive: drive,
        body: body),
      shardRows: shardRows)
    name = "\(body.rawValue) \(drive.kind.rawValue) C=\(inputs) H=\(hidden)"
  }

  /// Every body behind every drive that it takes, with a single input and with several, and with
  /// units that fill neither vectors nor blocks.
  static let all: [GoldenLayer] = {
    let drives = [
      DriveParameters(.plain), DriveParameters(.momentum, mu: 0.6, epsilon: 0.9),
      DriveParameters(.adam, mu: 0.6, epsilon: 0.8, beta: 0.7),
      DriveParameters(.nesterov, epsilon: 0.9, restart: 3),
      DriveParameters(.nesterovExtrapolated, epsilon: 0.5, restart: 40),
    ]
    var layers: [GoldenLayer] = []
    for body in BodyKind.allCases {
      for drive in drives where !(body == .gru && drive.kind == .nesterovExtrapolated) {
        layers.append(GoldenLayer(body, drive, inputs: 1, hidden: 20))
        layers.append(GoldenLayer(body, drive, inputs: 5, hidden: 33))
      }
    }
    // Products of several blocks, weights larger than a megabyte, and shards of more than one stripe.
    layers.append(
      GoldenLayer(.lstm, drives[1], inputs: 300, hidden: 272, shardRows: [40, 2]))
    layers.append(GoldenLayer(.gru, drives[0], inputs: 20, hidden: 304, shardRows: [1, 17]))
    return layers
  }()

  /// FNV-1a of all bits that a run leaves. Zeros count without their sign: padding may add either.
  static func digest(_ result: LayerCase.Result<Float>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for tensor in result.tensors {
      for value in tensor.values {
        var bits = value == 0 ? 0 : value.bitPattern
        for _ in 0..<4 {
          hash = (hash ^ UInt64(bits & 0xff)) &* 0x100_0000_01b3
          bits >>= 8
        }
      }
    }
    return hash
  }
}
