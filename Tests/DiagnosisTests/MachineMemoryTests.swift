// SPDX-License-Identifier: Apache-2.0

import Files
import Testing

@testable import Diagnosis

@Suite struct MachineMemoryTests {
  @Test func thisProcessHasLessThanThisMachine() {
    let here = MachineMemory.here()
    #expect(here.physicalBytes > Double(ProcessMemory.peakBytes))
  }
}
