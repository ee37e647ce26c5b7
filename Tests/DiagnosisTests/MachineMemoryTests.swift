import Testing

@testable import Diagnosis

@Suite struct MachineMemoryTests {
  @Test func thisProcessHasLessThanThisMachine() {
    let here = MachineMemory.here()
    #expect(here.physicalBytes > MachineMemory.residentBytes)
    #expect(MachineMemory.residentBytes > 1e6)
  }
}
