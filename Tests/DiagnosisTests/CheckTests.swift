// SPDX-License-Identifier: Apache-2.0

import Files
import Testing

@testable import Diagnosis

/// The result of each check for good and for bad facts.
@Suite struct CheckTests {
  private func expect(
    _ finding: Finding, _ state: Finding.State, _ text: String = "", cure: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(finding.state == state, "\(finding)", sourceLocation: sourceLocation)
    #expect(
      finding.text.contains(text) || text.isEmpty, "\(finding)", sourceLocation: sourceLocation)
    #expect((finding.cure == nil) == (state == .good), "\(finding)", sourceLocation: sourceLocation)
    if let cure {
      #expect(finding.cure?.contains(cure) == true, "\(finding)", sourceLocation: sourceLocation)
    }
  }

  @Test func cores() {
    expect(CoresCheck(allowed: 4, all: 4).finding, .good, "4")
    expect(CoresCheck(allowed: 4, all: 4, granted: 8).finding, .good)
    expect(CoresCheck(allowed: 2, all: 4).finding, .note, "2 of 4", cure: "--bind-to none")
    expect(
      CoresCheck(allowed: 4, all: 4, granted: 1.5).finding, .note, "1.5", cure: "at most 1 rank ")
  }

  @Test func instructions() {
    expect(InstructionsCheck(current: .avx2, fastest: .avx2).finding, .good, "avx2")
    expect(
      InstructionsCheck(current: .baseline, fastest: .avx512).finding, .note, "avx512",
      cure: "unset")
    expect(
      InstructionsCheck(current: .baseline, fastest: .baseline).finding, .note, cure: "-cpu host")
    expect(
      InstructionsCheck(current: .avx2, fastest: .avx2, problem: "no such").finding, .wrong,
      "no such")
  }

  @Test func memory() {
    expect(MemoryCheck(available: 8 << 30).finding, .good, "8.0 GB")
    expect(MemoryCheck(available: 8 << 30, limit: 16 << 30).finding, .good)
    expect(
      MemoryCheck(available: 8 << 30, limit: 1 << 30).finding, .note, "grants 1.0 GB",
      cure: "dataset.memory=256")
    expect(MemoryCheck(available: 100 << 20).finding, .wrong, "100 MB")
  }

  @Test func sharedMemory() {
    func disk(_ free: Int, _ folder: String = "/dev/shm") -> FileSystem {
      FileSystem(folder: folder, kind: "tmpfs", freeBytes: free, totalBytes: 1 << 30)
    }
    expect(SharedMemoryCheck(disk: disk(1 << 30)).finding, .good)
    expect(SharedMemoryCheck(disk: disk(1 << 20)).finding, .wrong, "1.0 MB", cure: "--shm-size")
    expect(SharedMemoryCheck(disk: disk(1 << 30, "/dev")).finding, .wrong, cure: "mount -t tmpfs")
    expect(SharedMemoryCheck(disk: nil).finding, .wrong)
  }

  @Test func openMPI() {
    let library = "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4"
    expect(
      OpenMPICheck(library: library, launcher: "mpirun (Open MPI) 4.1.4").finding, .good, "4.1.4")
    expect(
      OpenMPICheck(library: library, launcher: "mpirun (Open MPI) 5.0.1").finding, .note, "5.0.1",
      cure: "PATH")
    expect(
      OpenMPICheck(library: library, launcher: "MPICH 4.1.4").finding, .wrong,
      "the mpirun on the path MPICH 4.1.4: every rank would run alone")
    #expect(
      OpenMPICheck.launcher("HYDRA build details:\n    Version:           5.0.2\n    Release:\n")
        == "MPICH 5.0.2")
    #expect(
      OpenMPICheck.launcher("mpirun (Open MPI) 5.0.11\n\nReport bugs to x\n")
        == "mpirun (Open MPI) 5.0.11")
    expect(OpenMPICheck(library: library, launcher: nil).finding, .note, cure: "openmpi-bin")
  }

  @Test func twoRanks() {
    func check(_ status: Int32?, _ output: String) -> Finding {
      StartCheck(status: status, output: output, seconds: 0.5).finding
    }
    expect(check(0, "2 ranks are connected\n"), .good, "(0.5 s)")
    expect(check(0, "something else\n"), .wrong, "ended with 0: something else", cure: "mpirun")
    expect(check(nil, "2 ranks are connected\n"), .wrong, "within 60 s", cure: "/dev/shm")
    let text = "-----\nmpirun: x\nmomentum-dist: PMI_SIZE=2: y\n"
    expect(check(78, text), .wrong, "ended with 78: PMI_SIZE=2: y", cure: "--answer")
    expect(check(1, "2 ranks are connected\n"), .wrong, "ended with 1", cure: "mpirun")
  }

  @Test func root() {
    expect(RootCheck(isRoot: true, isAllowed: true).finding, .good)
    expect(RootCheck(isRoot: false, isAllowed: false).finding, .good)
    expect(
      RootCheck(isRoot: true, isAllowed: false).finding, .wrong, cure: "OMPI_ALLOW_RUN_AS_ROOT=1")
  }

  @Test func singleCopy() {
    expect(SingleCopyCheck(scope: nil).finding, .good)
    expect(SingleCopyCheck(scope: 1).finding, .good)
    expect(SingleCopyCheck(scope: 2).finding, .note, "2", cure: "ptrace_scope=1")
  }

  @Test func openBLAS() {
    func check(_ core: String, _ threads: Int = 1, _ fastest: String = "avx2") -> Finding {
      OpenBLASCheck(
        version: "OpenBLAS 0.3.21 DYNAMIC_ARCH", core: core, threads: threads,
        fastest: fastest == "avx2" ? .avx2 : .baseline
      ).finding
    }
    expect(check("Haswell"), .good, "OpenBLAS 0.3.21, kernels of Haswell")
    expect(check("Prescott"), .wrong, "Prescott", cure: "OPENBLAS_CORETYPE=HASWELL")
    expect(check("Prescott", 1, "baseline"), .good)
    expect(check("Haswell", 8), .note, "8 threads", cure: "OPENBLAS_NUM_THREADS=1")
  }

  @Test func hdf5() {
    func check(_ isThreadSafe: Bool, _ hasDeflate: Bool) -> Finding {
      HDF5Check(version: "1.10.8", isThreadSafe: isThreadSafe, hasDeflate: hasDeflate).finding
    }
    expect(check(true, true), .good, "1.10.8")
    expect(check(false, true), .note, "without thread safety", cure: "--enable-threadsafe")
    expect(check(true, false), .note, cure: "zlib")
  }

  @Test func output() {
    func disk(_ kind: String, _ free: Int = 1 << 40) -> FileSystem {
      FileSystem(folder: "runs", kind: kind, freeBytes: free, totalBytes: 1 << 41)
    }
    expect(OutputCheck(disk: disk("ext4")).finding, .good, "runs: ext4, 1.0 TB free")
    expect(OutputCheck(disk: disk("nfs4")).finding, .good, "another machine")
    expect(OutputCheck(disk: disk("tmpfs")).finding, .note, "restart")
    expect(OutputCheck(disk: disk("ext4", 1 << 20)).finding, .wrong, "1.0 MB")
    expect(
      OutputCheck(disk: disk("ext4"), problem: "runs: Read-only file system").finding, .wrong,
      "Read-only", cure: "writable")
    expect(OutputCheck(disk: nil).finding, .wrong)
  }

  @Test func locks() {
    expect(LockingCheck(works: true).finding, .good)
    expect(LockingCheck(works: true, setting: "FALSE").finding, .note, cure: "unset")
    expect(LockingCheck(works: false, setting: "FALSE").finding, .good)
    expect(LockingCheck(works: false).finding, .note, cure: "only one process")
    expect(LockingCheck(works: false, setting: "TRUE").finding, .wrong, cure: "unset")
    expect(LockingCheck(works: nil).finding, .note)
  }

  /// Every check of this machine has a result, and leaves nothing behind.
  @Test func allOfThisMachine() {
    let findings = Doctor(output: "/none/of/these").findings()
    #expect(Set(findings.map(\.check)).count == findings.count && findings.count == 11)
    for finding in findings { #expect(!finding.text.isEmpty && !finding.lines.hasSuffix("\n")) }
  }

  @Test func limitsOfControlGroupsAreFound() {
    let old = ControlGroup("4:memory:/a/b\n2:cpu,cpuacct:/\n")
    #expect(
      old.folders(of: "memory", root: "/r") == ["/r/memory/a/b", "/r/memory/a", "/r/memory"])
    #expect(old.folders(of: "cpu", root: "/r") == ["/r/cpu"])
    #expect(ControlGroup("0::/a\n").folders(of: "cpu", root: "/r") == ["/r/a", "/r"])
    #expect(ControlGroup("").folders(of: "cpu") == [])
  }
}
