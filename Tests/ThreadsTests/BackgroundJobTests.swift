import Dispatch
import Testing
import Threads

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
}
