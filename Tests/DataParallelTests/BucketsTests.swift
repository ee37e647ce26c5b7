// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import DataParallel

@Suite struct BucketsTests {
  @Test func bucketsCoverEverythingFromTheEnd() {
    for count in [0, 1, 7, 8, 9, 100] {
      for bytes in [1, 4, 32, 1 << 20] {
        let buckets = Array(Buckets(count, bucketBytes: bytes))
        #expect(buckets.reversed().flatMap { $0 } == Array(0..<count))
        #expect(buckets.dropLast().allSatisfy { $0.count == max(bytes / 4, 1) })
      }
    }
  }

  @Test func bucketsOfAPartCoverItAlone() {
    let buckets = Array(Buckets(10..<37, bucketBytes: 32))
    #expect(buckets == [29..<37, 21..<29, 13..<21, 10..<13])
    #expect(Buckets(10..<37, bucketBytes: 1 << 20).largest == 27)
  }

  /// The buckets that a walker on a separate thread has seen so far.
  private final class Walk: Sendable {
    private let seen = Mutex<[Range<Int>]>([])

    init(_ buckets: Buckets) {
      Thread.detachNewThread { [self] in
        for bucket in buckets { seen.withLock { $0.append(bucket) } }
      }
    }

    var buckets: [Range<Int>] { seen.withLock { $0 } }
  }

  /// A walker never sees a bucket before it is complete, however much time it has.
  @Test func bucketsAreWaitedFor() async throws {
    let buckets = Buckets(10, bucketBytes: 12, final: 10)
    let walk = Walk(buckets)
    try await Task.sleep(for: .milliseconds(50))
    #expect(walk.buckets.isEmpty)
    buckets.complete(from: 5)
    try await Task.sleep(for: .milliseconds(50))
    #expect(walk.buckets.allSatisfy { $0.lowerBound >= 5 })
    buckets.complete(from: 0)
    for _ in 0..<1000 where walk.buckets.count < 4 { try await Task.sleep(for: .milliseconds(10)) }
    #expect(walk.buckets == [7..<10, 4..<7, 1..<4, 0..<1])
  }
}
