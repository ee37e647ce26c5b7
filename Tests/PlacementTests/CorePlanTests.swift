// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Placement

@Suite struct CorePlanTests {
  @Test func ranksThatShareCoresAreOneGroup() {
    let masks = [
      CoreMask([0]), CoreMask([2, 3]), CoreMask([0, 1]), CoreMask([70]), CoreMask([3]),
    ]
    let groups = CoreGroup.groups(of: masks)
    #expect(groups.map(\.members) == [[0, 2], [1, 4], [3]])
    #expect(groups.map(\.cores.cores) == [[0, 1], [2, 3], [70]])
    // Two groups become one when a rank comes that has cores of both.
    let joined = CoreGroup.groups(of: masks + [CoreMask([1, 2])])
    #expect(joined.map(\.members) == [[0, 1, 2, 4, 5], [3]])
    #expect(joined[0].cores == CoreMask(0..<4))
  }

  @Test func eachMemberGetsItsShareOfTheCores() {
    func share(_ cores: Int, _ ranks: Int) -> Int {
      CoreGroup(members: Array(0..<ranks), cores: CoreMask(0..<cores)).threadsForEach
    }
    #expect(share(1, 1) == 1)
    #expect(share(8, 2) == 4)
    #expect(share(7, 2) == 3)
    #expect(share(2, 3) == 1, "a rank has a thread at least")
  }

  @Test func coresAreNamed() {
    #expect("\(CoreMask([3]))" == "core 3")
    #expect("\(CoreMask([0, 1, 2, 3, 8, 64, 65]))" == "cores 0-3, 8, 64-65")
    #expect(CoreMask(list: "\t0-3,8,64-65") == CoreMask([0, 1, 2, 3, 8, 64, 65]))
    #expect(CoreMask(list: "").count == 0)
    #expect(CoreMask.own.count > 0)
    #expect(CoreMask.own.cores.count == CoreMask.own.count)
  }
}
