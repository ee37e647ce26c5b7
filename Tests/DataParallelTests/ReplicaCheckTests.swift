// SPDX-License-Identifier: Apache-2.0

import Tensors
import Testing

@testable import DataParallel

@Suite struct ReplicaCheckTests {
  /// Values of the reference implementation (python-xxhash) for i/2 - 3, i = 0 ..< count.
  @Test(
    arguments: [
      (0, 0xef46_db37_51d8_e999), (1, 0x477a_7e4f_0e76_90dd), (2, 0x909a_e08e_5f80_9693),
      (3, 0x9269_82c8_9136_2c8c), (8, 0xc91c_2a40_07dc_13d0), (9, 0x1e54_ca1d_41e5_e76a),
      (100, 0x6e7d_55a8_5e8b_cba5), (1001, 0x0cd9_53de_d015_9894),
    ] as [(Int, UInt64)]) func theHashIsXXH64(count: Int, hash: UInt64)
  {
    #expect(ReplicaCheck.hash(Tensor((0..<count).map { Float($0) * 0.5 - 3 })) == hash)
  }

  @Test func anyBitOfAnyNumberChangesTheHash() {
    for count in [1, 2, 9, 20] {
      let numbers = Tensor((0..<count).map { Float($0) * 0.25 })
      let hash = ReplicaCheck.hash(numbers)
      for index in 0..<count {
        for bit in 0..<32 {
          let before = numbers[index]
          numbers[index] = Float(bitPattern: before.bitPattern ^ 1 << UInt32(bit))
          #expect(ReplicaCheck.hash(numbers) != hash)
          numbers[index] = before
        }
      }
    }
  }

  @Test func theMajorityIsRight() {
    #expect(ReplicaCheck.odd([5]) == [])
    #expect(ReplicaCheck.odd([5, 5, 5]) == [])
    #expect(ReplicaCheck.odd([5, 6]) == [0, 1])
    #expect(ReplicaCheck.odd([6, 5, 5]) == [0])
    #expect(ReplicaCheck.odd([5, 5, 7, 5, 6]) == [2, 4])
    #expect(ReplicaCheck.odd([5, 5, 6, 6]) == [0, 1, 2, 3])
    #expect(ReplicaCheck.odd([5, 5, 6, 7]) == [0, 1, 2, 3])
  }
}
