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

  /// A walker never sees a bucket before it is complete.
  @Test func bucketsAreWaitedFor() async {
    let buckets = Buckets(10, bucketBytes: 12, final: 10)
    let walker = Task.detached { Array(buckets) }
    for element in [9, 7, 4, 5, 0] { buckets.complete(from: element) }
    #expect(await walker.value == [7..<10, 4..<7, 1..<4, 0..<1])
    let half = Buckets(10, bucketBytes: 20, final: 5).makeIterator()
    #expect(half.next() == 5..<10)
  }

  @Test func aCoreIsFreeWhereRanksLeaveOne() {
    #expect(!FreeCores.answer(allowed: 2, all: 2, ranksHere: 2))
    #expect(FreeCores.answer(allowed: 2, all: 2, ranksHere: 1))
    #expect(!FreeCores.answer(allowed: 1, all: 64, ranksHere: 1), "bound to one core")
    #expect(FreeCores.answer(allowed: 2, all: 64, ranksHere: 32), "bound to two")
    #expect(!FreeCores.answer(allowed: 64, all: 64, ranksHere: 64))
  }
}
