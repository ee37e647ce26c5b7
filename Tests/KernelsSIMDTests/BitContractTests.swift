// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Testing

/// The results of a row or a shard do not depend, to the last bit, on what is computed with it.
@Suite struct BitContractTests {
  static let drives = ReferenceTests.drives

  @Test(arguments: KernelBackend.modules) func rowsAloneAndTogether(backend: KernelBackend) throws {
    try backend.requireSupport()
    for body in BodyKind.allCases {
      for drive in Self.drives where !(body == .gru && drive.kind == .nesterovExtrapolated) {
        for (C, H) in [(1, 20), (6, 33)] {
          let layer = LayerCase(
            geometry: LayerGeometry(
              steps: 10, rows: 61, inputs: C, hidden: H, drive: drive, body: body),
            shardRows: [30, 31])
          let numbers = layer.numbers()
          let all = layer.run(numbers, with: backend.kernels)
          for rows in [0..<1, 5..<6, 47..<49, 20..<55, 60..<61] {
            let (part, itsNumbers) = layer.rows(rows, of: numbers)
            let alone = part.run(itsNumbers, with: backend.kernels)
            for tensor in alone.tensors {
              guard let expected = layer.slice(tensor.name, rows: rows, of: all) else { continue }
              let same = tensor.values.bits == expected.bits
              #expect(
                same, "\(body) \(drive.kind) C=\(C) H=\(H) rows \(rows): \(tensor.name)")
            }
          }
        }
      }
    }
  }

  /// A y of more than 16 MB bypasses the caches; a y with only a few of the rows does not, nor one
  /// that is not aligned.
  @Test(arguments: KernelBackend.modules, [true, false]) func longSequences(
    backend: KernelBackend, isAligned: Bool
  ) throws {
    try backend.requireSupport()
    var layer = LayerCase(
      geometry: LayerGeometry(
        steps: 260, rows: 128, inputs: 1, hidden: 128, drive: DriveParameters(.plain), body: .tanh),
      shardRows: [128], hasOutputGradient: false)
    layer.isAligned = isAligned
    let numbers = layer.numbers()
    let all = layer.run(numbers, with: backend.kernels)
    #expect(all["y"].count > 1 << 22)
    for rows in [0..<1, 47..<49, 127..<128] {
      let (part, itsNumbers) = layer.rows(rows, of: numbers)
      let alone = part.run(itsNumbers, with: backend.kernels)
      for name in ["y", "h_T", "dx"] {
        let same = alone[name].bits == layer.slice(name, rows: rows, of: all)?.bits
        #expect(same, "rows \(rows): \(name)")
      }
    }
  }

  @Test(arguments: KernelBackend.modules) func shardsAloneAndTogether(backend: KernelBackend) throws
  {
    try backend.requireSupport()
    for body in BodyKind.allCases {
      for drive in Self.drives where !(body == .gru && drive.kind == .nesterovExtrapolated) {
        for (C, H) in [(1, 20), (24, 33)] {
          let shards = [16, 3, 0, 70, 1, 16]
          let layer = LayerCase(
            geometry: LayerGeometry(
              steps: 19, rows: shards.reduce(0, +), inputs: C, hidden: H, drive: drive, body: body),
            shardRows: shards)
          let numbers = layer.numbers()
          let all = layer.run(numbers, with: backend.kernels)["dW"]
          let stride = all.count / shards.count
          var first = 0
          for (shard, count) in shards.enumerated() {
            defer { first += count }
            if count == 0 { continue }
            let (part, itsNumbers) = layer.rows(first..<first + count, of: numbers)
            let alone = part.run(itsNumbers, with: backend.kernels)["dW"]
            let same = alone.bits == Array(all[shard * stride..<(shard + 1) * stride]).bits
            #expect(
              same, "\(body) \(drive.kind) C=\(C) H=\(H) shard \(shard)")
          }
        }
      }
    }
  }
}
