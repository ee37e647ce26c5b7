// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Threads

@Suite struct BackgroundJobTests {
  struct Broken: Error {}

  @Test func theResultComesWhenTheWorkIsDone() throws {
    let gate = DispatchSemaphore(value: 0)
    let job = BackgroundJob("test") {
      gate.wait()
      return 42
    }
    #expect(!job.isDone)
    gate.signal()
    #expect(try job.result() == 42)
    #expect(job.isDone)
    #expect(try job.result() == 42, "a result can be asked for again")
  }

  @Test func anErrorIsThrownToWhoAsks() {
    let job = BackgroundJob<Int>("test") { throw Broken() }
    job.wait()
    #expect(throws: Broken.self) { try job.result() }
  }

  /// A wait for a thread that never starts would never end.
  @Test func workWhoseThreadCannotStartIsDoneByTheCaller() throws {
    let caller = ObjectIdentifier(Thread.current)
    let job = BackgroundJob("test", inPlace: false, stackBytes: 1 << 50) {
      ObjectIdentifier(Thread.current) == caller ? 42 : 0
    }
    #expect(job.isDone)
    #expect(try job.result() == 42)
  }

  @Test func workInPlaceIsDoneByTheCaller() throws {
    let caller = ObjectIdentifier(Thread.current)
    let job = BackgroundJob("test", inPlace: true) { ObjectIdentifier(Thread.current) == caller }
    #expect(try job.result())
  }
}

@Suite struct BackgroundWorkerTests {
  struct Broken: Error {}

  @Test func oneThreadDoesAllTheWorkInTurn() throws {
    let worker = try BackgroundWorker("test")
    let threads = Mutex(Set<ObjectIdentifier>())
    for _ in 0..<100 {
      worker.start { threads.withLock { _ = $0.insert(ObjectIdentifier(Thread.current)) } }
      try worker.finish()
    }
    #expect(threads.withLock { $0.count } == 1)
    #expect(threads.withLock { !$0.contains(ObjectIdentifier(Thread.current)) })
  }

  @Test func anErrorIsThrownOnceAndTheWorkerGoesOn() throws {
    let worker = try BackgroundWorker("test")
    worker.start { throw Broken() }
    #expect(throws: Broken.self) { try worker.finish() }
    worker.start {}
    try worker.finish()
  }
}
