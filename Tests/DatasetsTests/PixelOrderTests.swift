// SPDX-License-Identifier: Apache-2.0

import Datasets
import Foundation
import RandomNumbers
import Tensors
import TestSupport
import Testing

/// The orders in which the permuted view shows the pixels of an image.
@Suite struct PixelOrderTests {
  @Test func ourSeedGivesTheOrderThatItAlwaysGave() throws {
    var stream = RandomStream(seed: 5 << 32 + 9, purpose: .pixelPermutation)
    let order = try PixelOrder.seed(5 << 32 + 9).indices(of: 10)
    #expect(order == stream.permutation(10) && order == [8, 0, 5, 2, 4, 7, 1, 3, 9, 6])
  }

  /// Checksums over the indices as little-endian int32, by NumPy 2.4.6: 92916 is the seed of scoRNN
  /// and expRNN, 0 that of the MomentumRNN authors' recipes.
  @Test func numPysSeedsGiveTheOrdersOfNumPy() throws {
    #expect(try PixelOrder.numpy(92916).fingerprint(of: 784).crc32 == "c3bf361d")
    #expect(try PixelOrder.numpy(0).fingerprint(of: 784).crc32 == "c0c62102")
    #expect(try PixelOrder.numpy(0).indices(of: 3) == [2, 1, 0])
  }

  /// Against `bitreversal_permutation` of the HiPPO authors, in NumPy.
  @Test func bitReversalIsThatOfTheNextPowerOfTwo() throws {
    let reversal = PixelOrder.bitReversal
    #expect(try reversal.indices(of: 8) == [0, 4, 2, 6, 1, 5, 3, 7])
    #expect(try reversal.indices(of: 10) == [0, 8, 4, 2, 6, 1, 9, 5, 3, 7])
    #expect(try reversal.indices(of: 2) == [0, 1] && reversal.indices(of: 1) == [0])
    #expect(try reversal.fingerprint(of: 784).crc32 == "1f8a54f4")
    #expect(try reversal.fingerprint(of: 1024).crc32 == "8da2c682")
  }

  @Test func aFileListsTheIndices() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/order.txt"
      for text in ["2\n0\n3\n1\n", "2 0\t3,1", "2, 0,\r\n3, 1\r\n\r\n", "\u{FEFF}2 0\n\n3 1"] {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(
          try PixelOrder.file(path).indices(of: 4) == [2, 0, 3, 1], "\(text.debugDescription)")
      }
    }
  }

  @Test func aFileThatIsNoPermutationIsRefused() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/order.txt"
      for (text, problem) in [
        ("0\n1\n2\n", "\(path): has 3 indices for 4 pixels"),
        ("", "\(path): has 0 indices for 4 pixels"),
        ("0 1\n4 2", "\(path):2: index 4 is out of range 0..<4"),
        ("0 -1 2 3", "\(path):1: index -1 is out of range 0..<4"),
        ("0\n1\n\n0\n", "\(path):4: index 0 occurs twice, first in line 1"),
        ("0 1 2.0 3", "\(path):1: \"2.0\" is not a whole number"),
        ("0 1 2 3 3", "\(path):1: index 3 occurs twice, first in line 1"),
        ("0 99999999999999999999", "\(path):1: \"99999999999999999999\" is not a whole number"),
      ] {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: DatasetError.self) {
          try PixelOrder.file(path).indices(of: 4)
        }
        #expect(
          error?.line
            == "\(problem); list each of the numbers 0 to 3 once, as numpy.savetxt(fmt=\"%d\") does"
        )
      }
      let none = #expect(throws: DatasetError.self) {
        try PixelOrder.file("\(folder)/none.txt").indices(of: 4)
      }
      #expect(none?.line.hasPrefix("\(folder)/none.txt: ") == true, "\(none?.line ?? "")")
    }
  }
}
